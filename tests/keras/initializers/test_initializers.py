"""Initializers: distributions, seeds, configs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import initializers

N = 200  # rows and columns of the drawn matrices
# A mean of n values of standard deviation s is within 5 s / sqrt(n) all but once in two million runs.
TOLERANCE = 5 / N

SCALED = {
    "glorot_uniform": 1 / N, "glorot_normal": 1 / N, "he_normal": 2 / N, "he_uniform": 2 / N, "lecun_normal": 1 / N,
    "lecun_uniform": 1 / N, "variance_scaling": 1 / N,
}  # fmt: skip


@pytest.mark.parametrize("name", SCALED)
def test_variance_follows_the_fans(name: str) -> None:
    values = initializers.get(name)((N, N)).numpy()
    stddev = math.sqrt(SCALED[name])
    assert abs(values.mean()) < TOLERANCE * stddev
    # the relative error of a standard deviation of n values is about 1 / sqrt(2 n)
    assert abs(values.std() / stddev - 1) < TOLERANCE
    limit = stddev * math.sqrt(3) if "uniform" in name else 2 * stddev / 0.87962566103423978
    assert np.abs(values).max() <= limit * (1 + 1e-6)


def test_windows_count_for_fans() -> None:
    kernel = initializers.GlorotUniform(seed=0)((3, 3, 50, 100)).numpy()
    assert abs(kernel.std() / math.sqrt(2 / (9 * 150)) - 1) < 0.03


def test_plain_distributions() -> None:
    normal = initializers.RandomNormal(1.0, 0.5)((N, N)).numpy()
    assert abs(normal.mean() - 1) < TOLERANCE * 0.5 and abs(normal.std() / 0.5 - 1) < TOLERANCE
    uniform = initializers.RandomUniform(-1, 3)((N, N)).numpy()
    assert uniform.min() >= -1 and uniform.max() <= 3 and abs(uniform.mean() - 1) < TOLERANCE * 4 / math.sqrt(12)
    cut = initializers.TruncatedNormal(0.0, 2.0)((N, N)).numpy()
    assert np.abs(cut).max() <= 4 and abs(cut.std() / (2 * 0.87962566103423978) - 1) < TOLERANCE


@pytest.mark.parametrize("shape", [(4, 4), (7, 3), (3, 7), (2, 2, 5)])
def test_orthogonal_is_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = initializers.Orthogonal(gain=2.0)(shape).numpy().reshape(-1, shape[-1])
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_known_values() -> None:
    np.testing.assert_array_equal(initializers.Zeros()((2,)), [0, 0])
    np.testing.assert_array_equal(initializers.get("ones")((2,), dtype="int32"), [1, 1])
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2)), [[1, 2], [1, 2]])
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        initializers.Constant([1, 2, 3])((2,))


def test_seeds() -> None:
    same = initializers.GlorotUniform(seed=7)
    np.testing.assert_array_equal(same((3, 3)), same((3, 3)))
    np.testing.assert_array_equal(same((3, 3)), initializers.GlorotUniform(seed=7)((3, 3)))
    assert not np.array_equal(same((3, 3)), initializers.GlorotUniform(seed=8)((3, 3)))
    assert not np.array_equal(initializers.HeNormal()((3, 3)), initializers.HeNormal()((3, 3)))
    moving = initializers.RandomNormal(seed=keras.random.SeedGenerator(3))
    assert not np.array_equal(moving((3, 3)), moving((3, 3)))

    def weights() -> Any:
        keras.utils.set_random_seed(5)
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)]).get_weights()

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cls", initializers._ALL, ids=lambda c: c.__name__)
def test_configs_come_back(cls: Any) -> None:
    made = cls(**({"seed": 3} if "seed" in cls().get_config() else {}))
    data = json.loads(json.dumps(initializers.serialize(made)))
    assert (data["module"], data["class_name"]) == ("keras.initializers", cls.__name__)
    again = initializers.get(data)
    assert type(again) is cls and again.get_config() == made.get_config()
    np.testing.assert_array_equal(again((3, 3)), made((3, 3)))


def test_mistakes() -> None:
    with pytest.raises(ArgumentError, match="'nothing'.*glorot_uniform"):
        initializers.get("nothing")
    with pytest.raises(ArgumentError, match="scale"):
        initializers.VarianceScaling(scale=float("nan"))
    with pytest.raises(ArgumentError, match="mode"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ArgumentError, match="seed"):
        initializers.GlorotUniform(seed="a")


def test_any_function_initializes() -> None:
    layer = keras.layers.Dense(2, kernel_initializer=lambda shape, dtype=None: np.full(shape, 3, dtype))
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.kernel.numpy(), np.full((2, 2), 3))
