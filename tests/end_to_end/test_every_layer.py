"""Every layer, compiled: a prediction and a train step of native code give what the interpreter gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from tests.keras.layers.cases import CASES, LayerCase
from tests.keras.layers.test_every_layer import apply, draw_inputs, make, randomize

# a few hundred terms near 1 in another order, and polynomials of 2 ulp instead of NumPy's functions
CLOSE = {"rtol": 1e-3, "atol": 1e-4, "equal_nan": True}


def run(case: LayerCase) -> list[np.ndarray]:
    """What a model of this one layer predicts, its loss, and its weights after a step of gradient descent."""
    x = draw_inputs(case)
    layer: Any = make(case)
    shapes = case.shapes if isinstance(case.shapes, list) else [case.shapes]
    inputs = [keras.Input(s, dtype=case.dtype) for s in shapes]
    given = inputs if isinstance(case.shapes, list) else inputs[0]
    model = keras.Model(given, apply(case, layer, given))
    if layer.weights:
        randomize(layer)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    predicted = model.predict_on_batch(x)
    outputs = list(predicted) if isinstance(predicted, list | tuple) else [predicted]
    targets = [np.random.default_rng(5).random(p.shape).astype(np.float32) for p in outputs]
    loss = 0.0
    if layer.trainable_weights:
        loss = model.train_on_batch(x, targets if len(targets) > 1 else targets[0])
    return [np.asarray(a) for a in (*outputs, loss, *layer.get_weights())]


@pytest.mark.parametrize("case", [c for c in CASES if not c.random], ids=lambda c: c.id)
def test_native_equals_interpreter(case: LayerCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCOMPILE_ENGINE", "interpreter")
    expected = run(case)
    monkeypatch.setenv("KCOMPILE_ENGINE", "native")
    received = run(case)
    assert len(expected) == len(received)
    for x, y in zip(expected, received, strict=True):
        np.testing.assert_allclose(y, x, **CLOSE)
