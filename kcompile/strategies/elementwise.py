"""elementwise: every result of the kernel at every point, vectors along the last axis; movement of data is the same.

    for row in this worker's share of the leading axes:      (one axis: a share of its vectors)
        for vector in row: evaluate, store
        the rest of the row under a mask, or element by element where lanes cannot be masked

Traffic: every operand and every result once. Concatenation along the last axis is one sweep per part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneError, LaneIndex
from kcompile.strategies.parameters import Parameters
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Kernel

PIECES = 16  # shares that are equal enough for a team; a division for every row would cost more than a short row


@dataclass(frozen=True, slots=True)
class Lanes(Parameters):
    """lanes: elements of a vector."""

    lanes: int


def match(kernel: Kernel, target: Target) -> Lanes | None:
    if kernel.roots:
        return None
    widest = max((t.element_of(v.type) for v in kernel.outputs), key=t.bitwidth)
    return Lanes(target.lanes(widest))


def emit(kernel: Kernel, params: Lanes, target: Target) -> Operation:
    """With vectors where the lanes can follow the data, else with single elements."""
    for lanes, masked in ((params.lanes, True), (params.lanes, False)):
        try:
            return _emit(kernel, lanes, masked)
        except LaneError:
            continue
    return _emit(kernel, 1, False)


def _emit(kernel: Kernel, lanes: int, masked: bool) -> Operation:
    frame = Frame(kernel)
    sweeps: dict[tuple[Dim, ...], list[tuple[Value, Value, int | Dim]]] = {}
    for value, memref in zip(kernel.outputs, frame.outputs, strict=True):
        offset: Dim = 0
        for part in _parts(value):
            assert isinstance(part.type, TensorType)
            sweeps.setdefault(part.type.shape, []).append((part, memref, offset))
            offset = offset + part.type.shape[-1] if part.type.shape else 0
    for shape, stores in sweeps.items():
        _sweep(frame, shape, stores, lanes, masked)
    return frame.finish(f"elementwise{{{Lanes(lanes)}}}")


def _parts(value: Value) -> list[Value]:
    """The parts of a concatenation along the last axis, which are swept one by one; any other value is one part."""
    op = value.defining_op
    if op is not None and op.name == "tensor.concat" and op["dim"] == len(value.type.shape) - 1:  # type: ignore[attr-defined]
        return list(op.operands)
    return [value]


def _sweep(
    frame: Frame, shape: tuple[Dim, ...], stores: list[tuple[Value, Value, Dim]], lanes: int, masked: bool
) -> None:
    b = frame.b

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
    full = b.mul(b.floordiv(size, b.index(lanes)), b.index(lanes))
    if len(shape) == 1:
        with frame.parallel([b.floordiv(size, b.index(lanes))], grain=4) as (block,):
            write([LaneIndex(b.mul(block, b.index(lanes)), 1 if lanes > 1 else 0)], lanes, None)
        if lanes > 1:
            with frame.parallel([1]):
                _rest(frame, [], full, size, lanes, masked, write)
        return
    with _rows(frame, shape[:-1]) as row:
        at = [LaneIndex(i) for i in row]
        with b.for_(b.index(0), full, lanes) as loop:
            write([*at, LaneIndex(loop.iv, 1 if lanes > 1 else 0)], lanes, None)
            loop.yield_()
        if lanes > 1:
            _rest(frame, at, full, size, lanes, masked, write)


@contextmanager
def _rows(frame: Frame, shape: tuple[Dim, ...]) -> Iterator[list[Value]]:
    """This worker's share of the rows; the last axis is a loop of its own where the others give pieces enough."""
    if prod(n for n in shape[:-1] if isinstance(n, int)) < PIECES or not isinstance(shape[-1], int):
        with frame.parallel(list(shape)) as row:
            yield row
        return
    with frame.parallel(list(shape[:-1])) as row, frame.b.for_(frame.b.index(0), frame.b.index(shape[-1]), 1) as loop:
        yield [*row, loop.iv]
        loop.yield_()


def _rest(
    frame: Frame,
    at: list[LaneIndex],
    start: Value,
    size: Value,
    lanes: int,
    masked: bool,
    write: Callable[[list[LaneIndex], int, Value | None], None],
) -> None:
    """The elements after the last whole vector."""
    b = frame.b
    rest = b.sub(size, start)
    constant = rest.defining_op
    if constant is not None and constant.name == "arith.constant" and constant["value"] == 0:
        return
    if masked:
        with b.if_(b.cmp("gt", rest, b.index(0))) as branch:
            write([*at, LaneIndex(start, 1)], lanes, b.mask(rest, lanes))
            branch.yield_([])
        return
    with b.for_(start, size, 1) as loop:
        write([*at, LaneIndex(loop.iv)], 1, None)
        loop.yield_()
