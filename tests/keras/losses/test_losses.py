"""Losses against their formulas in float64 NumPy, and the rules of weights and reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import losses

EPSILON = 1e-7
Array = np.ndarray[Any, Any]


def arrays(low: float, high: float, columns: int = 3) -> st.SearchStrategy[Array]:
    """float32 of shape (1..5, columns)."""
    return st.integers(1, 5).flatmap(
        lambda rows: hnp.arrays(np.float32, (rows, columns), elements=st.floats(low, high, width=32))
    )


def pairs(low: float, high: float) -> st.SearchStrategy[tuple[Array, Array]]:
    return st.integers(1, 5).flatmap(
        lambda rows: st.tuples(
            *[hnp.arrays(np.float32, (rows, 3), elements=st.floats(low, high, width=32)) for _ in range(2)]
        )
    )


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


FORMULAS: dict[str, Callable[[Array, Array], Array]] = {
    "mean_squared_error": lambda t, p: ((t - p) ** 2).mean(-1),
    "mean_absolute_error": lambda t, p: np.abs(t - p).mean(-1),
    "mean_absolute_percentage_error": lambda t, p: 100 * (np.abs(t - p) / np.maximum(np.abs(t), EPSILON)).mean(-1),
    "mean_squared_logarithmic_error": lambda t, p: (
        (np.log(np.maximum(p, EPSILON) + 1) - np.log(np.maximum(t, EPSILON) + 1)) ** 2
    ).mean(-1),
    "huber": lambda t, p: np.where(np.abs(t - p) <= 1, 0.5 * (t - p) ** 2, np.abs(t - p) - 0.5).mean(-1),
    "log_cosh": lambda t, p: (np.logaddexp(p - t, t - p) - np.log(2)).mean(-1),
    "poisson": lambda t, p: (p - t * np.log(p + EPSILON)).mean(-1),
    "kl_divergence": lambda t, p: (
        np.clip(t, EPSILON, 1) * np.log(np.clip(t, EPSILON, 1) / np.clip(p, EPSILON, 1))
    ).sum(-1),
    "categorical_hinge": lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0),
}


@pytest.mark.parametrize("name", FORMULAS)
@given(pair=pairs(0.0625, 4.0))
def test_equals_its_formula(name: str, pair: tuple[Array, Array]) -> None:
    y_true, y_pred = pair
    expected = FORMULAS[name](y_true.astype(np.float64), y_pred.astype(np.float64))
    got = np.asarray(losses.get(name)(y_true, y_pred))
    assert got.shape == (len(y_true),)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@given(x=arrays(-30, 30), data=st.data())
def test_crossentropies_of_one_hot_labels_agree(x: Array, data: st.DataObject) -> None:
    """Sparse = categorical of the one-hot labels = categorical of the softmax, where that is not clipped."""
    labels = np.array([data.draw(st.integers(0, 2)) for _ in range(len(x))])
    one_hot = np.eye(3, dtype=np.float32)[labels]
    sparse = np.asarray(losses.sparse_categorical_crossentropy(labels, x, from_logits=True))
    np.testing.assert_array_equal(sparse, np.asarray(losses.categorical_crossentropy(one_hot, x, from_logits=True)))
    p = softmax(x.astype(np.float64))
    picked = p[np.arange(len(x)), labels]
    np.testing.assert_allclose(sparse, -np.log(picked), rtol=1e-5, atol=2e-6)
    clipped = np.asarray(losses.sparse_categorical_crossentropy(labels, p.astype(np.float32)))
    # In float32, 1 - 1e-7 is off by up to 6e-8.
    np.testing.assert_allclose(clipped, -np.log(np.clip(picked, EPSILON, 1 - EPSILON)), rtol=2e-5, atol=2e-7)


@given(x=arrays(-60, 60), data=st.data())
def test_binary_crossentropy_of_logits_has_no_limit(x: Array, data: st.DataObject) -> None:
    y = data.draw(hnp.arrays(np.float32, x.shape, elements=st.sampled_from([0.0, 1.0])))
    exact = np.logaddexp(0, np.where(y == 1, -x, x).astype(np.float64)).mean(-1)
    got = np.asarray(losses.binary_crossentropy(y, x, from_logits=True))
    np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_hinges_take_labels_0_and_1_as_minus_1_and_1(name: str) -> None:
    p = np.array([[0.3, -2.0], [0.9, 1.5]], np.float32)
    zero_one = np.array([[0, 1], [1, 0]], np.float32)
    loss = losses.get(name)
    np.testing.assert_array_equal(np.asarray(loss(zero_one, p)), np.asarray(loss(2 * zero_one - 1, p)))


def test_label_smoothing_moves_labels_towards_the_mean() -> None:
    p = softmax(np.array([[1.0, 2.0, 3.0]], np.float32))
    y = np.array([[0, 0, 1]], np.float32)
    got = losses.CategoricalCrossentropy(label_smoothing=0.3)(y, p)
    np.testing.assert_allclose(got, -np.sum((y * 0.7 + 0.1) * np.log(p)), rtol=1e-6)


def test_ignored_class_costs_nothing() -> None:
    p = softmax(np.zeros((3, 4), np.float32))
    got = np.asarray(losses.sparse_categorical_crossentropy([0, 2, -1], p, ignore_class=-1))
    np.testing.assert_allclose(got, [np.log(4), np.log(4), 0], rtol=1e-6)
    mean = losses.SparseCategoricalCrossentropy(ignore_class=-1)([0, 2, -1], p)
    np.testing.assert_allclose(float(mean), np.log(4), rtol=1e-6)


@given(pair=pairs(-2, 2), data=st.data())
def test_reductions_and_weights(pair: tuple[Array, Array], data: st.DataObject) -> None:
    y_true, y_pred = pair
    w = data.draw(hnp.arrays(np.float32, len(y_true), elements=st.floats(0.125, 4, width=32)))
    each = np.asarray(losses.mean_squared_error(y_true, y_pred)).astype(np.float64)
    expected = {
        "sum_over_batch_size": (each * w).mean(),
        "mean": (each * w).mean(),
        "sum": (each * w).sum(),
        "mean_with_sample_weight": (each * w).sum() / w.sum(),
        "none": each * w,
    }
    for reduction, value in expected.items():
        for weight in (w, w[:, None]):
            got = losses.MeanSquaredError(reduction=reduction)(y_true, y_pred, sample_weight=weight)
            np.testing.assert_allclose(np.asarray(got), value, rtol=1e-5, atol=1e-6)


def test_weight_of_rows_serves_values_of_several_axes() -> None:
    y = np.zeros((2, 4, 3), np.float32)
    p = np.ones((2, 4, 3), np.float32)
    loss = losses.MeanSquaredError(reduction="none")(y, p, sample_weight=np.array([1.0, 5.0]))
    np.testing.assert_array_equal(np.asarray(loss), [[1] * 4, [5] * 4])


@pytest.mark.parametrize("labels", [np.zeros((4, 1), np.float32), np.zeros(4, np.float32)])
def test_last_axis_of_one_is_squeezed_not_broadcast(labels: Array) -> None:
    """(b,) targets against (b, 1) predictions compare row by row, never all with all."""
    p = np.arange(4, dtype=np.float32)[:, None]
    assert float(losses.MeanSquaredError()(labels, p)) == pytest.approx((p**2).mean())


@pytest.mark.parametrize("loss", losses._CLASSES, ids=lambda c: c.__name__)
def test_config_round_trip(loss: type) -> None:
    one = loss(reduction="sum", name="mine")
    data = losses.serialize(one)
    assert data["module"] == "keras.losses" and data["class_name"] == loss.__name__
    again = losses.deserialize(data)
    assert type(again) is loss
    assert again.get_config() == one.get_config()


@pytest.mark.parametrize("short", ["mse", "MSE", "mae", "bce", "kld", "MeanSquaredError", "categorical_crossentropy"])
def test_known_by_name(short: str) -> None:
    assert callable(losses.get(short))


def test_a_user_function_is_found_after_registration() -> None:
    from kcompile.keras.saving import register_keras_serializable

    @register_keras_serializable("tests")
    def cubic(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 3

    assert losses.deserialize(losses.serialize(cubic)) is cubic


def test_refusals() -> None:
    one_hot, labels, p = np.eye(3), np.arange(3), np.full((3, 3), 1 / 3, np.float32)
    with pytest.raises(ArgumentError, match="no loss of that name.*'mean_sqared'"):
        losses.get("mean_sqared")
    with pytest.raises(ArgumentError, match="reduction='avg'"):
        losses.MeanSquaredError(reduction="avg")
    with pytest.raises(ShapeError, match="sparse_categorical_crossentropy"):
        losses.CategoricalCrossentropy()(labels, p)
    with pytest.raises(ShapeError, match="use categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(one_hot, p)
    with pytest.raises(ArgumentError, match="label_smoothing=1.5"):
        losses.BinaryCrossentropy(label_smoothing=1.5)
    with pytest.raises(ShapeError, match="more axes"):
        losses.MeanSquaredError()(one_hot, p, sample_weight=np.ones((3, 3)))
