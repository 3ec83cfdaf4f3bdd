"""keras.ops: inverse and less common trigonometric and exponential functions, from the basic ones."""

from __future__ import annotations

import math
from typing import Any

from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import binary, bind, broadcast, floating, promote

from .comparison import where
from .operation_class import operation


@operation("numpy.Arcsin")
def arcsin(x: Any) -> Any:
    """The inverse of the sine."""
    x = floating(x)
    return binary("atan2", x, bind("sqrt", a.multiply(a.subtract(1.0, x), a.add(1.0, x))))


@operation("numpy.Arccos")
def arccos(x: Any) -> Any:
    """The inverse of the cosine."""
    x = floating(x)
    return binary("atan2", bind("sqrt", a.multiply(a.subtract(1.0, x), a.add(1.0, x))), x)


@operation("numpy.Arcsinh")
def arcsinh(x: Any) -> Any:
    """The inverse of the hyperbolic sine."""
    x = floating(x)
    size = bind("abs", x)
    square = a.multiply(x, x)
    grown = a.add(size, a.true_divide(square, a.add(bind("sqrt", a.add(square, 1.0)), 1.0)))
    return a.multiply(bind("sign", x), bind("log1p", grown))


@operation("numpy.Arccosh")
def arccosh(x: Any) -> Any:
    """The inverse of the hyperbolic cosine."""
    x = floating(x)
    more = a.subtract(x, 1.0)
    return bind("log1p", a.add(more, bind("sqrt", a.multiply(more, a.add(x, 1.0)))))


@operation("numpy.Arctanh")
def arctanh(x: Any) -> Any:
    """The inverse of the hyperbolic tangent."""
    x = floating(x)
    return a.multiply(a.subtract(bind("log1p", x), bind("log1p", a.negative(x))), 0.5)


@operation("numpy.Hypot")
def hypot(x1: Any, x2: Any) -> Any:
    """sqrt(x1^2 + x2^2), without overflow."""
    x, y = broadcast(*promote(x1, x2, least=float))
    x, y = bind("abs", x), bind("abs", y)
    large, small = bind("max", x, y), bind("min", x, y)
    ratio = a.true_divide(small, where(a.equal(large, 0.0), 1.0, large))
    return a.multiply(large, bind("sqrt", a.add(a.multiply(ratio, ratio), 1.0)))


@operation("numpy.Deg2rad")
def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return a.multiply(floating(x), math.pi / 180)


@operation("numpy.Rad2deg")
def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return a.multiply(floating(x), 180 / math.pi)


@operation("numpy.Cbrt")
def cbrt(x: Any) -> Any:
    """The cube root."""
    x = floating(x)
    return a.multiply(bind("sign", x), binary("pow", bind("abs", x), 1.0 / 3.0))


@operation("numpy.Sinc")
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0."""
    x = a.multiply(floating(x), math.pi)
    at_zero = a.equal(x, 0.0)
    safe = where(at_zero, 1.0, x)
    return where(at_zero, 1.0, a.true_divide(bind("sin", safe), safe))


@operation("numpy.Logaddexp2")
def logaddexp2(x1: Any, x2: Any) -> Any:
    """log2(2^x1 + 2^x2), without overflow."""
    x, y = broadcast(*promote(x1, x2, least=float))
    apart = a.multiply(a.negative(bind("abs", bind("sub", x, y))), math.log(2))
    return a.add(bind("max", x, y), a.multiply(bind("log1p", bind("exp", apart)), 1 / math.log(2)))


@operation("numpy.Heaviside")
def heaviside(x1: Any, x2: Any) -> Any:
    """0 below 0, 1 above, x2 at 0."""
    x, at_zero = promote(x1, x2, least=float)
    return where(a.less(x, 0.0), 0.0, where(a.greater(x, 0.0), 1.0, at_zero))
