"""Compiled Keras models: a row's prediction is the same bits alone, among others, and on any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile import keras
from kcompile.codegen import entry
from kcompile.keras import layers

ROWS = 7


def dense() -> Any:
    return keras.Sequential(
        [keras.Input((37,)), layers.Dense(65, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def convolutions() -> Any:
    return keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            layers.Conv2D(17, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.AveragePooling2D(2),
            layers.Conv2D(8, 3, strides=2, activation="tanh"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def branches() -> Any:
    x = keras.Input((8, 8, 2))
    left = layers.MaxPooling2D(2)(layers.Conv2D(6, 3, padding="same")(x))
    right = layers.Conv2D(6, 1, strides=2)(x)
    joined = layers.Concatenate()([layers.Add()([left, right]), right])
    return keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling2D()(joined)))


def transformed_tiles() -> Any:
    """Winograd convolutions: blocks end inside images, features in parts, phases of an upsampling, a residual."""
    x = keras.Input((10, 11, 16))
    y = layers.Conv2D(48, 3, padding="same", activation="relu")(x)
    y = layers.Add()([y, layers.Conv2D(48, 3, padding="same")(y)])
    y = layers.MaxPooling2D(2)(layers.Conv2D(33, 3, activation="relu")(y))
    y = layers.Conv2D(128, 3, padding="same")(layers.UpSampling2D(2)(y))
    y = layers.Conv2D(96, 3, padding="same", activation="relu")(y)  # 1.8 MB: workers share out the features
    return keras.Model(x, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(y)))


def transformer() -> Any:
    x = y = keras.Input((37, 12))
    y = layers.LayerNormalization()(layers.Add()([y, layers.MultiHeadAttention(2, 5)(y, y, use_causal_mask=True)]))
    y = layers.LayerNormalization()(layers.Add()([y, layers.Dense(12)(layers.Dense(40, activation="gelu")(y))]))
    return keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling1D()(y)))


def words() -> Any:
    x = y = keras.Input((9,), dtype="int32")
    y = layers.Embedding(11, 20, mask_zero=True)(y)
    y = layers.Bidirectional(layers.LSTM(17, return_sequences=True))(y)
    return keras.Model(x, layers.Dense(3)(layers.GRU(5)(y)))


def recurrence() -> Any:
    x = keras.Input((7, 12))
    return keras.Model(x, layers.SimpleRNN(19)(layers.GRU(33, return_sequences=True)(x)))


MODELS: dict[str, Callable[[], Any]] = {
    "dense": dense, "convolutions": convolutions, "branches": branches, "tiles": transformed_tiles,
    "transformer": transformer, "words": words, "recurrence": recurrence,
}  # fmt: skip


def model_and_input(name: str) -> tuple[Any, np.ndarray]:
    keras.utils.set_random_seed(8)
    model = MODELS[name]()
    shape = (ROWS, *model.input_shape[1:])
    rng = np.random.default_rng(4)
    if model.inputs[0].dtype == "int32":
        return model, rng.integers(0, 11, shape).astype(np.int32)
    return model, rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_its_rows(name: str) -> None:
    model, x = model_and_input(name)
    fast = kcompile.compile(model, threads=1)
    whole = fast(x)
    assert np.isfinite(whole).all() and np.ptp(whole) > 0
    for i in range(ROWS):
        assert whole[i : i + 1].tobytes() == fast(x[i : i + 1]).tobytes()
    assert whole.tobytes() == np.concatenate([fast(x[:5]), fast(x[5:])]).tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_threads_change_no_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)  # the team is asked for the smallest model too
    model, x = model_and_input(name)
    x = np.repeat(x, 8, axis=0)
    alone = kcompile.compile(model, threads=1)(x)
    for threads in (2, 3):
        assert alone.tobytes() == kcompile.compile(model, threads=threads)(x).tobytes()


@pytest.mark.parametrize(("name", "threads"), [("convolutions", 2), ("convolutions", 3), ("tiles", 3)])
def test_training_gives_the_same_bits_on_any_team(name: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums over the batch (losses, gradients, statistics) have an order that no team changes."""
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)
    weights = []
    for team in (1, threads):
        monkeypatch.setenv("KCOMPILE_THREADS", str(team))
        model, x = model_and_input(name)
        x = np.repeat(x, 4, axis=0)
        model.compile("adam", "sparse_categorical_crossentropy")
        for _ in range(3):
            model.train_on_batch(x, np.arange(len(x)) % 5)
        weights.append([w.tobytes() for w in model.get_weights()])
    assert weights[0] == weights[1]
