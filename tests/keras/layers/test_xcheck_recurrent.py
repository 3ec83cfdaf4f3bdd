"""Recurrent models against real Keras: names, outputs, training, files both ways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from tests.keras.layers.recurrent_models import KINDS, arrays, draw

os.environ.setdefault("KERAS_BACKEND", "jax")
real = pytest.importorskip("keras", reason="real Keras is not installed")
pytestmark = pytest.mark.xcheck


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_that_of_keras(kind: str, tmp_path: Path) -> None:
    keras.backend.clear_session()
    real.backend.clear_session()
    theirs, ours = KINDS[kind](real), KINDS[kind](keras)
    ours.set_weights(theirs.get_weights())
    x = draw(ours)
    expected = arrays(theirs.predict(x, verbose=0))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    close(ours.predict(x, verbose=0), expected)
    ours.save(tmp_path / "ours.keras")
    close(real.models.load_model(tmp_path / "ours.keras").predict(x, verbose=0), expected)
    theirs.save(tmp_path / "theirs.keras")
    close(keras.models.load_model(tmp_path / "theirs.keras").predict(x, verbose=0), expected)
    rng = np.random.default_rng(1)
    targets: Any = [rng.normal(size=y.shape).astype("float32") for y in expected]
    losses = []
    for model, module in ((theirs, real), (ours, keras)):
        model.compile(module.optimizers.SGD(0.1), "mse")
        made = [model.train_on_batch(x, targets if len(targets) > 1 else targets[0]) for _ in range(3)]
        losses.append([float(np.ravel(v)[0]) for v in made])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def close(made: Any, expected: list[Any]) -> None:
    for x, y in zip(arrays(made), expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
