"""Small models and data that the tests of training share."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile import keras
from kcompile.keras import layers

Array = np.ndarray[Any, Any]


def blobs(n: int = 120, seed: int = 0) -> tuple[Array, Array]:
    """Points in the plane around three centres, and which centre."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    centres = np.array([[2, 0], [-2, 1], [0, -2]], np.float32)
    return (centres[labels] + 0.4 * rng.normal(size=(n, 2))).astype(np.float32), labels


def classifier(seed: int = 1, **compile_arguments: Any) -> Any:
    """2 -> 8 -> 3, compiled with Adam and sparse crossentropy."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")]
    )
    arguments = {
        "optimizer": keras.optimizers.Adam(0.05),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    model.compile(**{**arguments, **compile_arguments})
    return model


def line(**compile_arguments: Any) -> Any:
    """y = w x + b, from 0, compiled with plain SGD and the squared error."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **compile_arguments})
    return model
