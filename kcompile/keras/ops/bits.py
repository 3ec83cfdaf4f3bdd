"""keras.ops: bits of integers."""

from __future__ import annotations

from typing import Any

from kcompile.ir import types as t
from kcompile.tracing.bind import binary, bind, broadcast, convert, promote

from .operation_class import operation


@operation("numpy.BitwiseAnd")
def bitwise_and(x: Any, y: Any) -> Any:
    """Bits that both have."""
    return binary("and", x, y)


@operation("numpy.BitwiseOr")
def bitwise_or(x: Any, y: Any) -> Any:
    """Bits that one or both have."""
    return binary("or", x, y)


@operation("numpy.BitwiseXor")
def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits that exactly one has."""
    return binary("xor", x, y)


@operation("numpy.BitwiseNot")
def bitwise_not(x: Any) -> Any:
    """All bits turned over."""
    return bind("not", convert(x))


@operation("numpy.BitwiseLeftShift")
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """Bits moved up by y."""
    return binary("shl", x, y)


@operation("numpy.BitwiseRightShift")
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """Bits moved down by y; signed integers keep their sign."""
    first, second = broadcast(*promote(x, y))
    return bind("shr_logical" if t.is_unsigned(first.element) else "shr_arith", first, second)


@operation("numpy.LeftShift")
def left_shift(x: Any, y: Any) -> Any:
    """Bits moved up by y."""
    return bitwise_left_shift(x, y)


@operation("numpy.RightShift")
def right_shift(x: Any, y: Any) -> Any:
    """Bits moved down by y; signed integers keep their sign."""
    return bitwise_right_shift(x, y)
