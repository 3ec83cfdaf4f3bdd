"""Random tensors: distributions, seeds as state, dropout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError
from kcompile.keras import random
from kcompile.tracing import TensorSpec, trace_function

COUNT = 40_000
FIVE_SIGMA = 5 / math.sqrt(COUNT)


def test_uniform_and_normal() -> None:
    u = random.uniform((COUNT,), -1.0, 3.0, seed=1).numpy()
    assert u.min() >= -1 and u.max() < 3
    assert abs(u.mean() - 1) < FIVE_SIGMA * 4 / math.sqrt(12) and abs(u.std() / (4 / math.sqrt(12)) - 1) < FIVE_SIGMA
    n = random.normal((COUNT,), 2.0, 0.5, seed=1).numpy()
    assert abs(n.mean() - 2) < FIVE_SIGMA * 0.5 and abs(n.std() / 0.5 - 1) < FIVE_SIGMA
    assert abs((np.abs(n - 2) < 0.5).mean() - 0.6827) < FIVE_SIGMA * 0.47  # the normal distribution's one sigma
    cut = random.truncated_normal((COUNT,), seed=1).numpy()
    assert np.abs(cut).max() <= 2 and abs(cut.std() / 0.87962566103423978 - 1) < FIVE_SIGMA


def test_randint_and_categorical() -> None:
    drawn = random.randint((COUNT,), -2, 3, seed=4).numpy()
    assert set(drawn.tolist()) == {-2, -1, 0, 1, 2}
    assert abs((drawn == 0).mean() - 0.2) < FIVE_SIGMA * 0.4
    picks = random.categorical(np.log(np.array([[0.7, 0.1, 0.2]], "float32")), COUNT, seed=2).numpy()
    assert abs((picks == 0).mean() - 0.7) < FIVE_SIGMA * 0.46


def test_a_number_repeats_a_generator_moves_on() -> None:
    np.testing.assert_array_equal(random.uniform((4,), seed=3), random.uniform((4,), seed=3))
    generator = random.SeedGenerator(3)
    first, second = random.uniform((4,), seed=generator).numpy(), random.uniform((4,), seed=generator).numpy()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, random.uniform((4,), seed=random.SeedGenerator(3)).numpy())
    np.testing.assert_array_equal(generator.state.numpy(), [3, 2])
    assert not np.array_equal(random.uniform((4,)).numpy(), random.uniform((4,)).numpy())


def test_global_draws_repeat_after_set_random_seed() -> None:
    def draw() -> Any:
        keras.utils.set_random_seed(11)
        return random.normal((4,)).numpy()

    np.testing.assert_array_equal(draw(), draw())


def test_dropout_keeps_the_mean() -> None:
    x = np.ones((200, 200), "float32")
    y = random.dropout(x, 0.25, seed=5).numpy()
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < FIVE_SIGMA * 0.44
    rows = random.dropout(x, 0.5, noise_shape=(None, 1), seed=5).numpy()
    assert ((rows == 0).all(1) | (rows != 0).all(1)).all() and 0 < (rows == 0).mean() < 1


def test_seeds_are_state_of_traced_functions() -> None:
    layer = keras.layers.Dropout(0.5, seed=1)
    traced = trace_function(lambda x: layer(x, training=True), [TensorSpec((None, 8))])
    assert traced.arguments[1].role == "state" and traced.arguments[1].variable is layer.seed_generator.state
    assert layer.variables[0] is layer.seed_generator.state and layer.weights == []


def test_mistakes() -> None:
    with pytest.raises(ArgumentError, match="seed"):
        random.uniform((2,), seed=1.5)
    with pytest.raises(ArgumentError, match="float dtype"):
        random.normal((2,), dtype="int32")
    for rate in (-0.1, 1.5, float("nan"), "half"):
        with pytest.raises(ArgumentError, match="rate"):
            keras.layers.Dropout(rate)
