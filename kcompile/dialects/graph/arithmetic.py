"""Binary arithmetic on operands of one type."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value

from .dialect import Array, floating, graph, numeric, ordered
from .sampling import EVERYTHING, FLOATS, NUMBERS, elementwise
from .tolerance import exact, ulp

TRAITS = "pure elementwise"


@graph.op("add", ins="x y", traits=f"{TRAITS} commutative linear")
class Add:
    """x + y; integers wrap around."""

    infer = numeric
    reference = np.add

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [ct, ct]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.add(x, y)

    stablehlo = "stablehlo.add"
    samples = elementwise(2, NUMBERS)
    tolerance = exact


@graph.op("sub", ins="x y", traits=f"{TRAITS} linear")
class Sub:
    """x - y; integers wrap around."""

    infer = numeric
    reference = np.subtract

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [ct, b.neg(ct)]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.sub(x, y)

    stablehlo = "stablehlo.subtract"
    samples = elementwise(2, NUMBERS)
    tolerance = exact


@graph.op("mul", ins="x y", traits=f"{TRAITS} commutative")
class Mul:
    """x * y; integers wrap around."""

    infer = numeric
    reference = np.multiply

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, y = op.operands
        return [b.mul(ct, y), b.mul(ct, x)]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.mul(x, y)

    stablehlo = "stablehlo.multiply"
    samples = elementwise(2, NUMBERS)
    tolerance = exact


def _truncated_division(x: Array, y: Array) -> tuple[Array, Array]:
    """Quotient towards zero and rest of integers; x / 0 = -1 (all ones) with rest x."""
    safe = np.where(y == 0, np.asarray(1, y.dtype), y)
    rest = np.fmod(x, safe)
    least = y.dtype.kind == "i" and (y == -1)  # the one quotient that overflows, and no other
    quotient = np.where(least, np.negative(x), np.floor_divide(x - rest, np.where(least, np.asarray(1, y.dtype), safe)))
    rest = np.where(least, np.asarray(0, x.dtype), rest)
    ones = np.asarray(-1).astype(x.dtype)
    return np.where(y == 0, ones, quotient).astype(x.dtype), np.where(y == 0, x, rest).astype(x.dtype)


@graph.op("div", ins="x y", traits=TRAITS)
class Div:
    """x / y. Integers are divided towards zero; x / 0 is -1 (all bits one), and the least integer / -1 is itself."""

    infer = numeric

    def reference(x: Array, y: Array) -> Array:
        return np.divide(x, y) if x.dtype.kind == "f" else _truncated_division(x, y)[0]

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        quotient = b.div(ct, op.operands[1])
        return [quotient, b.neg(b.mul(quotient, op.result))]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        if t.is_float(x.type):
            return b.div(x, y)
        zero = b.cmp("eq", y, 0)
        if unsigned:
            return b.select(zero, b.constant(-1, x.type), b.div(x, b.select(zero, 1, y), unsigned=True))
        least = b.cmp("eq", y, -1)
        quotient = b.div(x, b.select(b.or_(zero, least), 1, y))
        return b.select(zero, b.constant(-1, x.type), b.select(least, b.neg(x), quotient))

    stablehlo = "stablehlo.divide"
    samples = elementwise(2, NUMBERS)
    tolerance = exact


@graph.op("rem", ins="x y", traits=TRAITS)
class Rem:
    """x - y * trunc(x / y): the rest, with the sign of x. Of integers, x rem 0 is x."""

    infer = numeric

    def reference(x: Array, y: Array) -> Array:
        return np.fmod(x, y) if x.dtype.kind == "f" else _truncated_division(x, y)[1]

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        quotient = b.div(op.operands[0], op.operands[1])
        whole = b.mul(b.sign(quotient), b.floor(b.abs(quotient)))
        return [ct, b.neg(b.mul(ct, whole))]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        if t.is_float(x.type):
            return b.rem(x, y)
        zero = b.cmp("eq", y, 0)
        if unsigned:
            return b.select(zero, x, b.rem(x, b.select(zero, 1, y), unsigned=True))
        # y = -1 leaves no rest, and would overflow for the least integer
        rest = b.rem(x, b.select(b.or_(zero, b.cmp("eq", y, -1)), 1, y))
        return b.select(zero, x, rest)

    stablehlo = "stablehlo.remainder"
    samples = elementwise(2, NUMBERS)
    tolerance = exact


def _integer_power(x: Array, y: Array) -> Array:
    """x^y by squaring, wrapping around; negative exponents give 1 for 1, +-1 for -1, else 0."""
    result = np.ones_like(x)
    base, exponent = x.copy(), y.copy()
    for _ in range(8 * x.dtype.itemsize):
        result = np.where(exponent & 1 == 1, result * base, result).astype(x.dtype)
        base, exponent = base * base, exponent >> 1
    if x.dtype.kind == "u":
        return result
    unit = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y & 1), 0)).astype(x.dtype)
    return np.where(y < 0, unit, result)


@graph.op("pow", ins="x y", traits=TRAITS)
class Pow:
    """x^y. Integers wrap around, and give 0 for negative exponents unless x is 1 or -1."""

    infer = numeric

    def reference(x: Array, y: Array) -> Array:
        return np.power(x, y) if x.dtype.kind == "f" else _integer_power(x, y)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, y = op.operands
        constant = b.compare(y, 0.0, direction="eq")
        slope = b.mul(y, b.pow(x, b.select(constant, 1.0, b.sub(y, 1.0))))
        at_zero = b.compare(x, 0.0, direction="eq")  # 0^y stays 0: the logarithm's -inf must not leak
        return [b.mul(ct, slope), b.mul(ct, b.mul(b.log(b.select(at_zero, 1.0, x)), op.result))]

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        if t.is_float(x.type):
            return b.pow(x, y)
        result, base = b.constant(1, x.type), x
        width = t.bitwidth(x.type)
        for i in range(width):
            odd = b.cmp("ne", b.and_(b.shr(y, i, unsigned=True), 1), 0)
            result = b.select(odd, b.mul(result, base), result)
            base = b.mul(base, base)
        if unsigned:
            return result
        minus = b.sub(b.constant(1, x.type), b.shl(b.and_(y, 1), 1))
        unit = b.select(b.cmp("eq", x, 1), 1, b.select(b.cmp("eq", x, -1), minus, 0))
        return b.select(b.cmp("lt", y, 0), unit, result)

    stablehlo = "stablehlo.power"
    samples = elementwise(2, NUMBERS, 0.1, 4)
    tolerance = ulp(16)


def _pick_gradient(b: Any, op: Operation, ct: Value, direction: str) -> list[Value | None]:
    """The cotangent goes to the operand that was picked, half to each where they tie."""
    x, y = op.operands
    tie = b.select(b.compare(x, y, direction="eq"), b.mul(ct, 0.5), 0.0)
    to_x = b.select(b.compare(x, y, direction=direction), ct, tie)
    return [to_x, b.sub(ct, to_x)]


@graph.op("max", ins="x y", traits=f"{TRAITS} commutative")
class Max:
    """The larger; nan where either is nan. Truth values: either."""

    infer = ordered

    def reference(x: Array, y: Array) -> Array:
        return np.maximum(x, y)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return _pick_gradient(b, op, ct, "gt")

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.max(x, y, unsigned=unsigned)

    stablehlo = "stablehlo.maximum"
    samples = elementwise(2, EVERYTHING)
    tolerance = exact


@graph.op("min", ins="x y", traits=f"{TRAITS} commutative")
class Min:
    """The smaller; nan where either is nan. Truth values: both."""

    infer = ordered

    def reference(x: Array, y: Array) -> Array:
        return np.minimum(x, y)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return _pick_gradient(b, op, ct, "lt")

    def scalar(b: Any, x: Any, y: Any, *, unsigned: bool = False) -> Any:
        return b.min(x, y, unsigned=unsigned)

    stablehlo = "stablehlo.minimum"
    samples = elementwise(2, EVERYTHING)
    tolerance = exact


@graph.op("atan2", ins="y x", traits=TRAITS)
class Atan2:
    """The angle of the point (x, y), from -pi to pi."""

    infer = floating
    reference = np.arctan2

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        y, x = op.operands
        scaled = b.div(ct, b.add(b.mul(x, x), b.mul(y, y)))
        return [b.mul(scaled, x), b.neg(b.mul(scaled, y))]

    def scalar(b: Any, y: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.atan2(y, x)

    stablehlo = "stablehlo.atan2"
    samples = elementwise(2, FLOATS)
    tolerance = ulp(16)
