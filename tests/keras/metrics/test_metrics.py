"""Metrics: updating in pieces equals computing over all rows at once, weighted or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.errors import ArgumentError
from kcompile.keras import metrics

Array = np.ndarray[Any, Any]


def rows(seed: int, n: int) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), n).astype(np.float32)
    labels = rng.integers(0, 4, n)
    return labels, np.eye(4, dtype=np.float32)[labels], p, rng.uniform(0.1, 3, n).astype(np.float32)


def top_k(labels: Array, p: Array, k: int) -> Array:
    return np.array([label in np.argsort(-row)[:k] for label, row in zip(labels, p)])


CASES: dict[str, Any] = {
    "SparseCategoricalAccuracy": (metrics.SparseCategoricalAccuracy, "labels", lambda y, h, p: y == p.argmax(1)),
    "CategoricalAccuracy": (metrics.CategoricalAccuracy, "one_hot", lambda y, h, p: y == p.argmax(1)),
    "TopK": (lambda: metrics.TopKCategoricalAccuracy(k=2), "one_hot", lambda y, h, p: top_k(y, p, 2)),
    "SparseTopK": (lambda: metrics.SparseTopKCategoricalAccuracy(k=3), "labels", lambda y, h, p: top_k(y, p, 3)),
    "MeanSquaredError": (metrics.MeanSquaredError, "one_hot", lambda y, h, p: ((h - p) ** 2).mean(1)),
    "MeanAbsoluteError": (metrics.MeanAbsoluteError, "one_hot", lambda y, h, p: np.abs(h - p).mean(1)),
    "CategoricalCrossentropy": (
        metrics.CategoricalCrossentropy, "one_hot", lambda y, h, p: -np.log(np.clip((h * p).sum(1), 1e-7, 1)),
    ),
    "BinaryAccuracy": (metrics.BinaryAccuracy, "one_hot", lambda y, h, p: ((p > 0.5) == h).mean(1)),
    "CosineSimilarity": (
        metrics.CosineSimilarity, "one_hot", lambda y, h, p: (h * p).sum(1) / np.sqrt((p**2).sum(1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), weighted=st.booleans())
def test_pieces_equal_the_whole(name: str, seed: int, sizes: list[int], weighted: bool) -> None:
    make, kind, formula = CASES[name]
    labels, one_hot, p, w = rows(seed, sum(sizes))
    y = labels if kind == "labels" else one_hot
    metric = make()
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        metric.update_state(y[part], p[part], sample_weight=w[part] if weighted else None)
        start += size
    each = formula(labels, one_hot.astype(np.float64), p.astype(np.float64))
    expected = np.average(each, weights=w if weighted else None)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert all((v.numpy() == 0).all() for v in metric.variables)


def test_root_mean_squared_error_is_of_all_rows_together() -> None:
    metric = metrics.RootMeanSquaredError()
    metric.update_state([0.0], [3.0])
    metric.update_state([0.0, 0.0], [0.0, 0.0])
    assert float(metric.result()) == pytest.approx(np.sqrt(9 / 3))


def test_sum_and_mean() -> None:
    total, mean = metrics.Sum(), metrics.Mean()
    for metric in (total, mean):
        metric.update_state([1.0, 2.0])
        metric.update_state(5.0, sample_weight=2.0)
    assert float(total.result()) == 13.0
    assert float(mean.result()) == pytest.approx(13 / 4)


def test_column_labels_are_squeezed() -> None:
    metric = metrics.SparseCategoricalAccuracy()
    p = np.eye(3, dtype=np.float32)
    assert float(metric(np.array([[0], [1], [0]]), p)) == pytest.approx(2 / 3)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), weighted=st.booleans())
def test_counts_of_decisions(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((9, 2)).astype(np.float32)
    y = (rng.random((9, 2)) < p).astype(np.float32)
    w = rng.uniform(0.5, 2, 9).astype(np.float32) if weighted else np.ones(9, np.float32)
    yes = p > 0.3
    expected = {
        "TruePositives": yes * y, "FalsePositives": yes * (1 - y),
        "TrueNegatives": ~yes * (1 - y), "FalseNegatives": ~yes * y,
    }  # fmt: skip
    totals = {name: float((value * w[:, None]).sum()) for name, value in expected.items()}
    tp, fp, fn = totals["TruePositives"], totals["FalsePositives"], totals["FalseNegatives"]
    totals["Precision"] = tp / (tp + fp) if tp + fp else 0.0
    totals["Recall"] = tp / (tp + fn) if tp + fn else 0.0
    for name, value in totals.items():
        metric = getattr(metrics, name)(thresholds=0.3)
        for part in (slice(0, 4), slice(4, 9)):
            metric.update_state(y[part], p[part], sample_weight=w[part] if weighted else None)
        assert float(metric.result()) == pytest.approx(value, rel=1e-5), name


def test_area_under_the_curve() -> None:
    """The part of all pairs (a 1, a 0) that stand in the right order, for scores between the thresholds."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 60)
    p = np.clip((np.floor((0.5 * y + rng.random(60)) * 60) + 0.5) / 99, 0, 1)
    ones, zeros = p[y == 1], p[y == 0]
    pairs = (ones[:, None] > zeros).mean() + 0.5 * (ones[:, None] == zeros).mean()
    metric = metrics.AUC(num_thresholds=100)
    metric.update_state(y, p)
    assert float(metric.result()) == pytest.approx(pairs, abs=1e-5)


@pytest.mark.parametrize("cls", metrics._CLASSES, ids=lambda c: c.__name__)
def test_config_round_trip_and_names(cls: type) -> None:
    one = cls(name="mine")
    data = metrics.serialize(one)
    assert data["module"] == "keras.metrics"
    again = metrics.deserialize(data)
    assert type(again) is cls and again.get_config() == one.get_config()
    labels = np.array([1]) if "Sparse" in cls.__name__ else np.array([[0.0, 1.0]])
    one.update_state(labels, *([] if cls in (metrics.Mean, metrics.Sum) else [np.array([[0.4, 0.6]])]))
    assert np.isfinite(float(one.result()))


@pytest.mark.parametrize("name", ["mae", "mse", "MSE", "binary_accuracy", "top_k_categorical_accuracy", "rmse"])
def test_known_by_name(name: str) -> None:
    assert isinstance(metrics.get(name), metrics.Metric)


def test_refusals() -> None:
    with pytest.raises(ArgumentError, match="no metric of that name.*'acurracy'"):
        metrics.get("acurracy")
    with pytest.raises(ArgumentError, match="threshold=2"):
        metrics.BinaryAccuracy(threshold=2)
    with pytest.raises(ArgumentError, match="k=0"):
        metrics.TopKCategoricalAccuracy(k=0).update_state(np.eye(2), np.eye(2))
