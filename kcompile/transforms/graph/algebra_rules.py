"""Rules for arithmetic, comparison and choice.

They hold bit for bit: none trades the last bit, or the sign of a zero, for speed. The one exception is `square`:
x * x is rounded once, where pow(x, 2) may be off by a bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.rewriting import Match, Rule, any_of, capture, constant, op, rule, single_use

x, y = capture("x"), capture("y")
Made = Any  # a Value, or None to leave the op; the methods of a builder are not typed one by one


def _is_integer(value: Value) -> bool:
    return t.is_integer(value.type)


def _is_negative_zero(number: Any) -> bool:
    return bool(number == 0 and np.signbit(number))


def _is_power_of_two(number: Any) -> bool:
    """Whether 1 / number is exact (and neither overflows nor becomes denormal)."""
    mantissa, exponent = np.frexp(float(number))
    return bool(abs(mantissa) == 0.5 and abs(exponent) < 14)


def the_x(b: Any, m: Match) -> Made:
    """The value matched by x stands for the whole."""
    return m["x"]


def zeros(b: Any, m: Match) -> Made:
    return b.full(0, m.op.result.type)


def _multiply_by_inverse(b: Any, m: Match) -> Made:
    return b.mul(m["x"], 1.0 / float(m["c"])) if t.is_float(m["x"].type) else None


def _same_type(b: Any, m: Match) -> Made:
    return m["x"] if m.op.result.type is m["x"].type else None


def _convert_once(b: Any, m: Match) -> Made:
    """convert(convert(x)) where the first step loses nothing."""
    source, between = t.element_of(m["x"].type), t.element_of(m.op.operands[0].type)
    if t.is_float(source) and t.is_float(between) and t.bitwidth(source) < t.bitwidth(between):
        return b.convert(m["x"], dtype=t.element_of(m.op.result.type))
    return None


def _choose_constant(b: Any, m: Match) -> Made:
    return m["x"] if bool(m["c"]) else m["y"]


INTEGER = capture("x", _is_integer)
POWER_OF_TWO = constant(name="c", condition=_is_power_of_two)
WHOLE = any_of(op("graph.floor", x), op("graph.ceil", x), op("graph.round_even", x))

RULES: list[Rule] = [
    rule("add-negative-zero", op("graph.add", x, constant(condition=_is_negative_zero)), the_x),
    rule("add-zero-integer", op("graph.add", INTEGER, constant(0)), the_x),
    rule("subtract-zero", op("graph.sub", x, constant(condition=lambda n: n == 0 and not _is_negative_zero(n))), the_x),
    rule("multiply-by-one", op("graph.mul", x, constant(1)), the_x),
    rule("multiply-by-zero-integer", op("graph.mul", INTEGER, constant(0)), zeros),
    rule("divide-by-one", op("graph.div", x, constant(1)), the_x),
    rule("divide-by-power-of-two", op("graph.div", x, POWER_OF_TWO), _multiply_by_inverse),
    rule("power-of-one", op("graph.pow", x, constant(1)), the_x),
    rule("square", op("graph.pow", x, constant(2)), lambda b, m: b.mul(m["x"], m["x"])),
    rule("negate-twice", op("graph.neg", op("graph.neg", x)), the_x),
    rule("add-negated", op("graph.add", x, single_use(op("graph.neg", y))), lambda b, m: b.sub(m["x"], m["y"])),
    rule("subtract-negated", op("graph.sub", x, single_use(op("graph.neg", y))), lambda b, m: b.add(m["x"], m["y"])),
    rule("abs-of-abs", op("graph.abs", op("graph.abs", x)), lambda b, m: m.op.operands[0]),
    rule("abs-of-neg", op("graph.abs", op("graph.neg", x)), lambda b, m: b.abs(m["x"])),
    rule("not-twice", op("graph.not", op("graph.not", x)), the_x),
    rule("max-with-itself", op("graph.max", x, x), the_x),
    rule("min-with-itself", op("graph.min", x, x), the_x),
    rule("and-with-itself", op("graph.and", x, x), the_x),
    rule("or-with-itself", op("graph.or", x, x), the_x),
    rule("select-equal", op("graph.select", capture("p"), x, x), the_x),
    rule("select-constant", op("graph.select", constant(name="c"), x, y), _choose_constant),
    rule("select-not", op("graph.select", op("graph.not", capture("p")), x, y),
         lambda b, m: b.select(m["p"], m["y"], m["x"])),
    rule("convert-to-own-type", op("graph.convert", x), _same_type),
    rule("bitcast-to-own-type", op("graph.bitcast", x), _same_type),
    rule("convert-once", op("graph.convert", op("graph.convert", x)), _convert_once),
    rule("bitcast-back", op("graph.bitcast", op("graph.bitcast", x)), _same_type),
    rule("round-a-whole-number", op("graph.floor", WHOLE),
         lambda b, m: m.op.operands[0]),
]  # fmt: skip
