"""scatter: updates combined with the target at places that the indices tell, always in the order of the updates.

    rows:   this worker's share is a range of batch entries, of vectors of the last dim, or of targets along axes[0]
        target = x, over the share
        for place, in order: i = indices[place]
            if i is inside (and in the share): for the dims taken whole: target[i, ..] = f(target[i, ..], update)

No two workers write one element and each goes through all the places in order, so there is no race, and the sums are
bitwise the same for any number of workers. Shares of vectors are even whatever the indices are; each worker reads its
columns of the updates only. Traffic: x, the updates and the result once, the touched targets again.

With an epilogue, the update of an embedding by its gradient, the share is cut in blocks of targets that fit half of the
L2. Each is made in memory of the worker, all places are gone through for it, and the epilogue reads it from there: the
gradient, as large as the whole table, is neither written nor read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.dialects.graph.indexing import window_axes
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import product
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Kernel

Body = Callable[[Points, list[LaneIndex]], None]
SHARED_VECTORS = 2  # of the last dim, from which on the workers share vectors: two cores get one each at least


@dataclass(frozen=True, slots=True)
class Shares(Parameters):
    """How the work is cut.

    lanes   elements of a vector along the last dim of x
    by      what the workers share: batch, vectors or targets
    block   targets that are made before their epilogue; 0: no epilogue
    """

    lanes: int
    by: str
    block: int


def match(kernel: Kernel, target: Target) -> Shares | None:
    if len(kernel.roots) != 1 or kernel.roots[0].name != "graph.scatter":
        return None
    op = kernel.roots[0]
    block = 0 if kernel.outputs == (op.result,) else targets_of_block(op, target.l2 // 2)
    if block == 0 and any(v is not op.result for v in kernel.outputs):
        return None
    x = op.result.type
    assert isinstance(x, TensorType)
    axes, batch_axes = op["axes"], op.get("batch_axes") or ()
    last = x.shape[-1]
    lanes = target.lanes(x.element) if x.rank - 1 in window_axes(x.rank, axes, batch_axes) else 1
    if not isinstance(last, int) or last < lanes or x.element is t.i1:
        lanes = 1
    if batch_axes:
        return Shares(lanes, "batch", block)
    many = lanes > 1 and isinstance(last, int) and last >= SHARED_VECTORS * lanes
    return Shares(lanes, "vectors" if many else "targets", block)


def targets_of_block(op: Operation, size: int) -> int:
    """How many whole targets of a scatter are in so many bytes; 0 where the targets are not the rows of x."""
    shape = t.shape_of(op.result.type)
    if op["axes"] != (0,) or op.get("batch_axes") or t.element_of(op.result.type) is t.i1:
        return 0
    row = product(shape[1:])
    if not isinstance(row, int) or row == 0:
        return 0
    most = size // (row * -(-t.bitwidth(op.result.type) // 8))
    return min(most, shape[0]) if isinstance(shape[0], int) else most


def emit(kernel: Kernel, params: Shares, target: Target) -> Operation:
    try:
        frame = Frame(kernel)
        _Scatter(frame, kernel.roots[0], params).run()
    except LaneError:  # an operand is made of something that does not lie along the last dim
        params = Shares(1, "targets" if params.by == "vectors" else params.by, params.block)
        frame = Frame(kernel)
        _Scatter(frame, kernel.roots[0], params).run()
    if params.block:
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"scatter{{{params}}}")


class _Scatter:
    def __init__(self, frame: Frame, op: Operation, params: Shares):
        self.frame, self.b, self.op, self.params = frame, frame.b, op, params
        self.x, self.indices, self.updates = op.operands
        self.out = frame.outputs[0]
        self.axes: tuple[int, ...] = op["axes"]
        self.batch_axes: tuple[int, ...] = op.get("batch_axes") or ()
        assert isinstance(self.x.type, TensorType) and isinstance(self.indices.type, TensorType)
        self.shape, self.places = self.x.type.shape, self.indices.type.shape[:-1]
        self.windows = window_axes(len(self.shape), self.axes, self.batch_axes)
        self.last = len(self.shape) - 1
        self.origin: list[Value] = [self.b.index(0)] * len(self.shape)  # what of x the first element of `out` is
        if params.block:
            assert all(isinstance(n, int) for n in self.shape[1:])
            self.out = frame.scratch((params.block, *self.shape[1:]), self.x.type.element)  # type: ignore[arg-type]

    def run(self) -> None:
        b, frame = self.b, self.frame
        zero = b.index(0)
        if self.params.by == "batch":
            lo, hi = b.partition(frame.size(self.shape[self.batch_axes[0]]), frame.tid, frame.team)
            whole = self.columns(zero, frame.size(self.shape[self.last]))
            self.share({self.batch_axes[0]: (lo, hi)}, whole)
        elif self.params.by == "vectors":
            lanes = self.params.lanes
            lo, hi = b.partition(frame.size(self.shape[self.last]), frame.tid, frame.team, lanes)
            with b.if_(b.cmp("lt", lo, hi)) as branch:  # a worker without columns does not go through the indices
                self.share({}, self.columns(lo, hi))
                branch.yield_([])
        else:
            lo, hi = b.partition(frame.size(self.shape[self.axes[0]]), frame.tid, frame.team)
            self.share({self.axes[0]: (lo, hi)}, self.columns(zero, frame.size(self.shape[self.last])))

    def columns(self, lo: Value, hi: Value) -> tuple[Value, Value, Value]:
        """First column, end of the whole vectors, end."""
        b = self.b
        whole = b.mul(b.floordiv(b.sub(hi, lo), b.index(self.params.lanes)), b.index(self.params.lanes))
        return lo, b.add(lo, whole), hi

    def share(self, bounds: dict[int, tuple[Value, Value]], columns: tuple[Value, Value, Value]) -> None:
        """The work of one worker: targets within `bounds` (the whole axis where there are none) and `columns`."""
        if not self.params.block:
            self.make(bounds, columns)
            return
        b, frame, step = self.b, self.frame, self.params.block
        low, high = bounds.get(0, (b.index(0), frame.size(self.shape[0])))
        with b.for_(low, high, step) as loop:
            self.origin[0] = loop.iv
            frame.hold(self.op.result, self.out, self.origin)
            block = {0: (loop.iv, b.min(b.add(loop.iv, b.index(step)), high))}
            self.make(block, columns)
            self.each_element(block, columns, self.finish)
            loop.yield_()

    def each_element(
        self, bounds: dict[int, tuple[Value, Value]], columns: tuple[Value, Value, Value], body: Body
    ) -> None:
        """`body` at every vector of the targets within `bounds` and `columns`."""
        frame, zero = self.frame, self.b.index(0)
        outer = [d for d in range(len(self.shape)) if d != self.last or self.params.lanes == 1]
        with frame.nest([bounds.get(d, (zero, frame.size(self.shape[d]))) for d in outer]) as at:
            known = dict(zip(outer, at, strict=True))
            self.sweep(columns, lambda points, column: body(points, self.target(known, column)))

    def make(self, bounds: dict[int, tuple[Value, Value]], columns: tuple[Value, Value, Value]) -> None:
        """Targets within `bounds` and `columns`: those of x, and the updates that belong there."""
        frame, zero = self.frame, self.b.index(0)
        self.each_element(bounds, columns, self.copy)
        batch = len(self.batch_axes)
        spans = [
            bounds.get(self.batch_axes[i], (zero, frame.size(n))) if i < batch else (zero, frame.size(n))
            for i, n in enumerate(self.places)
        ]
        with frame.nest(spans) as place:
            self.one_place(place, bounds, columns)

    def one_place(
        self, place: list[Value], bounds: dict[int, tuple[Value, Value]], columns: tuple[Value, Value, Value]
    ) -> None:
        b, frame = self.b, self.frame
        points = Points(frame, 1)
        known = dict(zip(self.batch_axes, place, strict=False))
        tests: list[Value] = []
        for i, axis in enumerate(self.axes):
            at = [*(LaneIndex(p) for p in place), LaneIndex(b.index(i))]
            index = b.cast(points.value(self.indices, at), t.index)
            known[axis] = b.max(b.min(index, b.sub(frame.size(self.shape[axis]), 1)), 0)
            if not self.op.get("clamp", True):
                tests.append(b.cmp("eq", index, known[axis]))
            if axis in bounds:
                lo, hi = bounds[axis]
                tests += [b.cmp("ge", known[axis], lo), b.cmp("lt", known[axis], hi)]
            elif not isinstance(self.shape[axis], int):
                tests.append(b.cmp("lt", known[axis], frame.size(self.shape[axis])))  # the axis may be empty
        if not tests:
            self.combine_slice(place, known, columns)
            return
        with b.if_(functools.reduce(b.and_, tests)) as branch:
            self.combine_slice(place, known, columns)
            branch.yield_([])

    def combine_slice(self, place: list[Value], known: dict[int, Value], columns: tuple[Value, Value, Value]) -> None:
        frame = self.frame
        swept = [d for d in self.windows if d != self.last or self.params.lanes == 1]
        with frame.nest([(self.b.index(0), frame.size(self.shape[d])) for d in swept]) as at:
            target = {**known, **dict(zip(swept, at, strict=True))}
            self.sweep(columns, lambda points, column: self.combine(points, place, target, column))

    def sweep(self, columns: tuple[Value, Value, Value], body: Callable[[Points, Value | None], None]) -> None:
        """`body(points, column)` for each vector of the columns, and for the rest under a mask; once with one lane."""
        b, frame, lanes = self.b, self.frame, self.params.lanes
        if lanes == 1:
            body(Points(frame, 1), None)
            return
        lo, whole, hi = columns
        with b.for_(lo, whole, lanes) as loop:
            body(Points(frame, lanes), loop.iv)
            loop.yield_()
        last = self.shape[self.last]
        if isinstance(last, int) and last % lanes == 0:
            return
        with b.if_(b.cmp("lt", whole, hi)) as branch:
            body(Points(frame, lanes, b.mask(b.sub(hi, whole), lanes)), whole)
            branch.yield_([])

    def target(self, known: dict[int, Value], column: Value | None) -> list[LaneIndex]:
        at = {d: LaneIndex(v) for d, v in known.items()}
        if column is not None:
            at[self.last] = LaneIndex(column, 1)
        return [at[d] for d in range(len(self.shape))]

    def copy(self, points: Points, at: list[LaneIndex]) -> None:
        points.store(points.value(self.x, at), self.out, self.own(at))

    def finish(self, points: Points, at: list[LaneIndex]) -> None:
        """The results of the kernel at a place whose target is made; they may replace what the epilogue reads."""
        outputs = self.frame.kernel.outputs
        values = [points.value(v, at) for v in outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):
            points.store(value, memref, at)

    def own(self, at: Sequence[LaneIndex]) -> list[LaneIndex]:
        """Where a target is in `out`."""
        if not self.params.block:
            return list(at)
        return [LaneIndex(self.b.sub(i.base, o), i.stride) for i, o in zip(at, self.origin, strict=True)]

    def combine(self, points: Points, place: list[Value], known: dict[int, Value], column: Value | None) -> None:
        b = self.b
        at = self.target(known, column)
        update = points.vector(points.value(self.updates, [*(LaneIndex(p) for p in place), *self.slice(at)]))
        if self.op["kind"] == "set":
            points.store(update, self.out, self.own(at))
            return
        bases = [i.base for i in self.own(at)]
        if column is None:
            old = b.load(self.out, bases)
        elif points.mask is None:
            old = b.vload(self.out, bases, points.lanes)
        else:
            old = b.masked_load(self.out, bases, points.mask, b.constant(0, update.type))
        combine = {"add": b.add, "mul": b.mul, "min": b.min, "max": b.max}[self.op["kind"]]
        points.store(combine(old, update), self.out, self.own(at))

    def slice(self, at: Sequence[LaneIndex]) -> list[LaneIndex]:
        return [at[d] for d in self.windows]
