"""The LLVM text of vector operations and of memory; rows of the table in `operations.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kcompile.codegen.operations import float_extreme, intrinsic, mangled, narrow, prints, typed, widen
from kcompile.codegen.target import LINE
from kcompile.codegen.text import element_bytes, is_half, literal, memory_type, type_text
from kcompile.dialects.upstream.vector import kind_of
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import Type, VectorType

if TYPE_CHECKING:
    from kcompile.codegen.llvm import FunctionPrinter


@prints("vector.broadcast")
def _broadcast(p: FunctionPrinter, op: Operation) -> None:
    result = op.results[0].type
    text, value = type_text(result), op.operands[0]
    one = p.emit(f"insertelement {text} poison, {type_text(value.type)} {p.name(value)}, i64 0")
    lanes = t.shape_of(result)[0]
    p.define(op.results[0], p.emit(f"shufflevector {text} {one}, {text} poison, <{lanes} x i32> zeroinitializer"))


def _shuffle(p: FunctionPrinter, type: VectorType, x: str, y: str, lanes: list[int] | range) -> str:
    mask = ", ".join("i32 poison" if k < 0 else f"i32 {k}" for k in lanes)
    return p.emit(f"shufflevector {typed(type, x)}, {typed(type, y)}, <{len(lanes)} x i32> <{mask}>")


@prints("vector.shuffle")
def _shuffle_op(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    wide, short = t.shape_of(x.type)[0], t.shape_of(y.type)[0]
    names, lanes, both = [p.name(x), p.name(y)], list(op["mask"]), x.type
    if wide != short:  # LLVM shuffles two vectors of one type: the shorter one gets lanes that nobody reads
        most = max(wide, short)
        both = VectorType((most,), t.element_of(x.type))
        for k, value in enumerate((x, y)):
            own = t.shape_of(value.type)[0]
            if own < most:
                assert isinstance(value.type, VectorType)
                names[k] = _shuffle(p, value.type, names[k], "poison", [i if i < own else -1 for i in range(most)])
        lanes = [k if k < wide else k - wide + most for k in lanes]
    assert isinstance(both, VectorType)
    p.define(op.results[0], _shuffle(p, both, names[0], names[1], lanes))


@prints("vector.extract")
def _extract(p: FunctionPrinter, op: Operation) -> None:
    position = p.name(op.operands[1]) if len(op.operands) > 1 else str(op["static_position"][0])
    value = op.operands[0]
    p.define(op.results[0], p.emit(f"extractelement {typed(value.type, p.name(value))}, i64 {position}"))


@prints("vector.insert")
def _insert(p: FunctionPrinter, op: Operation) -> None:
    value, vector = op.operands[:2]
    position = p.name(op.operands[2]) if len(op.operands) > 2 else str(op["static_position"][0])
    texts = f"{typed(vector.type, p.name(vector))}, {typed(value.type, p.name(value))}"
    p.define(op.results[0], p.emit(f"insertelement {texts}, i64 {position}"))


_INTEGER_KINDS = {"add": "add", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}


def _combine(p: FunctionPrinter, kind: str, type: Type, x: str, y: str) -> str:
    if t.is_float(type):
        if kind in ("add", "mul"):
            return p.emit(f"f{kind} {type_text(type)} {x}, {y}")
        return float_extreme(p, kind, type, x, y)
    if kind in _INTEGER_KINDS:
        return p.emit(f"{_INTEGER_KINDS[kind]} {type_text(type)} {x}, {y}")
    return intrinsic(p, kind[3] + kind[:3], type, x, y)


@prints("vector.reduction")
def _reduction(p: FunctionPrinter, op: Operation) -> None:
    kind, value, result = kind_of(op), op.operands[0], op.results[0]
    half = is_half(result.type)

    def combine(type: Type, x: str, y: str) -> str:
        if not half:
            return _combine(p, kind, type, x, y)
        made = _combine(p, kind, t.with_element(type, t.f32), widen(p, x, type), widen(p, y, type))
        return narrow(p, made, type)

    name, lanes = p.name(value), t.shape_of(value.type)[0]
    while lanes > 1:
        type = VectorType((lanes,), t.element_of(value.type))
        lanes //= 2
        low = _shuffle(p, type, name, "poison", range(lanes))
        high = _shuffle(p, type, name, "poison", range(lanes, 2 * lanes))
        name = combine(VectorType((lanes,), type.element), low, high)
    name = p.emit(f"extractelement {typed(VectorType((1,), result.type), name)}, i64 0")
    if len(op.operands) == 2:
        name = combine(result.type, p.name(op.operands[1]), name)
    p.define(result, name)


@prints("vector.step")
def _step(p: FunctionPrinter, op: Operation) -> None:
    type = op.results[0].type
    p.define(op.results[0], literal(np.arange(t.shape_of(type)[0]), type), depth=0)


@prints("vector.create_mask")
def _create_mask(p: FunctionPrinter, op: Operation) -> None:
    type = op.results[0].type
    lanes = t.shape_of(type)[0]
    form = p.linear(op.operands[0])
    if not form.terms and isinstance(form.constant, int):
        p.define(op.results[0], literal(np.arange(lanes) < form.constant, type), depth=0)
        return
    # 32 bits a lane compare fastest; the count is brought into their range first
    count = p.emit(f"trunc i64 {intrinsic(p, 'smin', t.index, p.name(op.operands[0]), str(lanes))} to i32")
    numbers = VectorType((lanes,), t.i32)
    text = type_text(numbers)
    one = p.emit(f"insertelement {text} poison, i32 {count}, i64 0")
    all_lanes = p.emit(f"shufflevector {text} {one}, {text} poison, {text} zeroinitializer")
    p.define(op.results[0], p.emit(f"icmp slt {text} {literal(np.arange(lanes), numbers)}, {all_lanes}"))


# -- memory


@prints("memref.alloca")
def _alloca(p: FunctionPrinter, op: Operation) -> None:
    value = op.results[0]
    element = memory_type(t.element_of(value.type))
    count = int(np.prod(t.shape_of(value.type), dtype=np.int64))
    name = p.emit_entry(f"alloca [{count} x {type_text(element)}], align 64")
    p.define(value, name, depth=0)
    p.add_buffer(value)


@prints("memref.dim")
def _dim(p: FunctionPrinter, op: Operation) -> None:
    form = p.linear(op.operands[1])
    if form.terms:
        raise UnsupportedError("memref.dim needs a constant dim", str(op.location))
    size = p.dims[op.operands[0]][int(str(form.constant))]
    if size == t.DYNAMIC:
        raise UnsupportedError("memref.dim of an unknown size; say it in kernel.dims", str(op.location))
    p.define(op.results[0], p.size(size), depth=0)


def _from_memory(p: FunctionPrinter, name: str, type: Type) -> str:
    """i1 is a byte in memory: 0 or not."""
    if t.element_of(type) is not t.i1:
        return name
    stored = t.with_element(type, t.i8)
    return p.emit(f"icmp ne {typed(stored, name)}, {literal(0, stored)}")


def _to_memory(p: FunctionPrinter, name: str, type: Type) -> tuple[str, Type]:
    if t.element_of(type) is not t.i1:
        return name, type
    stored = t.with_element(type, t.i8)
    return p.emit(f"zext {typed(type, name)} to {type_text(stored)}"), stored


@prints("memref.load", "vector.load")
def _load(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices = op.operands
    p.define(op.results[0], _plain_load(p, buffer, indices, op.results[0].type))


def _plain_load(p: FunctionPrinter, buffer: Value, indices: list[Value], type: Type) -> str:
    stored = t.with_element(type, memory_type(t.element_of(type)))
    alignment = element_bytes(t.element_of(type))
    name = p.emit(f"load {type_text(stored)}, ptr {p.address(buffer, indices)}, align {alignment}")
    return _from_memory(p, name, type)


@prints("memref.store", "vector.store")
def _store(p: FunctionPrinter, op: Operation) -> None:
    value, buffer, *indices = op.operands
    _plain_store(p, value, buffer, indices, nontemporal=bool(op.get("nontemporal", False)))


def _plain_store(
    p: FunctionPrinter, value: Value, buffer: Value, indices: list[Value], nontemporal: bool = False
) -> None:
    name, stored = _to_memory(p, p.name(value), value.type)
    alignment, hint = element_bytes(t.element_of(value.type)), ""
    if nontemporal:
        alignment, hint = min(LINE, alignment * t.shape_of(value.type)[0]), f", !nontemporal {p.out.node('i32 1')}"
        p.streams = True
    p.statement(f"store {typed(stored, name)}, ptr {p.address(buffer, indices)}, align {alignment}{hint}")


@prints("memref.extract_aligned_pointer_as_index")
def _pointer(p: FunctionPrinter, op: Operation) -> None:
    p.define(op.results[0], p.emit(f"ptrtoint ptr {p.name(op.operands[0])} to i64"))


@prints("memref.prefetch")
def _prefetch(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices = op.operands
    function = p.out.declare("llvm.prefetch.p0", "void", "ptr, i32, i32, i32")
    hint = op["localityHint"]
    p.statement(f"call void {function}(ptr {p.address(buffer, indices)}, i32 0, i32 {hint}, i32 1)")


ALL, NONE = "splat (i1 true)", "splat (i1 false)"


@prints("vector.maskedload")
def _masked_load(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, mask, other = op.operands
    type, condition = op.results[0].type, p.name(mask)
    if condition in (ALL, NONE):
        p.define(op.results[0], _plain_load(p, buffer, indices, type) if condition == ALL else p.name(other))
        return
    pass_through, stored = _to_memory(p, p.name(other), type)
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(f"llvm.masked.load.{mangled(stored)}.p0", text, f"ptr, {flags}, {text}")
    pointer = f"ptr align {element_bytes(t.element_of(type))} {p.address(buffer, indices)}"
    name = p.emit(f"call {text} {function}({pointer}, {flags} {condition}, {text} {pass_through})")
    p.define(op.results[0], _from_memory(p, name, type))


@prints("vector.maskedstore")
def _masked_store(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, mask, value = op.operands
    condition = p.name(mask)
    if condition in (ALL, NONE):
        if condition == ALL:
            _plain_store(p, value, buffer, indices)
        return
    name, stored = _to_memory(p, p.name(value), value.type)
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(f"llvm.masked.store.{mangled(stored)}.p0", "void", f"{text}, ptr, {flags}")
    pointer = f"ptr align {element_bytes(t.element_of(value.type))} {p.address(buffer, indices)}"
    p.statement(f"call void {function}({text} {name}, {pointer}, {flags} {condition})")


@prints("vector.gather")
def _gather(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, index_vector, mask, other = op.operands
    type = op.results[0].type
    pass_through, stored = _to_memory(p, p.name(other), type)
    element, lanes = type_text(t.element_of(stored)), t.shape_of(type)[0]
    offsets, kind = p.name(index_vector), type_text(index_vector.type)
    pointers = p.emit(f"getelementptr {element}, ptr {p.address(buffer, indices)}, {kind} {offsets}")
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(
        f"llvm.masked.gather.{mangled(stored)}.v{lanes}p0", text, f"<{lanes} x ptr>, {flags}, {text}"
    )
    where = f"<{lanes} x ptr> align {element_bytes(t.element_of(type))} {pointers}"
    name = p.emit(f"call {text} {function}({where}, {flags} {p.name(mask)}, {text} {pass_through})")
    p.define(op.results[0], _from_memory(p, name, type))
