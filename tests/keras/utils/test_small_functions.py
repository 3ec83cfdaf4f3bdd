"""utils, regularizers, activations, config, dtype policies, variables: the small rooms around layers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.keras import activations, regularizers


def test_importing_keras_loads_nothing_heavy() -> None:
    code = (
        "import sys; from kcompile import keras; print([m for m in ('numpy', 'llvmlite', 'h5py') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_building_a_model_needs_no_compiler() -> None:
    code = (
        "import sys; from kcompile import keras; keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]);"
        "print([m for m in ('llvmlite', 'h5py', 'cffi') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_every_public_name_resolves() -> None:
    for package in (keras, keras.layers, keras.models, keras.utils, keras.initializers, keras.random, keras.backend):
        for name in getattr(package, "__all__", []):
            assert getattr(package, name) is not None, name
    with pytest.raises(AttributeError, match="has no attribute 'LSTM9'"):
        _ = keras.layers.LSTM9


def test_to_categorical() -> None:
    np.testing.assert_array_equal(keras.utils.to_categorical([0, 2]), [[1, 0, 0], [0, 0, 1]])
    assert keras.utils.to_categorical(np.zeros((2, 3, 1)), 4).shape == (2, 3, 4)
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        keras.utils.to_categorical([0, 2], 2)


def test_regularizers() -> None:
    x = np.array([[1.0, -2.0]], "float32")
    assert float(regularizers.L1(0.1)(x)) == pytest.approx(0.3)
    assert float(regularizers.get("l2")(x)) == pytest.approx(0.05)
    assert float(regularizers.L1L2(0.1, 0.2)(x)) == pytest.approx(1.3)
    assert float(regularizers.L1L2()(x)) == 0
    for bad in (float("nan"), float("inf"), "much"):
        with pytest.raises(ArgumentError, match="finite"):
            regularizers.L2(bad)
    assert regularizers.get(regularizers.serialize(regularizers.L2(0.5))).l2 == 0.5
    assert regularizers.get(None) is None


def test_activations_by_name() -> None:
    for name in activations._NAMES:
        function = activations.get(name)
        assert activations.get(activations.serialize(function)) is function
    assert activations.get(None) is activations.linear and activations.serialize(activations.swish) == "silu"
    with pytest.raises(ArgumentError, match="'rellu'.*relu"):
        activations.get("rellu")
    x = np.array([-2.0, 0.5, 9.0], "float32")
    np.testing.assert_allclose(activations.relu(x, 0.1, 6.0, 1.0), [-0.3, -0.05, 6.0], rtol=1e-6)


def test_floatx_is_the_default_dtype() -> None:
    assert keras.config.floatx() == "float32"
    keras.config.set_floatx("float64")
    try:
        layer = keras.layers.Dense(2)
        assert layer(np.zeros((1, 3), "float32")).dtype == "float64" and layer.kernel.dtype == "float64"
        assert keras.ops.zeros((2,)).dtype == "float64"
    finally:
        keras.config.set_floatx("float32")
    with pytest.raises(ArgumentError, match="floatx"):
        keras.config.set_floatx("int8")


def test_constraints_are_refused_clearly() -> None:
    with pytest.raises(UnsupportedError, match="regularizer"):
        keras.layers.Dense(2, kernel_constraint="max_norm")


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dense(0),
        lambda: keras.layers.Conv2D(4, 0),
        lambda: keras.layers.Conv2D(4, 3, padding="some"),
        lambda: keras.layers.Conv2D(4, 3, groups=3),
        lambda: keras.layers.Conv2D(4, 3, strides=2, dilation_rate=2),
        lambda: keras.layers.MaxPooling2D(-1),
        lambda: keras.layers.MaxPooling2D(2, padding="x"),
        lambda: keras.layers.BatchNormalization(momentum=float("nan")),
        lambda: keras.layers.BatchNormalization(epsilon=float("nan")),
        lambda: keras.layers.ReLU(max_value=-1),
        lambda: keras.layers.Dense(2, colour="red"),
        lambda: keras.layers.Dense(2, name="a/b"),
        lambda: keras.layers.Reshape((-1, -1)),
        lambda: keras.Input((None, -3)),
        lambda: keras.layers.Conv2D(4, 3, data_format="channels_middle"),
    ],
)
def test_bad_arguments_say_what_was_received(make: Any) -> None:
    with pytest.raises(ArgumentError, match="Received"):
        make()


def test_variables() -> None:
    v = keras.Variable(np.arange(3.0), dtype="float32", name="v")
    assert v._array.ctypes.data % 64 == 0 and v._array.flags.c_contiguous
    address = v._array.ctypes.data
    v.assign([4, 5, 6])
    v.assign_sub(np.ones(3))
    assert v._array.ctypes.data == address
    np.testing.assert_array_equal((2 * v + np.ones(3, "float32")).numpy(), [7, 9, 11])
    np.testing.assert_array_equal(v[1:].numpy(), [4, 5])
    with pytest.raises(ShapeError, match=r"'v' has shape \(3,\).*\(2,\)"):
        v.assign([1, 2])
    v.numpy()[0] = 100  # a copy
    assert float(v[0]) == 3
    with pytest.raises(ArgumentError, match="shape"):
        keras.Variable(keras.initializers.Zeros())
    with pytest.raises(ShapeError, match="known sizes"):
        keras.Variable("zeros", shape=(None, 2))
