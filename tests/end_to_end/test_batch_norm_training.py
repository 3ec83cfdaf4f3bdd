"""Training of an inverted residual block: what is fused, shared and made again changes no weight, nor does a team."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras import layers
from kcompile.runtime import host

REWRITES = "share-moments,recompute-masks,recompute-producers,fuse-sums"


def network(stride: int) -> Any:
    x = inputs = layers.Input((18, 18, 8))
    for width, step in ((24, 1), (40, stride)):
        x = layers.Conv2D(width, 1, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x) if step == 2 else x
        padding = "valid" if step == 2 else "same"
        x = layers.DepthwiseConv2D(3, strides=step, padding=padding, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def trained(stride: int) -> list[np.ndarray[Any, Any]]:
    """The weights after three steps from the same start."""
    keras.utils.set_random_seed(0)
    model = network(stride)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    rng = np.random.default_rng(1)
    x = (3 * rng.standard_normal((5, 18, 18, 8)) + 20).astype(np.float32)
    y = rng.standard_normal((5, 3)).astype(np.float32)
    for _ in range(3):
        model.train_on_batch(x, y)
    return [np.asarray(w) for w in model.get_weights()]


@pytest.mark.parametrize("stride", [1, 2])
def test_rewrites_change_no_weight(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trained(stride)
    monkeypatch.setenv("KCOMPILE_DISABLE", REWRITES)
    for new, plain in zip(made, trained(stride), strict=True):
        np.testing.assert_allclose(new, plain, rtol=2e-3, atol=2e-5)


def test_a_team_makes_the_same_weights() -> None:
    try:
        alone, *teams = [trained_by(threads) for threads in (1, 2, 3)]
    finally:
        host.set_threads(None)
    for team in teams:
        assert all(np.array_equal(x, y) for x, y in zip(alone, team, strict=True))


def trained_by(threads: int) -> list[np.ndarray[Any, Any]]:
    host.set_threads(threads)
    return trained(2)
