"""Blocks of image classifiers compiled: the fused kernels give what their parts give, for any sizes and any team."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import kcompile
from kcompile import keras
from kcompile.keras import layers
from kcompile.transforms.kernel import fuse_depthwise

SIZES = st.integers(3, 17)


def normalised(x: Any, activation: Any) -> Any:
    x = layers.BatchNormalization(
        gamma_initializer="random_normal", beta_initializer="random_normal", moving_mean_initializer="random_normal"
    )(x)
    return activation(x)


def inverted_residual(height: int, width: int, inputs: int, groups: int, size: int, strides: int, same: bool) -> Any:
    """1x1 up, depthwise, 1x1 down; `groups` of 16 channels between."""
    image = keras.Input((height, width, inputs))
    x = layers.Conv2D(16 * groups, 1, use_bias=False)(image)
    x = normalised(x, layers.ReLU(6.0))
    x = layers.DepthwiseConv2D(size, strides=strides, padding="same" if same else "valid")(x)
    x = normalised(x, layers.ReLU(6.0))
    x = layers.Conv2D(inputs, 1)(x)
    return keras.Model(image, layers.Add()([image, x]) if same and strides == 1 else x)


def bottlenecks(height: int, width: int, inputs: int, filters: int, strides: int) -> Any:
    """A residual block that two strided 1x1 convolutions read, and nothing else."""
    image = keras.Input((height, width, inputs))
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(image)
    x = normalised(layers.Conv2D(inputs, 1)(x), layers.Activation("linear"))
    x = layers.ReLU()(layers.Add()([image, x]))
    short = layers.Conv2D(2 * inputs, 1, strides=strides)(x)
    x = layers.Conv2D(filters, 1, strides=strides, activation="relu")(x)
    return keras.Model(image, layers.Add()([short, layers.Conv2D(2 * inputs, 1)(x)]))


def separable(height: int, width: int, groups: int, features: int, size: int, strides: int) -> Any:
    """Depthwise and 1x1, and what reads the result with a border around; `groups` of 16 channels."""
    image = keras.Input((height, width, 16 * groups))
    x = layers.DepthwiseConv2D(size, strides=strides)(image)
    x = normalised(layers.Conv2D(features, 1, use_bias=False)(x), layers.ReLU())
    return keras.Model(image, [x, layers.DepthwiseConv2D(3, padding="same")(x)])


def check(model: Any, batch: int) -> None:
    """Compiled equals eager; a row does not depend on its batch; teams agree bitwise."""
    x = np.random.default_rng(batch).normal(size=(batch, *model.input_shape[1:])).astype(np.float32)
    alone, together = (kcompile.compile(model, threads=n, reuse=False) for n in (1, 3))
    results = (call(x) for call in (model, alone, together))
    last = leaves(alone(x[-1:]))
    for expected, made, team, row in zip(*map(leaves, results), last, strict=True):
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))
        np.testing.assert_array_equal(made, team)
        np.testing.assert_array_equal(made[-1:], row)


def leaves(results: Any) -> list[np.ndarray]:
    return [np.asarray(r) for r in (results if isinstance(results, list | tuple) else [results])]


@settings(max_examples=6, deadline=None)
@given(SIZES, SIZES, st.integers(1, 9), st.integers(1, 5), st.sampled_from((2, 3, 5)), st.integers(1, 2), st.booleans(),
       st.integers(1, 3), st.booleans())  # fmt: skip
def test_inverted_residuals(
    height: int, width: int, inputs: int, groups: int, size: int, strides: int, same: bool, batch: int, whole: bool
) -> None:
    keras.utils.set_random_seed(1)
    height, width = max(height, size), max(width, size)
    with patch.object(fuse_depthwise, "pays_to_project", lambda *_: whole):
        check(inverted_residual(height, width, inputs, groups, size, strides, same), batch)


@settings(max_examples=6, deadline=None)
@given(SIZES, SIZES, st.integers(1, 4), st.integers(1, 50), st.sampled_from((2, 3, 5)), st.integers(1, 3),
       st.integers(1, 3))  # fmt: skip
def test_separable_convolutions(
    height: int, width: int, groups: int, features: int, size: int, strides: int, batch: int
) -> None:
    keras.utils.set_random_seed(1)
    height, width = max(height, size), max(width, size)
    with patch.object(fuse_depthwise, "pays_to_project", lambda *_: True):
        check(separable(height, width, groups, features, size, strides), batch)


@settings(max_examples=4, deadline=None)
@given(SIZES, SIZES, st.integers(1, 20), st.integers(1, 20), st.integers(2, 3), st.integers(1, 3))
def test_blocks_that_strided_convolutions_read(
    height: int, width: int, inputs: int, filters: int, strides: int, batch: int
) -> None:
    keras.utils.set_random_seed(1)
    check(bottlenecks(height, width, inputs, filters, strides), batch)


def test_results_with_borders_of_every_kind_of_kernel() -> None:
    """What a padded convolution reads: stored with a border by a Winograd, a direct, a depthwise kernel, a pooling."""
    keras.utils.set_random_seed(1)
    image = keras.Input((14, 17, 32))
    transformed = layers.Conv2D(32, 3, padding="same", use_bias=False)(image)
    direct = layers.Conv2D(16, 5, activation="relu")(image)
    separate = layers.DepthwiseConv2D(3, activation="relu")(image)
    pooled = layers.MaxPooling2D(3, strides=1)(image)
    plain = layers.ReLU()(image)
    readers = [
        layers.GlobalAveragePooling2D()(layers.Conv2D(8, size, strides=2, padding="same")(x))
        for size, x in zip((3, 5, 3, 5, 3), (transformed, direct, separate, pooled, plain), strict=True)
    ]
    check(keras.Model(image, layers.Concatenate()([*readers, layers.GlobalMaxPooling2D()(plain)])), 3)
