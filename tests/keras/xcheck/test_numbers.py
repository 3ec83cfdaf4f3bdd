"""Losses, metrics, optimizers and schedules beside real Keras: one script gives the same numbers on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from tests.keras import real_keras

pytestmark = pytest.mark.xcheck

SCRIPT = '''
def numbers():
    """Name -> array, of everything compared."""
    out, L, M, O = {}, keras.losses, keras.metrics, keras.optimizers
    S = O.schedules
    rng = np.random.default_rng(0)
    logits = (5 * rng.normal(size=(6, 4))).astype("float32")
    p = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype("float32")
    labels = rng.integers(0, 4, 6)
    hot = np.eye(4, dtype="float32")[labels]
    w = rng.uniform(0.1, 2, 6).astype("float32")
    losses = {
        "cce": L.CategoricalCrossentropy(label_smoothing=0.1),
        "cce_logits": L.CategoricalCrossentropy(from_logits=True),
        "bce": L.BinaryCrossentropy(label_smoothing=0.2), "bce_logits": L.BinaryCrossentropy(from_logits=True),
        "mse": L.MeanSquaredError(), "mae": L.MeanAbsoluteError(), "mape": L.MeanAbsolutePercentageError(),
        "msle": L.MeanSquaredLogarithmicError(), "huber": L.Huber(0.3), "logcosh": L.LogCosh(), "poisson": L.Poisson(),
        "kld": L.KLDivergence(), "cosine": L.CosineSimilarity(), "hinge": L.Hinge(), "squared_hinge": L.SquaredHinge(),
        "categorical_hinge": L.CategoricalHinge(),
    }
    for name, loss in losses.items():
        y = logits if "logits" in name else p
        out["loss " + name] = loss(hot, y)
        out["weighted loss " + name] = loss(hot, y, sample_weight=w)
    sparse = ("sparse", {}, p), ("sparse_logits", {"from_logits": True}, logits), ("ignored", {"ignore_class": 1}, p)
    for name, options, y in sparse:
        out["loss " + name] = L.SparseCategoricalCrossentropy(**options)(labels, y, sample_weight=w[:, None])
    edge = np.array([[0.0, 1.0, 0.0, 0.0]], "float32")
    for name in ("categorical_crossentropy", "binary_crossentropy", "kl_divergence", "poisson"):
        out["edge " + name] = getattr(L, name)(hot[:1], edge)
    for reduction in ("sum", "none", "mean", "mean_with_sample_weight", None):
        out[f"reduction {reduction}"] = L.MeanSquaredError(reduction=reduction)(hot, p, sample_weight=w)
    metrics = [
        M.MeanSquaredError(), M.MeanAbsoluteError(), M.RootMeanSquaredError(), M.CategoricalAccuracy(),
        M.BinaryAccuracy(), M.TopKCategoricalAccuracy(k=2), M.CategoricalCrossentropy(), M.BinaryCrossentropy(),
        M.KLDivergence(), M.Poisson(), M.CosineSimilarity(), M.Hinge(), M.LogCoshError(), M.Precision(), M.Recall(),
        M.AUC(num_thresholds=20),
    ]
    for metric in metrics:
        metric.update_state(hot, p)
        metric.update_state(hot[:3], p[:3], sample_weight=w[:3])
        out["metric " + metric.name] = metric.result()
    sparse = M.SparseCategoricalAccuracy(), M.SparseTopKCategoricalAccuracy(k=2), M.SparseCategoricalCrossentropy()
    for metric in sparse:
        metric.update_state(labels[:, None], p, sample_weight=w)
        out["metric " + metric.name] = metric.result()
    made = [
        O.SGD(0.1), O.SGD(0.1, momentum=0.9), O.SGD(0.1, momentum=0.9, nesterov=True), O.Adam(0.01),
        O.Adam(0.01, amsgrad=True), O.AdamW(0.01), O.RMSprop(0.01), O.RMSprop(0.01, momentum=0.5, centered=True),
        O.Adagrad(0.1),
        O.Adadelta(0.5), O.Adamax(0.1), O.Nadam(0.01), O.SGD(0.1, clipnorm=0.5),
        O.SGD(0.1, clipvalue=0.5), O.SGD(0.1, global_clipnorm=0.5),
        O.SGD(S.ExponentialDecay(0.1, 3, 0.5)), O.SGD(S.CosineDecay(0.1, 8, 0.1, warmup_target=0.3, warmup_steps=4)),
        O.SGD(S.PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1])),
        O.SGD(S.PolynomialDecay(0.1, 4, cycle=True, power=2.0)),
        O.SGD(S.InverseTimeDecay(0.1, 4, 0.5, True)), O.Adam(0.01, weight_decay=0.01),
    ]
    for i, optimizer in enumerate(made):
        start = np.array([1.0, -2.0, 3.0], "float32"), np.array([[0.5]], "float32")
        v = [keras.Variable(a, name=n) for a, n in zip(start, "vw")]
        for t in range(10):
            g = [rng.normal(size=x.shape).astype("float32") * 2 for x in v]
            optimizer.apply_gradients(zip([keras.ops.convert_to_tensor(x) for x in g], v))
        for j, x in enumerate(v + list(optimizer.variables)):
            name = "u" if type(optimizer) is O.Nadam and j == 8 else x.name  # the product of Nadam has no name in Keras
            out[f"optimizer {i} {type(optimizer).__name__} {j} {name}"] = x
    return {k: np.asarray(keras.ops.convert_to_numpy(x)) for k, x in out.items()}
'''


def test_all_numbers_are_those_of_keras(tmp_path: Path) -> None:
    real_keras.run(f"import keras, numpy as np\n{SCRIPT}\nnp.savez('numbers.npz', **numbers())", tmp_path)
    expected = dict(np.load(tmp_path / "numbers.npz"))
    scope: dict[str, Any] = {"keras": keras, "np": np}
    exec(SCRIPT, scope)
    got = scope["numbers"]()
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert got[name].shape == value.shape, name
        assert got[name].dtype == value.dtype, name
        np.testing.assert_allclose(got[name], value, rtol=2e-5, atol=2e-6, err_msg=name)
