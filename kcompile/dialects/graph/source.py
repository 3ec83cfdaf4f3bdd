"""Sources: constants, counters, random bits."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, Type

from . import sampling
from .dialect import NONE, Array, graph, signless, tensor, zero_gradient
from .sampling import EVERYTHING, NUMBERS, Case, Samples
from .tolerance import exact


def _draw_constant(rng: sampling.Rng, element: Type) -> Case:
    array = sampling.values(rng, sampling.shape(rng), element)
    return Case([], [], {"value": DenseAttr(array, TensorType(array.shape, element))})


@graph.op("constant", traits="pure source")
class Constant:
    """A tensor that is known while compiling: the attribute `value`."""

    def infer(*, value: DenseAttr) -> TensorType:
        return tensor(value.type)

    def reference(*, value: Any) -> Array:
        return np.asarray(value.value if isinstance(value, DenseAttr) else value)

    vjp = zero_gradient
    lower = "constant"
    stablehlo = "stablehlo.constant"
    samples = Samples(EVERYTHING, _draw_constant)
    tolerance = exact


def _draw_iota(rng: sampling.Rng, element: Type) -> Case:
    shape = sampling.shape(rng, 1)
    return Case([], [], {"shape": shape, "axis": int(rng.integers(len(shape))), "dtype": element})


@graph.op("iota", traits="pure source")
class Iota:
    """A tensor of `shape` that counts 0, 1, 2, .. along `axis`. `scalar` takes the index along the axis."""

    def infer(*, shape: tuple[Dim, ...], axis: int, dtype: Type) -> TensorType:
        if not 0 <= axis < len(shape):
            raise ShapeError(f"'axis' is from 0 to {len(shape) - 1}. Received: axis={axis}, shape={shape}")
        if dtype is t.i1 or not (t.is_float(dtype) or t.is_integer(dtype)):
            raise IRError(f"counts in numbers. Received: dtype={dtype}")
        return TensorType(tuple(shape), dtype)

    def reference(*, shape: tuple[int, ...], axis: int, dtype: Type) -> Array:
        count = np.arange(shape[axis]).astype(t.to_numpy(dtype))
        return np.broadcast_to(count.reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape).copy()

    def scalar(b: Any, index: Any, *, dtype: Type, unsigned: bool = False, **_: Any) -> Any:
        return b.cast(index, signless(dtype))

    vjp = zero_gradient
    stablehlo = "stablehlo.iota"
    samples = Samples(NUMBERS, _draw_iota)
    tolerance = exact


# Threefry-2x32 with 20 rounds: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def _draw_rng_bits(rng: sampling.Rng, element: Type) -> Case:
    key = rng.integers(0, 2**32, 2, np.uint32)
    return Case([key], [TensorType((2,), t.ui32)], {"shape": sampling.shape(rng)})


@graph.op("rng_bits", ins="key", traits="pure source")
class RngBits:
    """Random bits: Threefry-2x32 of (0, i) under `key` for the flat index i of each element, its two halves xored.

    The key is ui32[2]; the same key always gives the same bits, element by element. `scalar` takes the two words of the
    key and the flat index as an i32, and gives an i32.
    """

    def infer(key: Type, *, shape: tuple[Dim, ...]) -> TensorType:
        if key is not TensorType((2,), t.ui32):
            raise IRError(f"needs a key of type tensor<2xui32>. Received: {key}")
        return TensorType(tuple(shape), t.ui32)

    def reference(key: Array, *, shape: tuple[int, ...]) -> Array:
        count = np.arange(int(np.prod(shape)), dtype=np.uint64).reshape(shape)
        low, high = (count & np.uint64(0xFFFFFFFF)).astype(np.uint32), (count >> np.uint64(32)).astype(np.uint32)
        k = [np.uint32(key[0]), np.uint32(key[1]), np.uint32(key[0]) ^ np.uint32(key[1]) ^ np.uint32(_PARITY)]
        x, y = high + k[0], low + k[1]
        for group in range(5):
            for r in _ROTATIONS[group % 2]:
                x = x + y
                y = ((y << np.uint32(r)) | (y >> np.uint32(32 - r))) ^ x
            x = x + k[(group + 1) % 3]
            y = y + k[(group + 2) % 3] + np.uint32(group + 1)
        return np.asarray(x ^ y)

    def scalar(b: Any, key0: Any, key1: Any, index: Any, *, unsigned: bool = True, **_: Any) -> Any:
        parity = b.constant(_PARITY, t.i32)
        k = [key0, key1, b.xor(b.xor(key0, key1), parity)]
        x, y = k[0], b.add(index, k[1])
        for group in range(5):
            for r in _ROTATIONS[group % 2]:
                x = b.add(x, y)
                y = b.xor(b.or_(b.shl(y, r), b.shr(y, 32 - r, unsigned=True)), x)
            x = b.add(x, k[(group + 1) % 3])
            y = b.add(b.add(y, k[(group + 2) % 3]), group + 1)
        return b.xor(x, y)

    vjp = zero_gradient
    stablehlo = NONE  # stablehlo.rng_bit_generator leaves the layout of its counters open
    samples = Samples((t.ui32,), _draw_rng_bits)
    tolerance = exact
