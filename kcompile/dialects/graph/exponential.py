"""Unary functions of analysis: exponentials, logarithms, roots, trigonometry, the error function."""
# mypy: disable-error-code="misc"

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value

from .dialect import NONE, Array, floating, graph
from .sampling import FLOATS, elementwise
from .tolerance import ulp

TRAITS = "pure elementwise"


@graph.op("exp", ins="x", traits=TRAITS)
class Exp:
    """e^x."""

    infer = floating
    reference = np.exp

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.mul(ct, op.result)]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.exp(x)

    stablehlo = "stablehlo.exponential"
    samples = elementwise(1, FLOATS, -10, 10)
    tolerance = ulp(4)


@graph.op("expm1", ins="x", traits=TRAITS)
class Expm1:
    """e^x - 1, exact near 0."""

    infer = floating
    reference = np.expm1

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.mul(ct, b.add(op.result, 1.0))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.expm1(x)

    stablehlo = "stablehlo.exponential_minus_one"
    samples = elementwise(1, FLOATS, -10, 10)
    tolerance = ulp(4)


@graph.op("log", ins="x", traits=TRAITS)
class Log:
    """The natural logarithm; -inf at 0, nan below."""

    infer = floating
    reference = np.log

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.div(ct, op.operands[0])]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.log(x)

    stablehlo = "stablehlo.log"
    samples = elementwise(1, FLOATS, 0.05, 20)
    tolerance = ulp(4)


@graph.op("log1p", ins="x", traits=TRAITS)
class Log1p:
    """log(1 + x), exact near 0."""

    infer = floating
    reference = np.log1p

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.div(ct, b.add(op.operands[0], 1.0))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.log1p(x)

    stablehlo = "stablehlo.log_plus_one"
    samples = elementwise(1, FLOATS, -0.9, 20)
    tolerance = ulp(4)


@graph.op("sqrt", ins="x", traits=TRAITS)
class Sqrt:
    """The square root; nan below 0."""

    infer = floating
    reference = np.sqrt

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.div(b.mul(ct, 0.5), op.result)]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.sqrt(x)

    stablehlo = "stablehlo.sqrt"
    samples = elementwise(1, FLOATS, 0.05, 20)
    tolerance = ulp(1)


@graph.op("rsqrt", ins="x", traits=TRAITS)
class Rsqrt:
    """1 / sqrt(x)."""

    infer = floating

    def reference(x: Array) -> Array:
        return np.asarray(1 / np.sqrt(x.astype(np.float64))).astype(x.dtype)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        y = op.result
        return [b.mul(b.mul(ct, -0.5), b.mul(y, b.mul(y, y)))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.rsqrt(x)

    stablehlo = "stablehlo.rsqrt"
    samples = elementwise(1, FLOATS, 0.05, 20)
    tolerance = ulp(3)


@graph.op("sin", ins="x", traits=TRAITS)
class Sin:
    """The sine of x in radians."""

    infer = floating
    reference = np.sin

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.mul(ct, b.cos(op.operands[0]))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.sin(x)

    stablehlo = "stablehlo.sine"
    samples = elementwise(1, FLOATS, -10, 10)
    tolerance = ulp(8)


@graph.op("cos", ins="x", traits=TRAITS)
class Cos:
    """The cosine of x in radians."""

    infer = floating
    reference = np.cos

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.neg(b.mul(ct, b.sin(op.operands[0])))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.cos(x)

    stablehlo = "stablehlo.cosine"
    samples = elementwise(1, FLOATS, -10, 10)
    tolerance = ulp(8)


@graph.op("tanh", ins="x", traits=TRAITS)
class Tanh:
    """The hyperbolic tangent."""

    infer = floating
    reference = np.tanh

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        y = op.result
        return [b.mul(ct, b.sub(1.0, b.mul(y, y)))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.tanh(x)

    stablehlo = "stablehlo.tanh"
    samples = elementwise(1, FLOATS, -10, 10)
    tolerance = ulp(6)


@graph.op("logistic", ins="x", traits=TRAITS)
class Logistic:
    """1 / (1 + e^-x)."""

    infer = floating

    def reference(x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-x.astype(np.float64)))).astype(x.dtype)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        y = op.result
        return [b.mul(ct, b.mul(y, b.sub(1.0, y)))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        element = t.element_of(x.type)
        wide = b.cast(x, t.f32) if t.bitwidth(element) < 32 else x  # e^12 is past the range of f16
        return b.cast(b.div(1.0, b.add(b.exp(b.neg(wide)), 1.0)), element)

    stablehlo = "stablehlo.logistic"
    samples = elementwise(1, FLOATS, -20, 20)
    tolerance = ulp(6)


_erf = np.frompyfunc(math.erf, 1, 1)


@graph.op("erf", ins="x", traits=TRAITS)
class Erf:
    """The error function, 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x."""

    infer = floating

    def reference(x: Array) -> Array:
        return np.asarray(_erf(x.astype(np.float64))).astype(x.dtype)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x = op.operands[0]
        return [b.mul(ct, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / math.sqrt(math.pi)))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return b.erf(x)

    stablehlo = "chlo.erf"
    samples = elementwise(1, FLOATS, -4, 4)
    tolerance = ulp(8)


@graph.op("gelu", ins="x", traits=TRAITS)
class Gelu:
    """x times the cumulative normal distribution of x: x (1 + erf(x / sqrt(2))) / 2.

    An op of its own, so that its gradient asks for x only and a train step keeps no erf from forward to backward.
    """

    infer = floating

    def reference(x: Array) -> Array:
        wide = x.astype(np.float64)
        share = np.asarray(_erf(wide * math.sqrt(0.5)), np.float64)  # of a rank 0 array it is a float
        return np.asarray(wide * 0.5 * (1 + share)).astype(x.dtype)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x = op.operands[0]
        share = b.mul(b.add(b.erf(b.mul(x, math.sqrt(0.5))), 1.0), 0.5)
        density = b.mul(b.exp(b.mul(b.mul(x, x), -0.5)), 1 / math.sqrt(2 * math.pi))
        return [b.mul(ct, b.add(share, b.mul(x, density)))]

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        element = t.element_of(x.type)
        wide = b.cast(x, t.f32) if t.bitwidth(element) < 32 else x
        share = b.mul(b.add(b.erf(b.mul(wide, math.sqrt(0.5))), 1.0), 0.5)
        return b.cast(b.mul(wide, share), element)

    stablehlo = NONE
    samples = elementwise(1, FLOATS, -1, 4)  # further down 1 + erf cancels
    tolerance = ulp(16)
