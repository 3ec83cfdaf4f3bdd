"""Networks that go down and up again: what their kernels share, leave out and put together changes no result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile import keras

L = keras.layers


def unet() -> Any:
    """Pooling and skips: pooled in tiles, parts of a concatenation read in place, transposed convolutions in phases."""
    x = inputs = keras.Input((16, 16, 2))
    x = skip = L.Conv2D(16, 3, padding="same", activation="relu")(L.Conv2D(16, 3, padding="same")(x))
    x = L.Conv2D(32, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(x))
    x = L.Conv2DTranspose(16, 2, strides=2, padding="same")(x)
    x = L.Conv2D(16, 3, padding="same", activation="relu")(L.Concatenate()([x, skip]))
    return keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(x))


def autoencoder() -> Any:
    """Strides, a transposed convolution, an upsampling, batch norms, and three channels at the end."""
    x = inputs = keras.Input((16, 16, 3))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, strides=2, padding="same")(x)))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, strides=2, padding="same")(x)))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2DTranspose(16, 3, strides=2, padding="same")(x)))
    x = L.ReLU()(L.Conv2D(16, 3, padding="same")(L.UpSampling2D(2)(x)))
    return keras.Model(inputs, L.Conv2D(3, 3, padding="same", activation="sigmoid")(x))


MODELS = {"unet": unet, "autoencoder": autoencoder}


def images(model: Any, count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, *model.input_shape[1:])).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_steps_are_those_of_the_interpreter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for engine in ("interpreter", "native"):
        monkeypatch.setenv("KCOMPILE_ENGINE", engine)
        keras.utils.set_random_seed(7)
        model = MODELS[name]()
        model.compile(keras.optimizers.SGD(0.1), "mse")
        x = images(model, 5)
        y = np.random.default_rng(4).random((5, *model.output_shape[1:])).astype(np.float32)
        losses = [float(model.train_on_batch(x, y)) for _ in range(3)]
        found.append([np.array(losses), model.predict_on_batch(x), *model.get_weights()])
    for expected, received in zip(*found, strict=True):
        # sums of a thousand terms near 1 in another order, through three steps
        np.testing.assert_allclose(received, expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_images_and_workers_do_not_matter(name: str) -> None:
    keras.utils.set_random_seed(7)
    model = MODELS[name]()
    x = images(model, 5)
    alone = np.concatenate([kcompile.compile(model, threads=1)(x[i : i + 1]) for i in range(5)])
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(kcompile.compile(model, threads=threads)(x), alone)
