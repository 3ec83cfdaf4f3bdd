"""Initializers that draw their values. The distributions are Keras's; the stream of numbers is our own.

With an integer seed every call gives the same values, as in Keras.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing.tensor import EagerTensor

from .constant import filled
from .initializer import Initializer

Array = np.ndarray[Any, np.dtype[Any]]
# The standard deviation of a standard normal distribution cut at two.
TRUNCATED_STDDEV = 0.87962566103423978


def make_default_seed() -> int:
    """A new seed from Python's generator, which keras.utils.set_random_seed sets."""
    import random

    return random.randint(1, int(1e9))


def draw_truncated(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal values, those beyond two drawn again."""
    values = generator.standard_normal(shape)
    flat = values.reshape(-1)
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = generator.standard_normal(outside.size)
        outside = outside[np.abs(flat[outside]) > 2]
    return values


class RandomInitializer(Initializer):
    """Base of initializers with a seed: an integer, a SeedGenerator, or None for a new one."""

    def __init__(self, seed: Any = None):
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            from ..random.seed_generator import SeedGenerator

            seed = SeedGenerator.from_config(seed.get("config", seed))
        elif not isinstance(seed, int) and not hasattr(seed, "next"):
            raise ArgumentError(f"seed is an integer, a SeedGenerator or None. Received: seed={seed!r}")
        self.seed = seed

    @property
    def repeats(self) -> bool:
        """Whether every call gives the same values, so that it does not matter when it is made."""
        return isinstance(self.seed, int)

    def generator(self) -> np.random.Generator:
        """Where this call's numbers come from."""
        if isinstance(self.seed, int):
            return np.random.Generator(np.random.Philox(abs(self.seed)))
        return np.random.Generator(np.random.Philox([int(v) for v in np.asarray(self.seed.next())]))

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._init_seed}


class RandomNormal(RandomInitializer):
    """Normal values."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        return filled(shape, self.mean + self.stddev * self.generator().standard_normal(tuple(shape)), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomInitializer):
    """Normal values, none farther from the mean than two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        return filled(shape, self.mean + self.stddev * draw_truncated(self.generator(), tuple(shape)), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class RandomUniform(RandomInitializer):
    """Uniform values from minval to maxval."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        return filled(shape, self.generator().uniform(self.minval, self.maxval, tuple(shape)), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class Orthogonal(RandomInitializer):
    """`gain` times a random matrix with orthonormal rows or columns; further axes count as rows."""

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        if len(shape) < 2:
            raise ShapeError(f"an orthogonal matrix has two axes or more. Received: shape={tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.generator().standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the distribution uniform
        return filled(shape, self.gain * (q.T if rows < columns else q).reshape(tuple(shape)), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


class VarianceScaling(RandomInitializer):
    """Variance `scale` / n, n being the inputs, the outputs or the mean of both (`mode`) of one unit.

    `distribution`: "truncated_normal", "untruncated_normal" or "uniform".
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: Any = None,
        input_axes: Any = None, output_axes: Any = None,
    ):  # fmt: skip
        super().__init__(seed)
        if not scale > 0:
            raise ArgumentError(f"scale is positive. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ArgumentError(f"mode is 'fan_in', 'fan_out' or 'fan_avg'. Received: mode={mode!r}")
        distribution = "truncated_normal" if str(distribution).lower() == "normal" else str(distribution).lower()
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ArgumentError(
                "distribution is 'truncated_normal', 'untruncated_normal' or 'uniform'. "
                f"Received: distribution={distribution!r}"
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        fan_in, fan_out = compute_fans(tuple(shape), self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        generator = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return filled(shape, generator.uniform(-limit, limit, tuple(shape)), dtype)
        if self.distribution == "untruncated_normal":
            return filled(shape, math.sqrt(variance) * generator.standard_normal(tuple(shape)), dtype)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return filled(shape, stddev * draw_truncated(generator, tuple(shape)), dtype)

    def get_config(self) -> dict[str, Any]:
        config = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config()}
        return {**config, "input_axes": self.input_axes, "output_axes": self.output_axes}


class _Scaled(VarianceScaling):
    """Base of the named ones: all but the seed is fixed."""

    fixed: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(*self.fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._init_seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (inputs + outputs)."""

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (inputs + outputs)."""

    fixed = (1.0, "fan_avg", "truncated_normal")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / inputs."""

    fixed = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance 2 / inputs."""

    fixed = (2.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / inputs."""

    fixed = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance 1 / inputs."""

    fixed = (1.0, "fan_in", "uniform")


def compute_fans(shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many inputs and outputs one unit of a kernel has; a convolution's window counts for both."""
    if not shape:
        return 1, 1
    if input_axes is not None or output_axes is not None:
        rank = len(shape)
        ins = {a % rank for a in input_axes or ()}
        outs = {a % rank for a in output_axes or ()}
        return math.prod(shape[a] for a in ins), math.prod(shape[a] for a in outs)
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window
