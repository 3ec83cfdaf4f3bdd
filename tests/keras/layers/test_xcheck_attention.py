"""Masks through attention layers as in real Keras: who receives them, who passes them on, who drops them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from kcompile import keras

os.environ.setdefault("KERAS_BACKEND", "jax")
real = pytest.importorskip("keras", reason="real Keras is not installed")
pytestmark = pytest.mark.xcheck

IDS = np.array([[1, 2, 3, 0, 0, 0, 0], [4, 5, 6, 7, 8, 9, 10], [3, 0, 2, 0, 1, 0, 0]], np.int32)


def model(module: Any) -> Any:
    layers = module.layers
    i = module.Input((7,), dtype="int32")
    x = layers.Embedding(11, 6, mask_zero=True)(i)
    y = layers.MultiHeadAttention(2, 3)(x, x)
    outputs = [y, layers.Attention(use_scale=True)([y, y], use_causal_mask=True)]
    z = layers.LayerNormalization()(layers.Add()([x, y]))
    outputs += [layers.Attention()([z, z]), layers.AdditiveAttention()([y, z])]
    outputs.append(layers.GroupQueryAttention(4, 2, 1)(outputs[1], outputs[1]))
    return module.Model(i, outputs)


def test_masks_go_the_same_ways() -> None:
    ours, theirs = model(keras), model(real)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=w.shape).astype(np.float32) for w in ours.weights]
    ours.set_weights(weights), theirs.set_weights(weights)
    for a, b in zip(ours(IDS), theirs(IDS), strict=True):
        # sums of a few dozen float32 terms of order 1
        np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=1e-4, atol=1e-4)
