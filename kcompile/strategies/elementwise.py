"""elementwise: every result of the kernel at every point, vectors along the last axis; movement of data is the same.

    for row in this worker's share of the leading axes:      (one axis: a share of its vectors)
        for vector in row: evaluate, store
        the rest of the row under a mask, or element by element where lanes cannot be masked

Traffic: every operand and every result once. Concatenation along the last axis is one sweep per part. Vectors span
several registers where rows are short, which makes them straight code, and where functions are dear: their operations
then alternate, where those of one register would wait for each other. Rows of a large table, an embedding, are asked
for some rows before (see looked_up).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import constant_value
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, product
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.looked_up import ask_for_later_row, reads_table
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import DEAR, Kernel, generic, is_static

GRAIN = 4  # vectors of one axis that workers do not share out
UNIT = 512  # elements of several rows that they do not


@dataclass(frozen=True, slots=True)
class Lanes(Parameters):
    """lanes: elements of a register; registers: of a vector."""

    lanes: int
    registers: int = 1


def match(kernel: Kernel, target: Target) -> Lanes | None:
    if kernel.roots:
        return None
    widest = max((t.element_of(v.type) for v in kernel.outputs), key=t.bitwidth)
    lanes, most = target.lanes(widest), target.registers // 8
    if lanes == 1 or not is_plain(kernel):
        return Lanes(lanes)
    sizes = [part.type.shape[-1] for v in kernel.outputs for part in _parts(v) if part.type.shape]  # type: ignore[attr-defined]
    known = [size // lanes for size in sizes if isinstance(size, int)]
    short = len(known) == len(sizes) and max(known, default=0) <= most
    if not short and not any(op.name in DEAR for op in kernel.function.walk()):
        return Lanes(lanes)
    return Lanes(lanes, max(1, min([most, *(1 << max(0, n.bit_length() - 1) for n in known)])))


def is_plain(kernel: Kernel) -> bool:
    """Whether lanes lie side by side in every operand, or share an element."""
    for op in kernel.function.walk():
        if op.name in ("tensor.extract", "linalg.index", "linalg.reverse"):
            return False
        if op.name == "linalg.generic":
            view = generic(op)
            for map_ in view.input_maps:
                strides = [e.coefficient(view.dims - 1) for e in map_.results] if view.dims else []
                if any(strides[:-1]) or strides[-1:] not in ([], [0], [1]):
                    return False
    return True


def emit(kernel: Kernel, params: Lanes, target: Target) -> Operation:
    """With vectors where the lanes can follow the data, else with single elements."""
    for registers, masked in ((params.registers, True), (1, False)):
        try:
            return _emit(kernel, Lanes(params.lanes, registers), masked)
        except LaneError:
            continue
    return _emit(kernel, Lanes(1), False)


def _emit(kernel: Kernel, params: Lanes, masked: bool) -> Operation:
    frame = Frame(kernel)
    sweeps: dict[tuple[Dim, ...], list[tuple[Value, Value, int | Dim]]] = {}
    for value, memref in zip(kernel.outputs, frame.outputs, strict=True):
        offset: Dim = 0
        for part in _parts(value):
            assert isinstance(part.type, TensorType)
            sweeps.setdefault(part.type.shape, []).append((part, memref, offset))
            offset = offset + part.type.shape[-1] if part.type.shape else 0
    for shape, stores in sweeps.items():
        _sweep(frame, shape, stores, params, masked)
    return frame.finish(f"elementwise{{{params}}}")


def _parts(value: Value) -> list[Value]:
    """The parts of a concatenation along the last axis, which are swept one by one; any other value is one part."""
    op = value.defining_op
    if op is not None and op.name == "tensor.concat" and op["dim"] == len(value.type.shape) - 1:  # type: ignore[attr-defined]
        return list(op.operands)
    return [value]


def _sweep(
    frame: Frame, shape: tuple[Dim, ...], stores: list[tuple[Value, Value, Dim]], params: Lanes, masked: bool
) -> None:
    b, lanes, wide = frame.b, params.lanes, params.lanes * params.registers
    along = 1 if lanes > 1 else 0

    def write(at: list[LaneIndex], width: int, mask: Value | None) -> None:
        points = Points(frame, width, mask)
        results = [(points.value(value, at), memref, offset) for value, memref, offset in stores]
        for value, memref, offset in results:
            place = at
            if offset != 0:
                place = [*at[:-1], LaneIndex(b.add(at[-1].base, frame.size(offset)), at[-1].stride)]
            points.store(value, memref, place)

    if not shape:
        with frame.parallel([1]):
            write([], 1, None)
        return
    size = frame.size(shape[-1])
    whole = b.mul(b.floordiv(size, b.index(wide)), b.index(wide))
    if len(shape) == 1:
        grain = max(1, GRAIN // params.registers)
        with frame.parallel([b.floordiv(size, b.index(wide))], grain=grain) as (block,):
            write([LaneIndex(b.mul(block, b.index(wide)), along)], wide, None)
        if lanes > 1:
            with frame.parallel([1]):
                _rest(frame, [], whole, size, params, masked, write)
        return
    table = lanes > 1 and reads_table(frame.kernel)
    with _rows(frame, shape) as row:
        at = [LaneIndex(i) for i in row]
        if table:
            ask_for_later_row(frame, [value for value, *_ in stores], row, shape)
        if constant_value(whole) == wide:
            write([*at, LaneIndex(b.index(0), along)], wide, None)
        elif constant_value(whole) != 0:
            with b.for_(b.index(0), whole, wide) as loop:
                write([*at, LaneIndex(loop.iv, along)], wide, None)
                loop.yield_()
        if lanes > 1:
            _rest(frame, at, whole, size, params, masked, write)


@contextmanager
def _rows(frame: Frame, shape: tuple[Dim, ...]) -> Iterator[list[Value]]:
    """This worker's share of the rows of `shape`. Where each row is in the last axes is told by loops, as a division
    costs more than a short row: one over the share's part of an axis, and one for each axis of a few short rows."""
    b, leading = frame.b, shape[:-1]
    within = len(leading)  # the axes from here on are not shared out
    while within > 1 and is_static(shape[within - 1 :]) and product(shape[within - 1 :]) <= UNIT:  # type: ignore[operator]
        within -= 1
    whole = [(b.index(0), frame.size(n)) for n in leading[within:]]
    if within == 1:
        with frame.parallel(leading[:1]) as row, frame.nest(whole) as inner:
            yield [*row, *inner]
        return
    sizes = [frame.size(n) for n in leading[:within]]
    lo, hi = b.partition(functools.reduce(b.mul, sizes), frame.tid, frame.team, 1)
    axis = sizes[-1]
    last = b.floordiv(b.add(hi, b.sub(axis, b.index(1))), axis)
    with b.for_(b.floordiv(lo, axis), last, 1) as outer:
        first = b.mul(outer.iv, axis)
        at, rest = [], outer.iv
        for size in reversed(sizes[1:-1]):
            at.append(b.mod(rest, size))
            rest = b.floordiv(rest, size)
        part = (b.max(b.sub(lo, first), b.index(0)), b.min(b.sub(hi, first), axis))
        with frame.nest([part, *whole]) as inner:
            yield [rest, *at[::-1], *inner]
        outer.yield_()


def _rest(
    frame: Frame,
    at: list[LaneIndex],
    start: Value,
    size: Value,
    params: Lanes,
    masked: bool,
    write: Callable[[list[LaneIndex], int, Value | None], None],
) -> None:
    """The elements after the last whole vector of several registers."""
    b, lanes = frame.b, params.lanes
    known, place = constant_value(size), constant_value(start)
    if known is not None and place is not None:
        while known - place >= lanes:
            width = lanes << ((known - place) // lanes).bit_length() - 1
            write([*at, LaneIndex(b.index(place), 1)], width, None)
            place += width
        if place == known:
            return
        start = b.index(place)
    elif params.registers > 1:
        full = b.mul(b.floordiv(size, b.index(lanes)), b.index(lanes))
        with b.for_(start, full, lanes) as loop:
            write([*at, LaneIndex(loop.iv, 1)], lanes, None)
            loop.yield_()
        start = full
    if masked:
        rest = b.sub(size, start)
        with b.if_(b.cmp("gt", rest, b.index(0))) as branch:
            write([*at, LaneIndex(start, 1)], lanes, b.mask(rest, lanes))
            branch.yield_([])
        return
    with b.for_(start, size, 1) as loop:
        write([*at, LaneIndex(loop.iv)], 1, None)
        loop.yield_()
