"""Binary operations on the bits of integers, and on truth values."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t

from .dialect import Array, bits, graph, integral, zero_gradient
from .sampling import BITS, INTEGERS, Case, Rng, Samples, case, shape, values
from .tolerance import exact


def _pairs(rng: Rng, element: t.Type) -> Case:
    dims = shape(rng)
    return case(element, values(rng, dims, element), values(rng, dims, element))


def _shifts(rng: Rng, element: t.Type) -> Case:
    dims = shape(rng)
    amounts = rng.integers(0, t.bitwidth(element) + 3, dims).astype(t.to_numpy(element))
    return case(element, values(rng, dims, element), amounts)


@graph.op("and", ins="x y", traits="pure elementwise commutative")
class And:
    """Both; of integers, bit by bit."""

    infer = bits
    reference = np.bitwise_and

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.and_(x, y)

    vjp = zero_gradient
    stablehlo = "stablehlo.and"
    samples = Samples(BITS, _pairs)
    tolerance = exact


@graph.op("or", ins="x y", traits="pure elementwise commutative")
class Or:
    """Either or both; of integers, bit by bit."""

    infer = bits
    reference = np.bitwise_or

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.or_(x, y)

    vjp = zero_gradient
    stablehlo = "stablehlo.or"
    samples = Samples(BITS, _pairs)
    tolerance = exact


@graph.op("xor", ins="x y", traits="pure elementwise commutative")
class Xor:
    """One but not both; of integers, bit by bit."""

    infer = bits
    reference = np.bitwise_xor

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.xor(x, y)

    vjp = zero_gradient
    stablehlo = "stablehlo.xor"
    samples = Samples(BITS, _pairs)
    tolerance = exact


def _in_range(y: Array) -> Array:
    """Whether a shift by y is shorter than the element; amounts count as unsigned."""
    return np.asarray((y >= 0) & (y < 8 * y.dtype.itemsize))


@graph.op("shl", ins="x y", traits="pure elementwise")
class Shl:
    """x shifted left by y bits, zeros come in; 0 when y, read as unsigned, is the width or more."""

    infer = integral

    def reference(x: Array, y: Array) -> Array:
        short = _in_range(y)
        return np.where(short, np.left_shift(x, np.where(short, y, 0).astype(y.dtype)), 0).astype(x.dtype)

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.select(b.cmp("lt", y, t.bitwidth(x.type), unsigned=True), b.shl(x, y), 0)

    vjp = zero_gradient
    stablehlo = "stablehlo.shift_left"
    samples = Samples(INTEGERS, _shifts)
    tolerance = exact


@graph.op("shr_arith", ins="x y", traits="pure elementwise")
class ShrArith:
    """x shifted right by y bits, copies of the top bit come in, for unsigned x too."""

    infer = integral

    def reference(x: Array, y: Array) -> Array:
        width = 8 * x.dtype.itemsize
        as_signed = x.view(f"i{x.dtype.itemsize}")
        amount = np.where(_in_range(y), y, width - 1).astype(as_signed.dtype)
        return np.asarray(np.right_shift(as_signed, amount)).view(x.dtype)

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.shr(x, b.min(y, t.bitwidth(x.type) - 1, unsigned=True))

    vjp = zero_gradient
    stablehlo = "stablehlo.shift_right_arithmetic"
    samples = Samples(INTEGERS, _shifts)
    tolerance = exact


@graph.op("shr_logical", ins="x y", traits="pure elementwise")
class ShrLogical:
    """x shifted right by y bits, zeros come in, for signed x too."""

    infer = integral

    def reference(x: Array, y: Array) -> Array:
        short = _in_range(y)
        as_unsigned = x.view(f"u{x.dtype.itemsize}")
        amount = np.where(short, y, 0).astype(as_unsigned.dtype)
        return np.where(short, np.right_shift(as_unsigned, amount), 0).astype(as_unsigned.dtype).view(x.dtype)

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.select(b.cmp("lt", y, t.bitwidth(x.type), unsigned=True), b.shr(x, y, unsigned=True), 0)

    vjp = zero_gradient
    stablehlo = "stablehlo.shift_right_logical"
    samples = Samples(INTEGERS, _shifts)
    tolerance = exact
