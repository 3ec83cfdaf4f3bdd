# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `memref` dialect: loads, stores, scratch memory. Bounds are checked by the interpreter, not by machine code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect
from kcompile.ir.types import MemRefType, Type

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

memref = Dialect("memref")


def check_access(buffer: Type, indices: tuple[Type, ...]) -> MemRefType:
    """The buffer's type, when `indices` are one index a dim."""
    if not isinstance(buffer, MemRefType):
        raise IRError(f"needs a memref. Received: {buffer}")
    if len(indices) != len(buffer.shape) or any(i is not t.index for i in indices):
        raise IRError(f"{buffer} needs {len(buffer.shape)} indices. Received: {', '.join(map(str, indices)) or 'none'}")
    return buffer


def place(buffer: np.ndarray[Any, Any], indices: list[Any], lanes: int = 1) -> tuple[int, ...]:
    """The indices as ints, checked: element by element inside the buffer, `lanes` of the last dim."""
    where = tuple(int(i) for i in indices)
    last = len(where) - 1
    for k, (i, size) in enumerate(zip(where, buffer.shape, strict=True)):
        if i < 0 or i + (lanes if k == last else 1) > size:
            raise IRError(
                f"access outside the buffer: index {list(where)} ({lanes} lanes) of shape {list(buffer.shape)}"
            )
    return where


@memref.op("load", ins="buffer *indices")
class Load:
    """buffer[indices]."""

    def infer(buffer: Type, *indices: Type) -> Type:
        return check_access(buffer, indices).element

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        buffer, *indices = operands
        return [buffer[place(buffer, indices)]]


@memref.op("store", ins="value buffer *indices")
class Store:
    """buffer[indices] = value."""

    def infer(value: Type, buffer: Type, *indices: Type) -> tuple[Type, ...]:
        if check_access(buffer, indices).element is not value:
            raise IRError(f"a value of {value} does not fit {buffer}")
        return ()

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        value, buffer, *indices = operands
        buffer[place(buffer, indices)] = value
        return []


@memref.op("prefetch", ins="buffer *indices")
class Prefetch:
    """buffer[indices] will be read soon. It changes nothing, and may lie outside of the buffer.

    localityHint   3: into the first-level cache, 2: into the second, ..
    """

    def infer(buffer: Type, *indices: Type, isWrite: bool, localityHint: int, isDataCache: bool) -> tuple[Type, ...]:
        check_access(buffer, indices)
        return ()

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return []


@memref.op("alloca")
class Alloca:
    """Scratch memory of a static shape, for the length of the function; its content is undefined at first."""

    def verify(op: Operation) -> None:
        made = op.results[0].type if len(op.results) == 1 else None
        if not isinstance(made, MemRefType) or t.DYNAMIC in made.shape or made.strides is not None or op.operands:
            raise IRError(f"memref.alloca gives a dense memref of static shape. Received: {made}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        from kcompile.ir.interpreter import undefined

        return [undefined(op.results[0].type)]


@memref.op("dim", ins="buffer index", traits="pure")
class Dim:
    """The size of one dim."""

    def infer(buffer: Type, index: Type) -> Type:
        if not isinstance(buffer, MemRefType) or index is not t.index:
            raise IRError(f"needs a memref and an index. Received: {buffer}, {index}")
        return t.index

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [operands[0].shape[int(operands[1])]]


@memref.op("extract_aligned_pointer_as_index", ins="buffer", traits="pure")
class ExtractAlignedPointer:
    """The address of the first element."""

    def infer(buffer: Type) -> Type:
        if not isinstance(buffer, MemRefType):
            raise IRError(f"needs a memref. Received: {buffer}")
        return t.index

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [np.int64(operands[0].ctypes.data)]
