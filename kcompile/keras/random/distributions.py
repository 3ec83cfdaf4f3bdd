"""Random tensors. Every element is a function of the key and its own index: threads change nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.ir import types as t
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, broadcast_to, cast, constant, convert
from kcompile.tracing.dtypes import is_float, standardize_dtype
from kcompile.tracing.tensor import EagerTensor, Tensor

from .seed_generator import draw_seed


def _dims(shape: Any) -> tuple[Any, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _float_dtype(dtype: Any) -> str:
    name = standardize_dtype(dtype)
    if not is_float(name):
        raise ArgumentError(f"random floats need a float dtype. Received: dtype={dtype}")
    return name


def unit_uniform(key: Tensor, dims: tuple[Any, ...]) -> Tensor:
    """float32 values in [0, 1), 23 random bits each."""
    bits = bind("rng_bits", key, shape=dims)
    shift = broadcast_to(constant(9, t.ui32), dims)
    exponent = broadcast_to(constant(0x3F800000, t.ui32), dims)  # the bits of 1.0
    return a.subtract(bind("bitcast", bind("or", bind("shr_logical", bits, shift), exponent), dtype=t.f32), 1.0)


def _half_keys(key: Tensor) -> tuple[Tensor, Tensor]:
    """Two keys from one: draws under them are independent."""
    other = EagerTensor(np.array([0x9E3779B9, 0], np.uint32))  # any fixed difference does
    return key, bind("xor", key, other)


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values in [minval, maxval)."""
    drawn = unit_uniform(draw_seed(seed), _dims(shape))
    return cast(a.add(a.multiply(drawn, a.subtract(maxval, minval)), minval), _float_dtype(dtype))


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values of the normal distribution (Box and Muller's method)."""
    dims = _dims(shape)
    first, second = _half_keys(draw_seed(seed))
    radius = bind("sqrt", a.multiply(bind("log", a.subtract(1.0, unit_uniform(first, dims))), -2.0))
    angle = a.multiply(unit_uniform(second, dims), 2 * math.pi)
    drawn = a.multiply(radius, bind("cos", angle))
    return cast(a.add(a.multiply(drawn, stddev), mean), _float_dtype(dtype))


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normal values within two standard deviations; outside traces only, where values can be drawn until one fits."""
    from ..initializers.random import draw_truncated

    key = draw_seed(seed)
    if not isinstance(key, EagerTensor) or any(not isinstance(d, int) for d in _dims(shape)):
        raise UnsupportedError(
            "keras.random.truncated_normal runs outside compiled functions only; use keras.random.normal"
        )
    generator = np.random.Generator(np.random.Philox([int(v) for v in key.array]))
    drawn = draw_truncated(generator, _dims(shape))
    return EagerTensor(np.asarray(mean) + np.asarray(stddev) * drawn, _float_dtype(dtype))


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Integers in [minval, maxval)."""
    name = standardize_dtype(dtype)
    if is_float(name) or not maxval > minval:
        raise ArgumentError(
            f"randint needs an integer dtype and minval < maxval. Received: {dtype}, {minval}, {maxval}"
        )
    bits = bind("rng_bits", draw_seed(seed), shape=_dims(shape))
    inside = bind("rem", bits, broadcast_to(constant(int(maxval) - int(minval), t.ui32), bits.dims))
    return a.add(cast(inside, name), broadcast_to(constant(int(minval), t.from_numpy(np.dtype(name))), bits.dims))


def bernoulli(shape: Any, probability: float, seed: Any = None) -> Tensor:
    """bool: true with this probability."""
    return a.less(unit_uniform(draw_seed(seed), _dims(shape)), float(probability))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Each element 0 with probability `rate`, else over (1 - rate).

    `noise_shape` has 1 where one decision serves a whole axis, and None where it is as the input.
    """
    x = convert(inputs)
    dims = (
        x.dims
        if noise_shape is None
        else tuple(x.dims[i] if d is None or d == -1 else d for i, d in enumerate(noise_shape))
    )
    keep = broadcast_to(bernoulli(dims, 1.0 - rate, seed), x.dims)
    return bind("select", keep, a.multiply(x, 1.0 / (1.0 - rate)), a.zeros_of(x))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Indices drawn by unnormalized log-probabilities (batch, classes): (batch, num_samples)."""
    x = convert(logits)
    spread = bind("broadcast_in_dim", x, shape=(x.dims[0], num_samples, x.dims[1]), dims=(0, 2))
    noise = a.negative(bind("log", a.negative(bind("log", a.add(unit_uniform(draw_seed(seed), spread.dims), 1e-20)))))
    return cast(bind("arg_reduce", a.add(spread, noise), axis=2, kind="max", dtype=t.i32), standardize_dtype(dtype))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along `axis` in random order; outside traces only."""
    x, key = convert(x), draw_seed(seed)
    if not isinstance(x, EagerTensor) or not isinstance(key, EagerTensor):
        raise UnsupportedError("keras.random.shuffle runs outside compiled functions only; shuffle the data before")
    generator = np.random.Generator(np.random.Philox([int(v) for v in key.array]))
    return EagerTensor(
        generator.permuted(x.array, axis=axis) if x.ndim == 1 else generator.permutation(x.array, axis=axis), x.element
    )
