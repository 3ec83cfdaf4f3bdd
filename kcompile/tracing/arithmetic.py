"""What Python's operators on tensors mean: promotion, broadcasting, and one graph op each."""

from __future__ import annotations

from typing import Any

from kcompile.ir import types as t

from .bind import binary, bind, broadcast, broadcast_to, cast, constant, convert, promote
from .contraction import matmul as matmul
from .dtypes import result_type
from .indexing import get_item as get_item
from .tensor import Tensor


def add(x: Any, y: Any) -> Tensor:
    x, y = promote(x, y)
    return bind("or" if x.element is t.i1 else "add", *broadcast(x, y))


def subtract(x: Any, y: Any) -> Tensor:
    return binary("sub", x, y)


def multiply(x: Any, y: Any) -> Tensor:
    x, y = promote(x, y)
    return bind("and" if x.element is t.i1 else "mul", *broadcast(x, y))


def true_divide(x: Any, y: Any) -> Tensor:
    x, y = promote(x, y)
    if not t.is_float(x.element):
        dtype = result_type(x.dtype, float)
        x, y = cast(x, dtype), cast(y, dtype)
    return bind("div", *broadcast(x, y))


def floor_divide(x: Any, y: Any) -> Tensor:
    x, y = broadcast(*promote(x, y))
    if t.is_float(x.element):
        return bind("floor", bind("div", x, y))
    # div rounds towards zero: one less where the signs differ and there is a rest
    return bind("sub", bind("div", x, y), cast(_wrong_sign(bind("rem", x, y), y), x.element))


def _wrong_sign(rest: Tensor, divisor: Tensor) -> Tensor:
    """Where a remainder is not 0 and has the other sign than its divisor."""
    zero = zeros_of(rest)
    apart = bind("xor", bind("compare", rest, zero, direction="lt"), bind("compare", divisor, zero, direction="lt"))
    return bind("and", bind("compare", rest, zero, direction="ne"), apart)


def mod(x: Any, y: Any) -> Tensor:
    """The remainder that has the sign of `y`."""
    x, y = broadcast(*promote(x, y))
    rest = bind("rem", x, y)
    return bind("select", _wrong_sign(rest, y), bind("add", rest, y), rest)


def power(x: Any, y: Any) -> Tensor:
    if isinstance(y, int) and not isinstance(y, bool) and 1 <= y <= 4:
        return _small_power(convert(x), y)
    return binary("pow", x, y)


def _small_power(x: Tensor, exponent: int) -> Tensor:
    """x * x * ..: exact, and cheaper than a general power."""
    if exponent == 1:
        return x
    square = multiply(x, x)
    return square if exponent == 2 else multiply(square, x if exponent == 3 else square)


def _compare(direction: str, x: Any, y: Any) -> Tensor:
    return binary("compare", x, y, direction=direction)


def less(x: Any, y: Any) -> Tensor:
    return _compare("lt", x, y)


def less_equal(x: Any, y: Any) -> Tensor:
    return _compare("le", x, y)


def greater(x: Any, y: Any) -> Tensor:
    return _compare("gt", x, y)


def greater_equal(x: Any, y: Any) -> Tensor:
    return _compare("ge", x, y)


def equal(x: Any, y: Any) -> Tensor:
    return _compare("eq", x, y)


def not_equal(x: Any, y: Any) -> Tensor:
    return _compare("ne", x, y)


def _logical(name: str, x: Any, y: Any) -> Tensor:
    return bind(name, *broadcast(cast(x, t.i1), cast(y, t.i1)))


def logical_and(x: Any, y: Any) -> Tensor:
    return _logical("and", x, y)


def logical_or(x: Any, y: Any) -> Tensor:
    return _logical("or", x, y)


def logical_xor(x: Any, y: Any) -> Tensor:
    return _logical("xor", x, y)


def logical_not(x: Any) -> Tensor:
    return bind("not", cast(x, t.i1))


def negative(x: Any) -> Tensor:
    return bind("neg", convert(x))


def absolute(x: Any) -> Tensor:
    x = convert(x)
    return x if t.is_unsigned(x.element) else bind("abs", x)


def zeros_of(x: Tensor) -> Tensor:
    """Zeros of the type of `x`."""
    return broadcast_to(constant(0, x.element), x.dims)
