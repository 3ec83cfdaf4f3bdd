"""keras.ops: mathematics of one element at a time."""

from __future__ import annotations

import math
from typing import Any

from kcompile.ir import types as t
from kcompile.tracing import arithmetic
from kcompile.tracing.bind import binary, bind, broadcast, cast, convert, floating, promote
from kcompile.tracing.dtypes import is_float, result_type, standardize_dtype

from .operation_class import operation


def _float_unary(name: str, x: Any) -> Any:
    return bind(name, floating(x))


# -- arithmetic
@operation("numpy.Add")
def add(x1: Any, x2: Any) -> Any:
    """x1 + x2."""
    return arithmetic.add(x1, x2)


@operation("numpy.Subtract")
def subtract(x1: Any, x2: Any) -> Any:
    """x1 - x2."""
    return arithmetic.subtract(x1, x2)


@operation("numpy.Multiply")
def multiply(x1: Any, x2: Any) -> Any:
    """x1 * x2."""
    return arithmetic.multiply(x1, x2)


@operation("numpy.Divide")
def divide(x1: Any, x2: Any) -> Any:
    """x1 / x2, as floats."""
    return arithmetic.true_divide(x1, x2)


@operation("numpy.TrueDivide")
def true_divide(x1: Any, x2: Any) -> Any:
    """x1 / x2, as floats."""
    return arithmetic.true_divide(x1, x2)


@operation("numpy.DivideNoNan")
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0."""
    x, y = promote(x1, x2, least=float)
    x, y = broadcast(x, y)
    zero = arithmetic.zeros_of(y)
    is_zero = bind("compare", y, zero, direction="eq")
    # the divisor is made harmless first, so that the gradient is finite too
    safe = bind("select", is_zero, arithmetic.add(zero, 1), y)
    return bind("select", is_zero, zero, bind("div", x, safe))


@operation("numpy.FloorDivide")
def floor_divide(x1: Any, x2: Any) -> Any:
    """The largest integer not above x1 / x2."""
    return arithmetic.floor_divide(x1, x2)


@operation("numpy.Mod")
def mod(x1: Any, x2: Any) -> Any:
    """The remainder of x1 / x2, with the sign of x2."""
    return arithmetic.mod(x1, x2)


@operation("numpy.Power")
def power(x1: Any, x2: Any) -> Any:
    """x1 to the power x2."""
    return arithmetic.power(x1, x2)


@operation("numpy.Negative")
def negative(x: Any) -> Any:
    """-x."""
    return arithmetic.negative(x)


@operation("numpy.Absolute")
def absolute(x: Any) -> Any:
    """|x|."""
    return arithmetic.absolute(x)


@operation("numpy.Abs")
def abs(x: Any) -> Any:
    """|x|."""
    return arithmetic.absolute(x)


@operation("numpy.Sign")
def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    return bind("sign", convert(x))


@operation("numpy.Square")
def square(x: Any) -> Any:
    """x * x."""
    return arithmetic.multiply(x, x)


@operation("numpy.Reciprocal")
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return arithmetic.true_divide(1, x)


@operation("numpy.Maximum")
def maximum(x1: Any, x2: Any) -> Any:
    """The larger of both."""
    return binary("max", x1, x2)


@operation("numpy.Minimum")
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of both."""
    return binary("min", x1, x2)


@operation("numpy.Clip", "x_min x_max")
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """x, but not below x_min and not above x_max."""
    x = convert(x)
    if x.element is t.i1:
        x = cast(x, "int32")
    x = x if x_min is None else maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


# -- exponentials and roots
@operation("numpy.Exp")
def exp(x: Any) -> Any:
    """e^x."""
    return _float_unary("exp", x)


@operation("numpy.Expm1")
def expm1(x: Any) -> Any:
    """e^x - 1, exact near 0."""
    return _float_unary("expm1", x)


@operation("numpy.Exp2")
def exp2(x: Any) -> Any:
    """2^x."""
    return _float_unary("exp", arithmetic.multiply(floating(x), math.log(2)))


@operation("numpy.Log")
def log(x: Any) -> Any:
    """The natural logarithm."""
    return _float_unary("log", x)


@operation("numpy.Log1p")
def log1p(x: Any) -> Any:
    """log(1 + x), exact near 0."""
    return _float_unary("log1p", x)


@operation("numpy.Log2")
def log2(x: Any) -> Any:
    """The logarithm to base 2."""
    return arithmetic.multiply(_float_unary("log", x), 1 / math.log(2))


@operation("numpy.Log10")
def log10(x: Any) -> Any:
    """The logarithm to base 10."""
    return arithmetic.multiply(_float_unary("log", x), 1 / math.log(10))


@operation("numpy.Logaddexp")
def logaddexp(x1: Any, x2: Any) -> Any:
    """log(e^x1 + e^x2), without overflow."""
    x, y = broadcast(*promote(x1, x2, least=float))
    return arithmetic.add(bind("max", x, y), bind("log1p", bind("exp", bind("neg", bind("abs", bind("sub", x, y))))))


@operation("numpy.Sqrt")
def sqrt(x: Any) -> Any:
    """The square root."""
    return _float_unary("sqrt", x)


@operation("math.Rsqrt")
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return _float_unary("rsqrt", x)


@operation("math.Erf")
def erf(x: Any) -> Any:
    """The error function."""
    return _float_unary("erf", x)


# -- trigonometry
@operation("numpy.Sin")
def sin(x: Any) -> Any:
    """The sine."""
    return _float_unary("sin", x)


@operation("numpy.Cos")
def cos(x: Any) -> Any:
    """The cosine."""
    return _float_unary("cos", x)


@operation("numpy.Tan")
def tan(x: Any) -> Any:
    """The tangent."""
    return arithmetic.true_divide(_float_unary("sin", x), _float_unary("cos", x))


@operation("numpy.Tanh")
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return _float_unary("tanh", x)


@operation("numpy.Sinh")
def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    grown = _float_unary("expm1", x)
    return arithmetic.multiply(arithmetic.add(grown, arithmetic.true_divide(grown, arithmetic.add(grown, 1))), 0.5)


@operation("numpy.Cosh")
def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    grown = _float_unary("exp", x)
    return arithmetic.multiply(arithmetic.add(grown, arithmetic.true_divide(1, grown)), 0.5)


@operation("numpy.Arctan2")
def arctan2(x1: Any, x2: Any) -> Any:
    """The angle of the point (x2, x1)."""
    return binary("atan2", x1, x2, least=float)


@operation("numpy.Arctan")
def arctan(x: Any) -> Any:
    """The inverse of the tangent."""
    return binary("atan2", floating(x), 1.0)


# -- rounding
def _rounded(name: str, x: Any) -> Any:
    x = convert(x)
    return (
        bind(name, x)
        if t.is_float(x.element)
        else cast(x, result_type(x.dtype, float) if name != "round_even" else x.dtype)
    )


@operation("numpy.Floor")
def floor(x: Any) -> Any:
    """The largest integer not above x."""
    return _rounded("floor", x)


@operation("numpy.Ceil")
def ceil(x: Any) -> Any:
    """The smallest integer not below x."""
    return _rounded("ceil", x)


@operation("numpy.Round", "decimals")
def round(x: Any, decimals: int = 0) -> Any:
    """The nearest value with `decimals` digits, halves to even."""
    if not decimals or not is_float(convert(x).dtype):
        return _rounded("round_even", x)
    scale = 10.0**decimals
    return arithmetic.true_divide(bind("round_even", arithmetic.multiply(x, scale)), scale)


@operation("numpy.Trunc")
def trunc(x: Any) -> Any:
    """x without its fraction."""
    x = convert(x)
    if not t.is_float(x.element):
        return x
    return arithmetic.multiply(bind("sign", x), bind("floor", bind("abs", x)))


# -- kinds of values
def is_not_finite_but(x: Any, wanted: str) -> Any:
    """Where a float is nan, or is an infinity."""
    x = convert(x)
    if not t.is_float(x.element):
        x = floating(x)
    nan = bind("compare", x, x, direction="ne")
    if wanted == "nan":
        return nan
    return bind("and", bind("not", bind("is_finite", x)), bind("not", nan))


@operation("numpy.Isfinite")
def isfinite(x: Any) -> Any:
    """Neither infinite nor nan."""
    return bind("is_finite", floating(x))


@operation("numpy.Isnan")
def isnan(x: Any) -> Any:
    """Not a number."""
    return is_not_finite_but(x, "nan")


@operation("numpy.Isinf")
def isinf(x: Any) -> Any:
    """Infinite."""
    return is_not_finite_but(x, "inf")


@operation("core.StopGradient")
def stop_gradient(variable: Any) -> Any:
    """The value, which gradients treat as a constant."""
    return bind("stop_gradient", convert(variable))


@operation("core.Cast", "dtype")
def cast_(x: Any, dtype: Any) -> Any:
    """The value as `dtype`."""
    return cast(x, standardize_dtype(dtype))
