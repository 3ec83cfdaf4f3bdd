# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `arith` dialect: constants, integer and float arithmetic, comparisons, casts, on scalars and vectors alike.

What MLIR leaves undefined is defined here, so that no input can trap or differ between interpreter and machine:
x / 0 is 0 and x % 0 is 0 for integers, INT_MIN / -1 is INT_MIN, a shift by the width or more shifts everything out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kcompile.dialects.upstream.elementwise import (
    define,
    fit,
    is_scalar_or_vector,
    mask_like,
    same_floats,
    same_integers,
    signed,
    unsigned,
)  # fmt: skip
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr, FloatAttr
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect
from kcompile.ir.types import FloatType, IndexType, IntegerType, Type, VectorType

arith = Dialect("arith")

CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
CMPF = (
    "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true",
)  # fmt: skip


def _is_bool(x: Any) -> bool:
    return np.asarray(x).dtype == np.bool_


def _boolean(on_bool: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: on_bool(x, y) if _is_bool(x) else otherwise(x, y)


def _unsigned(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: signed(function(unsigned(x), unsigned(y)))


def _divsi(x: Any, y: Any) -> Any:
    return (x - np.fmod(x, y)) // y


def _ceildivsi(x: Any, y: Any) -> Any:
    quotient = x // y
    return quotient + np.logical_and(quotient * y != x, y != 0).astype(np.asarray(x).dtype)


def _ceildivui(x: Any, y: Any) -> Any:
    quotient = x // y
    return quotient + np.logical_and(quotient * y != x, y != 0).astype(np.asarray(x).dtype)


def _width(x: Any) -> int:
    return int(np.asarray(x).dtype.itemsize * 8)


def _shift(function: Callable[..., Any]) -> Callable[..., Any]:
    """A logical shift: amounts of the width or more (read as unsigned) give 0."""

    def shift(x: Any, y: Any) -> Any:
        x, y = unsigned(x), unsigned(y)
        small = y < _width(x)
        return signed(np.where(small, function(x, np.where(small, y, 0).astype(x.dtype)), 0).astype(x.dtype))

    return shift


def _shrsi(x: Any, y: Any) -> Any:
    amount = np.minimum(unsigned(y), _width(x) - 1)
    return np.right_shift(signed(x), amount.astype(np.asarray(x).dtype))


_INTEGERS: tuple[tuple[str, str, Callable[..., Any], str], ...] = (
    ("addi", "x + y, wrapping.", _boolean(np.not_equal, np.add), "commutative"),
    ("subi", "x - y, wrapping.", _boolean(np.not_equal, np.subtract), ""),
    ("muli", "x * y, wrapping.", _boolean(np.logical_and, np.multiply), "commutative"),
    ("divsi", "x / y rounded towards zero, signed.", _divsi, ""),
    ("divui", "x / y, unsigned.", _unsigned(np.floor_divide), ""),
    ("remsi", "The rest of divsi; it has the sign of x.", np.fmod, ""),
    ("remui", "The rest of divui.", _unsigned(np.remainder), ""),
    ("floordivsi", "x / y rounded down, signed.", np.floor_divide, ""),
    ("ceildivsi", "x / y rounded up, signed.", _ceildivsi, ""),
    ("ceildivui", "x / y rounded up, unsigned.", _unsigned(_ceildivui), ""),
    ("andi", "Bitwise and.", np.bitwise_and, "commutative"),
    ("ori", "Bitwise or.", np.bitwise_or, "commutative"),
    ("xori", "Bitwise exclusive or.", np.bitwise_xor, "commutative"),
    ("shli", "x shifted left by y bits.", _shift(np.left_shift), ""),
    ("shrui", "x shifted right by y bits, zeros come in.", _shift(np.right_shift), ""),
    ("shrsi", "x shifted right by y bits, the sign comes in.", _shrsi, ""),
    ("maxsi", "The larger, signed.", np.maximum, "commutative"),
    ("maxui", "The larger, unsigned.", _unsigned(np.maximum), "commutative"),
    ("minsi", "The smaller, signed.", np.minimum, "commutative"),
    ("minui", "The smaller, unsigned.", _unsigned(np.minimum), "commutative"),
)
for _name, _doc, _reference, _traits in _INTEGERS:
    define(arith, _name, _doc, same_integers, _reference, 2, f"pure elementwise {_traits}")

_FLOATS: tuple[tuple[str, str, Callable[..., Any], str], ...] = (
    ("addf", "x + y.", np.add, "commutative"),
    ("subf", "x - y.", np.subtract, ""),
    ("mulf", "x * y.", np.multiply, "commutative"),
    ("divf", "x / y.", np.divide, ""),
    ("remf", "The exact rest of x / y rounded towards zero; it has the sign of x.", np.fmod, ""),
    ("maximumf", "The larger; NaN where either is NaN.", np.maximum, "commutative"),
    ("minimumf", "The smaller; NaN where either is NaN.", np.minimum, "commutative"),
    ("maxnumf", "The larger; the other one where one is NaN.", np.fmax, "commutative"),
    ("minnumf", "The smaller; the other one where one is NaN.", np.fmin, "commutative"),
)
for _name, _doc, _reference, _traits in _FLOATS:
    define(arith, _name, _doc, same_floats, _reference, 2, f"pure elementwise {_traits}")
define(arith, "negf", "-x.", same_floats, np.negative, 1)


@arith.op("constant", traits="pure constant")
class Constant:
    """A scalar, or a vector or tensor given as `dense<..>`."""

    def verify(op: Operation) -> None:
        attribute = op.attributes.get("value")
        kind = getattr(attribute, "type", t.i1)  # a bool attribute has no type of its own
        if attribute is None or kind is not op.results[0].type:
            raise IRError(
                f"arith.constant needs a value of its result type {op.results[0].type}. Received: {attribute}"
            )

    def interpret(interp: Any, op: Operation, operands: list[Any]) -> list[Any]:
        return [np.asarray(op["value"]).astype(t.to_numpy(t.element_of(op.results[0].type)))[()]]


_COMPARE_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip


def compare_integers(predicate: str, x: Any, y: Any) -> Any:
    """cmpi by the name of its predicate."""
    if predicate[0] == "u":
        return _COMPARE_INTEGERS[predicate[1:]](unsigned(x), unsigned(y))
    return _COMPARE_INTEGERS[predicate[1:] if len(predicate) == 3 else predicate](x, y)


def compare_floats(predicate: str, x: Any, y: Any) -> Any:
    """cmpf by the name of its predicate; o.. is false and u.. is true where an operand is NaN."""
    unordered = np.isnan(x) | np.isnan(y)
    if predicate in ("false", "true"):
        return np.full(np.shape(unordered), predicate == "true")[()]
    if predicate in ("ord", "uno"):
        return unordered if predicate == "uno" else ~unordered
    ordered = _COMPARE_INTEGERS[predicate[1:]](x, y)
    return ordered | unordered if predicate[0] == "u" else ordered & ~unordered


def _check_predicate(predicate: int, names: tuple[str, ...]) -> None:
    if not 0 <= predicate < len(names):
        raise IRError(f"predicate is a number from 0 to {len(names) - 1}. Received: {predicate}")


@arith.op("cmpi", ins="x y", traits="pure elementwise")
class CmpI:
    """Compare integers; `predicate` counts eq ne slt sle sgt sge ult ule ugt uge."""

    def infer(x: Type, y: Type, *, predicate: int) -> Type:
        _check_predicate(predicate, CMPI)
        return mask_like(same_integers(x, y))

    def reference(x: Any, y: Any, *, predicate: int) -> Any:
        return compare_integers(CMPI[predicate], x, y)


@arith.op("cmpf", ins="x y", traits="pure elementwise")
class CmpF:
    """Compare floats; `predicate` counts false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true."""

    def infer(x: Type, y: Type, *, predicate: int) -> Type:
        _check_predicate(predicate, CMPF)
        return mask_like(same_floats(x, y))

    def reference(x: Any, y: Any, *, predicate: int) -> Any:
        return compare_floats(CMPF[predicate], x, y)


@arith.op("select", ins="condition x y", traits="pure elementwise")
class Select:
    """x where the condition is true, else y; the condition is i1, or has one i1 a lane."""

    def infer(condition: Type, x: Type, y: Type) -> Type:
        if condition not in (t.i1, mask_like(x)) or x is not y:
            raise IRError(f"needs i1 (or one a lane) and two values of one type. Received: {condition}, {x}, {y}")
        return x

    def reference(condition: Any, x: Any, y: Any) -> Any:
        x, y = np.asarray(x), np.asarray(y)
        return np.where(condition, x, y).astype(x.dtype)[()]


def _cast(
    name: str, doc: str, accepts: Callable[[Type, Type], bool], convert: Callable[[Any, np.dtype[Any]], Any]
) -> None:
    def verify(op: Operation) -> None:
        source, target = op.operands[0].type, op.results[0].type
        fits = is_scalar_or_vector(source) and is_scalar_or_vector(target) and t.shape_of(source) == t.shape_of(target)
        if not fits or isinstance(source, VectorType) != isinstance(target, VectorType):
            raise IRError(
                f"arith.{name} casts scalars to scalars, or vectors lane by lane. Received: {source} to {target}"
            )
        if not accepts(t.element_of(source), t.element_of(target)):
            raise IRError(f"arith.{name} cannot cast {source} to {target}")

    def interpret(interp: Any, op: Operation, operands: list[Any]) -> list[Any]:
        with np.errstate(all="ignore"):
            return [
                fit(convert(np.asarray(operands[0]), t.to_numpy(t.element_of(op.results[0].type))), op.results[0].type)
            ]

    fields = {"__doc__": doc, "verify": verify, "interpret": interpret}
    arith.op(name, ins="x", traits="pure elementwise")(type(name, (), fields))


def _number(x: Any) -> Any:
    """i1 read as signed is 0 or -1."""
    return -x.astype(np.int8) if x.dtype == np.bool_ else x


def _wraps(x: Any, dtype: np.dtype[Any]) -> Any:
    return (x & 1).astype(np.bool_) if dtype == np.bool_ else x.astype(dtype)


def _both(a: type, b: type, order: Callable[[int, int], bool]) -> Callable[[Type, Type], bool]:
    return lambda x, y: isinstance(x, a) and isinstance(y, b) and order(t.bitwidth(x), t.bitwidth(y))


_any = lambda x, y: True
_index = lambda x, y: (x is t.index) != (y is t.index) and t.is_integer(x) and t.is_integer(y)
_cast("extf", "To a wider float.", _both(FloatType, FloatType, int.__lt__), lambda x, d: x.astype(d))
_cast(
    "truncf", "To a narrower float, to nearest even.", _both(FloatType, FloatType, int.__gt__), lambda x, d: x.astype(d)
)
_cast(
    "extsi",
    "To a wider integer, signed.",
    _both(IntegerType, IntegerType, int.__lt__),
    lambda x, d: _number(x).astype(d),
)
_cast(
    "extui",
    "To a wider integer, unsigned.",
    _both(IntegerType, IntegerType, int.__lt__),
    lambda x, d: unsigned(x).astype(d),
)
_cast("trunci", "The low bits.", _both(IntegerType, IntegerType, int.__gt__), _wraps)
_cast("sitofp", "Signed integer to float.", _both(IntegerType, FloatType, _any), lambda x, d: _number(x).astype(d))
_cast("uitofp", "Unsigned integer to float.", _both(IntegerType, FloatType, _any), lambda x, d: unsigned(x).astype(d))
_cast("fptosi", "Towards zero, signed.", _both(FloatType, IntegerType, _any), lambda x, d: x.astype(d))
_cast(
    "fptoui", "Towards zero, unsigned.", _both(FloatType, IntegerType, _any),
    lambda x, d: x.astype(f"u{d.itemsize}").view(d) if d != np.bool_ else x.astype(np.uint8) & 1,
)  # fmt: skip
_cast("index_cast", "Between index and an integer, signed.", _index, lambda x, d: _wraps(_number(x), d))
_cast("index_castui", "Between index and an integer, unsigned.", _index, lambda x, d: _wraps(unsigned(x), d))


@arith.op("bitcast", ins="x", traits="pure elementwise")
class Bitcast:
    """The same bits as another type of the same width."""

    def verify(op: Operation) -> None:
        source, target = op.operands[0].type, op.results[0].type
        if t.shape_of(source) != t.shape_of(target) or t.bitwidth(source) != t.bitwidth(target):
            raise IRError(f"arith.bitcast keeps lanes and width. Received: {source} to {target}")
        if isinstance(t.element_of(source), IndexType) or isinstance(t.element_of(target), IndexType):
            raise IRError(f"arith.bitcast takes no index. Received: {source} to {target}")

    def interpret(interp: Any, op: Operation, operands: list[Any]) -> list[Any]:
        source, target = t.element_of(op.operands[0].type), t.element_of(op.results[0].type)
        bits = np.asarray(operands[0])
        if source is t.bf16:
            bits = (bits.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
        if target is t.bf16:
            return [(bits.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)[()]]
        return [bits.view(t.to_numpy(target))[()]]


_CONSTANTS: dict[Any, Any] = {}  # attributes of plain numbers, made once: emitting loops asks for few, often


def constant_attribute(value: Any, type: Type) -> Any:
    """The `value` attribute of an arith.constant of `type`; a number is spread over all lanes."""
    if value.__class__ is not int and value.__class__ is not float:
        return _constant_attribute(value, type)
    key = type, value.hex() if isinstance(value, float) else value  # -0.0 == 0.0, and nan is not nan
    found = _CONSTANTS.get(key)
    if found is None:
        found = _CONSTANTS[key] = _constant_attribute(value, type)
    return found


def _constant_attribute(value: Any, type: Type) -> Any:
    from kcompile.ir.attributes import BoolAttr, IntAttr

    element = t.element_of(type)
    if isinstance(type, VectorType | t.TensorType):
        array = np.asarray(value)
        if isinstance(element, FloatType) and element is t.bf16:
            array = np.asarray(fit(array.astype(np.float32), element))
        elif array.dtype.kind in "iu" and t.is_integer(element) and element is not t.i1:
            array = np.asarray(_wrap(array.astype(object), t.bitwidth(element)))
        return DenseAttr(np.broadcast_to(array.astype(t.to_numpy(element)), t.shape_of(type)), type)
    if isinstance(element, FloatType):
        return FloatAttr(float(value), element)
    if element is t.i1:
        return BoolAttr(bool(value))
    return IntAttr(_wrap(int(value), t.bitwidth(element)), element)


def _wrap(values: Any, width: int) -> Any:
    """Integers brought into the signed range of so many bits (0xFFFFFFFF is -1 in 32)."""
    half = 1 << (width - 1)
    return (values + half) % (2 * half) - half
