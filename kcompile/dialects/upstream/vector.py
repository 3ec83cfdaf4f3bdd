# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `vector` dialect: registers of several lanes, in one dim. Memory operations move along a buffer's last dim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.dialects.upstream.elementwise import define, fit, same_floats
from kcompile.dialects.upstream.math import fused_multiply_add
from kcompile.dialects.upstream.memref import check_access, place
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import OpaqueAttr
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect
from kcompile.ir.types import Type, VectorType

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

vector = Dialect("vector")

KINDS = (
    "add",
    "mul",
    "and",
    "or",
    "xor",
    "maxsi",
    "minsi",
    "maxui",
    "minui",
    "maximumf",
    "minimumf",
    "maxnumf",
    "minnumf",
)


def kind_attribute(kind: str) -> OpaqueAttr:
    """How MLIR writes the kind of a reduction."""
    if kind not in KINDS:
        raise IRError(f"a vector reduction is one of {', '.join(KINDS)}. Received: {kind}")
    return OpaqueAttr(f"#vector.kind<{kind}>")


def kind_of(op: Operation) -> str:
    """The kind of a vector.reduction, as a word."""
    return str(op["kind"]).removeprefix("#vector.kind<").removesuffix(">")


def lanes_of(type: Type) -> int:
    """The lanes of a vector of one dim."""
    if not isinstance(type, VectorType) or len(type.shape) != 1:
        raise IRError(f"needs a vector of one dim. Received: {type}")
    return type.shape[0]


def _check_memory(
    op: Operation, value: Type, buffer: Type, indices: tuple[Type, ...], mask: Type | None = None
) -> None:
    lanes = lanes_of(value)
    memory = check_access(buffer, indices)
    if memory.element is not t.element_of(value) or not indices:
        raise IRError(f"{op.name}: {value} does not fit {memory}")
    if memory.strides is not None and memory.strides[-1] != 1:
        raise IRError(f"{op.name} moves along a last dim of stride 1. Received: {memory}")
    if mask is not None and mask is not VectorType((lanes,), t.i1):
        raise IRError(f"{op.name} needs one i1 a lane of {value}. Received: {mask}")


def _operand_types(op: Operation) -> tuple[Type, ...]:
    return tuple(v.type for v in op.operands)


@vector.op("load", ins="buffer *indices")
class Load:
    """The lanes buffer[.., i : i + lanes]."""

    def verify(op: Operation) -> None:
        buffer, *indices = _operand_types(op)
        _check_memory(op, op.results[0].type, buffer, tuple(indices))

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        buffer, *indices = operands
        lanes = lanes_of(op.results[0].type)
        *outer, i = place(buffer, indices, lanes)
        return [buffer[(*outer, slice(i, i + lanes))].copy()]


@vector.op("store", ins="value buffer *indices")
class Store:
    """buffer[.., i : i + lanes] = value.

    nontemporal   past the caches: at a multiple of the smaller of the vector's size and 64 bytes
    """

    def infer(value: Type, buffer: Type, *indices: Type, nontemporal: bool = False) -> tuple[Type, ...]:
        if check_access(buffer, indices).element is not t.element_of(value) or not indices:
            raise IRError(f"a value of {value} does not fit {buffer}")
        lanes_of(value)
        return ()

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        value, buffer, *indices = operands
        *outer, i = place(buffer, indices, len(value))
        buffer[(*outer, slice(i, i + len(value)))] = value
        return []


@vector.op("maskedload", ins="buffer *operands")
class MaskedLoad:
    """As load where the mask holds, else the lane of the last operand; lanes that are off touch no memory."""

    def verify(op: Operation) -> None:
        buffer, *indices, mask, other = _operand_types(op)
        if other is not op.results[0].type:
            raise IRError(
                f"vector.maskedload gives the type of its last operand {other}. Received: {op.results[0].type}"
            )
        _check_memory(op, other, buffer, tuple(indices), mask)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        buffer, *indices, mask, other = operands
        result = np.array(other)
        *outer, first = (int(i) for i in indices)
        for lane in np.flatnonzero(mask):
            result[lane] = buffer[place(buffer, [*outer, first + lane])]
        return [result]


@vector.op("maskedstore", ins="buffer *operands")
class MaskedStore:
    """As store where the mask holds; lanes that are off touch no memory. Operands: buffer, indices, mask, value."""

    def verify(op: Operation) -> None:
        buffer, *indices, mask, value = _operand_types(op)
        _check_memory(op, value, buffer, tuple(indices), mask)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        buffer, *indices, mask, value = operands
        *outer, first = (int(i) for i in indices)
        for lane in np.flatnonzero(mask):
            buffer[place(buffer, [*outer, first + lane])] = value[lane]
        return []


@vector.op("gather", ins="buffer *operands")
class Gather:
    """Lane l is buffer[.., i + index_vector[l]] where the mask holds. Operands end in index_vector, mask, other."""

    def verify(op: Operation) -> None:
        buffer, *indices, index_vector, mask, other = _operand_types(op)
        _check_memory(op, other, buffer, tuple(indices), mask)
        if t.shape_of(index_vector) != t.shape_of(other) or not t.is_integer(index_vector):
            raise IRError(f"vector.gather needs one index a lane of {other}. Received: {index_vector}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        buffer, *indices, index_vector, mask, other = operands
        result = np.array(other)
        # offsets count elements from the place of `indices` on, and may leave its row
        base = int(np.ravel_multi_index(place(buffer, indices), buffer.shape))
        flat = buffer.reshape(-1)
        for lane in np.flatnonzero(mask):
            result[lane] = flat[place(flat, [base + int(index_vector[lane])])]
        return [result]


@vector.op("broadcast", ins="x", traits="pure")
class Broadcast:
    """A scalar in every lane."""

    def verify(op: Operation) -> None:
        lanes_of(op.results[0].type)
        if op.operands[0].type is not t.element_of(op.results[0].type):
            raise IRError(f"vector.broadcast of {op.operands[0].type} cannot give {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [fit(np.full(t.shape_of(op.results[0].type), operands[0]), op.results[0].type)]


def _fma(x: Type, y: Type, z: Type) -> Type:
    lanes_of(x)
    return same_floats(x, y, z)


define(vector, "fma", "x * y + z in each lane, rounded once.", _fma, fused_multiply_add, 3)


def combine(kind: str, x: Any, y: Any) -> Any:
    """One step of a reduction."""
    from kcompile.ir.definition import lookup

    if kind in ("add", "mul"):
        return (np.add if kind == "add" else np.multiply)(x, y)
    name = {"and": "andi", "or": "ori", "xor": "xori"}.get(kind, kind)
    definition = lookup(f"arith.{name}")
    assert definition is not None and definition.reference is not None
    return definition.reference(x, y)


@vector.op("reduction", ins="x *accumulator", traits="pure")
class Reduction:
    """All lanes combined by `kind`: half with half until one is left, then the accumulator comes before it.

    The order is part of the meaning: machine code and interpreter agree bit for bit.
    """

    def verify(op: Operation) -> None:
        lanes = lanes_of(op.operands[0].type)
        if lanes & (lanes - 1) or len(op.operands) > 2:
            raise IRError(
                f"vector.reduction takes 2^n lanes and at most an accumulator. Received: {op.operands[0].type}"
            )
        kind_attribute(kind_of(op))
        if any(v is not t.element_of(op.operands[0].type) for v in (op.results[0].type, *_operand_types(op)[1:])):
            raise IRError(
                f"vector.reduction of {op.operands[0].type} gives its element type. Received: {op.results[0].type}"
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        kind, x, scalar = kind_of(op), np.asarray(operands[0]), op.results[0].type
        vector_type = op.operands[0].type
        while len(x) > 1:
            half = len(x) // 2
            x = np.asarray(fit(combine(kind, x[:half], x[half:]), vector_type))
        result = x[0]
        return [fit(combine(kind, operands[1], result) if len(operands) == 2 else result, scalar)]


def _static_lane(op: Operation, lanes: int, operands: int) -> int | None:
    """The lane of an extract or insert; None where the last operand tells it."""
    (position,) = op["static_position"]
    if len(op.operands) > operands:
        return None
    if not 0 <= position < lanes:
        raise IRError(f"{op.name} needs a lane from 0 to {lanes - 1}. Received: {position}")
    return int(position)


@vector.op("extract", ins="x *position", traits="pure")
class Extract:
    """One lane, as a scalar: that of `static_position`, or of an index operand."""

    def verify(op: Operation) -> None:
        _static_lane(op, lanes_of(op.operands[0].type), 1)
        if op.results[0].type is not t.element_of(op.operands[0].type):
            raise IRError(f"vector.extract of {op.operands[0].type} cannot give {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        lane = _static_lane(op, len(operands[0]), 1)
        return [operands[0][place(operands[0], [operands[1] if lane is None else lane])]]


@vector.op("insert", ins="value x *position", traits="pure")
class Insert:
    """`x` with one lane replaced."""

    def verify(op: Operation) -> None:
        _static_lane(op, lanes_of(op.operands[1].type), 2)
        if (
            op.operands[0].type is not t.element_of(op.operands[1].type)
            or op.results[0].type is not op.operands[1].type
        ):
            raise IRError(
                f"vector.insert of {op.operands[0].type} into {op.operands[1].type} cannot give {op.results[0].type}"
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        result = np.array(operands[1])
        lane = _static_lane(op, len(result), 2)
        result[place(result, [operands[2] if lane is None else lane])] = operands[0]
        return [result]


@vector.op("shuffle", ins="x y", traits="pure")
class Shuffle:
    """Lanes of x and y (counted on after those of x) in the order of `mask`."""

    def infer(x: Type, y: Type, *, mask: tuple[int, ...]) -> Type:
        count = lanes_of(x) + lanes_of(y)
        if t.element_of(x) is not t.element_of(y) or any(not 0 <= m < count for m in mask):
            raise IRError(f"needs two vectors of one element and lanes below {count}. Received: {x}, {y}, {mask}")
        return VectorType((len(mask),), t.element_of(x))

    def reference(x: Any, y: Any, *, mask: tuple[int, ...]) -> Any:
        return np.concatenate([x, y])[list(mask)]


@vector.op("bitcast", ins="x", traits="pure")
class Bitcast:
    """The same bits cut into other lanes."""

    def verify(op: Operation) -> None:
        source, target = op.operands[0].type, op.results[0].type
        if lanes_of(source) * t.bitwidth(source) != lanes_of(target) * t.bitwidth(target):
            raise IRError(f"vector.bitcast keeps the number of bits. Received: {source} to {target}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        if t.bf16 in (t.element_of(op.operands[0].type), t.element_of(op.results[0].type)):
            raise IRError("vector.bitcast of bf16 is not interpreted; use arith.bitcast")
        return [np.asarray(operands[0]).view(t.to_numpy(t.element_of(op.results[0].type)))]


@vector.op("step", traits="pure")
class Step:
    """0, 1, 2, .. as indices."""

    def verify(op: Operation) -> None:
        if lanes_of(op.results[0].type) and t.element_of(op.results[0].type) is not t.index:
            raise IRError(f"vector.step gives a vector of index. Received: {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [np.arange(lanes_of(op.results[0].type), dtype=np.int64)]


@vector.op("create_mask", ins="count", traits="pure")
class CreateMask:
    """True in the first `count` lanes; none for a count <= 0."""

    def verify(op: Operation) -> None:
        lanes_of(op.results[0].type)
        if op.operands[0].type is not t.index or t.element_of(op.results[0].type) is not t.i1:
            raise IRError(f"vector.create_mask makes i1 lanes of an index. Received: {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [np.arange(lanes_of(op.results[0].type)) < int(operands[0])]
