"""keras.ops: comparisons, logic and choices."""

from __future__ import annotations

from typing import Any

from kcompile.ir import types as t
from kcompile.tracing import arithmetic
from kcompile.tracing.bind import bind, broadcast, cast, convert, promote

from .operation_class import operation


@operation("numpy.Equal")
def equal(x1: Any, x2: Any) -> Any:
    """x1 == x2."""
    return arithmetic.equal(x1, x2)


@operation("numpy.NotEqual")
def not_equal(x1: Any, x2: Any) -> Any:
    """x1 != x2."""
    return arithmetic.not_equal(x1, x2)


@operation("numpy.Less")
def less(x1: Any, x2: Any) -> Any:
    """x1 < x2."""
    return arithmetic.less(x1, x2)


@operation("numpy.LessEqual")
def less_equal(x1: Any, x2: Any) -> Any:
    """x1 <= x2."""
    return arithmetic.less_equal(x1, x2)


@operation("numpy.Greater")
def greater(x1: Any, x2: Any) -> Any:
    """x1 > x2."""
    return arithmetic.greater(x1, x2)


@operation("numpy.GreaterEqual")
def greater_equal(x1: Any, x2: Any) -> Any:
    """x1 >= x2."""
    return arithmetic.greater_equal(x1, x2)


@operation("numpy.LogicalAnd")
def logical_and(x1: Any, x2: Any) -> Any:
    """Both are true (not 0)."""
    return arithmetic.logical_and(x1, x2)


@operation("numpy.LogicalOr")
def logical_or(x1: Any, x2: Any) -> Any:
    """At least one is true (not 0)."""
    return arithmetic.logical_or(x1, x2)


@operation("numpy.LogicalXor")
def logical_xor(x1: Any, x2: Any) -> Any:
    """Exactly one is true (not 0)."""
    return arithmetic.logical_xor(x1, x2)


@operation("numpy.LogicalNot")
def logical_not(x: Any) -> Any:
    """0 or false."""
    return arithmetic.logical_not(x)


@operation("numpy.Where")
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, else x2; all three broadcast."""
    if x1 is None or x2 is None:
        from kcompile.errors import UnsupportedError

        raise UnsupportedError(
            "ops.where(condition) alone gives a result whose size depends on values; give both x1 and x2"
        )
    condition = cast(convert(condition), t.i1)
    return bind("select", *broadcast(condition, *promote(x1, x2)))


@operation("numpy.Isclose", "equal_nan")
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|x1 - x2| <= atol + rtol * |x2|."""
    x, y = promote(x1, x2, least=float)
    bound = arithmetic.add(arithmetic.multiply(arithmetic.absolute(y), rtol), atol)
    near = arithmetic.less_equal(arithmetic.absolute(arithmetic.subtract(x, y)), bound)
    near = arithmetic.logical_or(near, arithmetic.equal(x, y))
    if equal_nan:
        both = arithmetic.logical_and(arithmetic.not_equal(x, x), arithmetic.not_equal(y, y))
        near = arithmetic.logical_or(near, both)
    return near
