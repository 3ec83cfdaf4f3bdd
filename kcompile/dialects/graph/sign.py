"""Unary functions that look at sign, integer part or class of a number."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, Type

from .dialect import Array, bits, floating, graph, numeric, signed, zero_gradient
from .sampling import BITS, FLOATS, NUMBERS, SIGNED, elementwise
from .tolerance import exact


@graph.op("neg", ins="x", traits="pure elementwise linear")
class Neg:
    """-x; integers wrap around."""

    infer = numeric
    reference = np.negative

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.neg(ct)]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.neg(x)

    stablehlo = "stablehlo.negate"
    samples = elementwise(1, NUMBERS)
    tolerance = exact


@graph.op("abs", ins="x", traits="pure elementwise")
class Abs:
    """The magnitude of x; the least integer of a type stays itself."""

    infer = signed
    reference = np.abs

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.mul(ct, b.sign(op.operands[0]))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.abs(x)

    stablehlo = "stablehlo.abs"
    samples = elementwise(1, FLOATS + SIGNED)
    tolerance = exact


@graph.op("sign", ins="x", traits="pure elementwise")
class Sign:
    """-1, 0 or 1 as x is; nan for nan. Its gradient is zero."""

    infer = signed
    reference = np.sign

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        one = b.select(b.cmp("lt", x, 0), b.constant(-1, x.type), b.constant(1, x.type))
        return b.select(b.or_(b.cmp("lt", x, 0), b.cmp("gt", x, 0)), one, x)

    vjp = zero_gradient
    stablehlo = "stablehlo.sign"
    samples = elementwise(1, FLOATS + SIGNED)
    tolerance = exact


@graph.op("floor", ins="x", traits="pure elementwise")
class Floor:
    """The nearest whole number below. Its gradient is zero."""

    infer = floating
    reference = np.floor

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.floor(x)

    vjp = zero_gradient
    stablehlo = "stablehlo.floor"
    samples = elementwise(1, FLOATS)
    tolerance = exact


@graph.op("ceil", ins="x", traits="pure elementwise")
class Ceil:
    """The nearest whole number above. Its gradient is zero."""

    infer = floating
    reference = np.ceil

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.ceil(x)

    vjp = zero_gradient
    stablehlo = "stablehlo.ceil"
    samples = elementwise(1, FLOATS)
    tolerance = exact


@graph.op("round_even", ins="x", traits="pure elementwise")
class RoundEven:
    """The nearest whole number, halves to the even one. Its gradient is zero."""

    infer = floating
    reference = np.rint

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.round_even(x)

    vjp = zero_gradient
    stablehlo = "stablehlo.round_nearest_even"
    samples = elementwise(1, FLOATS)
    tolerance = exact


@graph.op("is_finite", ins="x", traits="pure elementwise")
class IsFinite:
    """Whether x is neither inf nor nan."""

    def infer(x: Type) -> TensorType:
        return TensorType(floating(x).shape, t.i1)

    reference = np.isfinite

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.is_finite(x)

    vjp = zero_gradient
    stablehlo = "stablehlo.is_finite"
    samples = elementwise(1, FLOATS)
    tolerance = exact


@graph.op("not", ins="x", traits="pure elementwise")
class Not:
    """The opposite truth value; of an integer, each of its bits."""

    infer = bits

    def reference(x: Array) -> Array:
        return np.asarray(np.invert(x))

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.not_(x)

    vjp = zero_gradient
    stablehlo = "stablehlo.not"
    samples = elementwise(1, BITS)
    tolerance = exact
