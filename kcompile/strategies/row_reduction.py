"""row_reduction: reductions over the last axes, and chains of them with elementwise code between (softmax, layer norm).

    for row in this worker's share, four side by side:
        for each reduction of the chain, in order:
            accumulator[unroll] = identity                       -- `lanes` partial results each
            for the reduced axes: accumulate whole vectors; the rest of the last axis under a mask
            total = init combined with the accumulators, then with their lanes, in a fixed tree
        store the results that have one element per row, then sweep the row for those that have its shape

A row stays in L1 between its passes; what lies between two reductions is computed again in each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneError, LaneIndex
from kcompile.strategies.parameters import Parameters
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Generic, Kernel, generic

GROUP = 4  # rows side by side: the latencies of one hide behind the work of the others

COMBINERS = {
    "arith.addf": "add", "arith.addi": "add", "arith.mulf": "mul", "arith.muli": "mul",
    "arith.maximumf": "max", "arith.minimumf": "min", "arith.maxsi": "max", "arith.minsi": "min",
    "arith.maxui": "umax", "arith.minui": "umin", "arith.andi": "and", "arith.ori": "or", "arith.xori": "xor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows(Parameters):
    """lanes: elements of a vector; unroll: independent accumulators."""

    lanes: int
    unroll: int


def combiner(view: Generic) -> Operation | None:
    """The operation that joins the running result with a new element, if the body ends in a known one."""
    if len(view.op.results) != 1:
        return None
    yielded = view.body.terminator.operands[0].defining_op
    running = view.body.arguments[-1]
    if yielded is None or yielded.name not in COMBINERS or not running.has_one_use:
        return None
    return yielded if running in yielded.operands else None


def match(kernel: Kernel, target: Target) -> Rows | None:
    if not kernel.roots or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    views = [generic(op) for op in kernel.roots]
    lanes = None
    rows = None
    scattered = False  # an operand does not lie along the row
    for view in views:
        out = view.output_maps[0]
        shape = tuple(view.extents()[d] for d in view.parallel)
        # every reduction walks its trailing dims, after the same leading ones
        if (
            combiner(view) is None
            or [e.dim for e in out.results] != list(view.parallel)
            or view.parallel != tuple(range(len(shape)))
        ):
            return None
        if rows is not None and rows != shape:
            return None
        rows = shape
        inner = view.reductions[-1]
        for _, map_ in view.operands_read:
            strides = [e.coefficient(inner) for e in map_.results]
            scattered = scattered or any(strides[:-1]) or (bool(strides) and strides[-1] not in (0, 1))
        lanes = target.lanes(t.element_of(view.op.results[0].type))
    assert rows is not None and lanes is not None
    for value in kernel.outputs:
        assert isinstance(value.type, TensorType)
        if value.type.shape[: len(rows)] != rows:
            return None
    if scattered:  # a lone reduction is for scalar_loops, which knows every epilogue
        chain = len(views) > 1 or any(v.type.shape != rows for v in kernel.outputs)  # type: ignore[attr-defined]
        return Rows(1, 1) if chain else None
    inner_size = views[0].extents()[views[0].reductions[-1]]
    long = not isinstance(inner_size, int) or inner_size >= 8 * lanes
    return Rows(lanes, 4 if long else 1)


def emit(kernel: Kernel, params: Rows, target: Target) -> Operation:
    frame = Frame(kernel)
    try:
        _RowEmitter(frame, kernel, params).run()
    except LaneError:  # something that the rows are made of does not lie along them
        frame, params = Frame(kernel), Rows(1, 1)
        _RowEmitter(frame, kernel, params).run()
    return frame.finish(f"row_reduction{{{params}}}")


class _RowEmitter:
    def __init__(self, frame: Frame, kernel: Kernel, params: Rows):
        self.frame, self.kernel, self.params = frame, kernel, params
        self.b = frame.b
        self.views = [generic(op) for op in kernel.roots]

    def run(self) -> None:
        b, first = self.b, self.views[0]
        extents = first.extents()
        sizes = [self.frame.size(extents[d]) for d in first.parallel]
        count = b.index(1)
        for size in sizes:
            count = b.mul(count, size)
        lo, hi = b.partition(count, self.frame.tid, self.frame.team, 1)
        group = GROUP if self.params.lanes > 1 else 1
        whole = b.add(lo, b.mul(b.floordiv(b.sub(hi, lo), b.index(group)), b.index(group)))
        for begin, end, step in ((lo, whole, group), (whole, hi, 1)) if group > 1 else ((lo, hi, 1),):
            with b.for_(begin, end, step) as loop:
                rows = [self.place(loop.iv, sizes)]
                for _ in range(1, step):
                    rows.append(self.following(rows[-1], sizes))
                self.rows(rows)
                loop.yield_()

    def place(self, number: Value, sizes: list[Value]) -> list[LaneIndex]:
        """The indices of a row."""
        b = self.b
        at: list[LaneIndex] = []
        for size in reversed(sizes[1:]):
            at.append(LaneIndex(b.mod(number, size)))
            number = b.floordiv(number, size)
        return [*([LaneIndex(number)] if sizes else []), *at[::-1]]

    def following(self, at: list[LaneIndex], sizes: list[Value]) -> list[LaneIndex]:
        """The indices of the next row: one more, carried on where a size is reached; divisions take 20 cycles."""
        b = self.b
        made: list[LaneIndex] = []
        carry: Value | None = None
        for index, size in reversed(list(zip(at, sizes, strict=True))):
            more = b.add(index.base, b.index(1))
            moved = more if carry is None else b.select(carry, more, index.base)
            reached = b.cmp("eq", moved, size)
            carry = reached
            last = len(made) == len(sizes) - 1
            made.append(LaneIndex(moved if last else b.select(reached, b.index(0), moved)))
        return made[::-1]

    def rows(self, rows: list[list[LaneIndex]]) -> None:
        """Rows side by side, reduction by reduction: while the lanes of one are joined, the next are swept."""
        totals: list[dict[Value, Value]] = [{} for _ in rows]
        for view in self.views:
            for at, known in zip(rows, totals, strict=True):
                known[view.op.results[0]] = self.reduce(view, at, known)
        for at, known in zip(rows, totals, strict=True):
            self.store(at, known)

    def store(self, row: list[LaneIndex], totals: dict[Value, Value]) -> None:
        scalar = Points(self.frame, 1, None, totals)
        wide: dict[tuple[object, ...], list[tuple[Value, Value]]] = {}
        for value, memref in zip(self.kernel.outputs, self.frame.outputs, strict=True):
            assert isinstance(value.type, TensorType)
            if len(value.type.shape) == len(row):
                scalar.store(scalar.value(value, row), memref, row)
            else:
                wide.setdefault(value.type.shape, []).append((value, memref))
        for shape, results in wide.items():
            sizes = [self.frame.size(d) for d in shape[len(row) :]]  # type: ignore[arg-type]

            def write(
                at: list[LaneIndex], lanes: int, mask: Value | None, results: list[tuple[Value, Value]] = results
            ) -> None:
                points = Points(self.frame, lanes, mask, totals)
                for value, memref in results:
                    points.store(points.value(value, [*row, *at]), memref, [*row, *at])

            self.sweep(sizes, write)

    def sweep(self, sizes: list[Value], body: Callable[[list[LaneIndex], int, Value | None], None]) -> None:
        """`body` at every vector of a row, without carried values."""
        b, lanes = self.b, self.params.lanes
        with self.frame.nest([(b.index(0), s) for s in sizes[:-1]]) as outer:
            at = [LaneIndex(i) for i in outer]
            full = b.mul(b.floordiv(sizes[-1], b.index(lanes)), b.index(lanes))
            with b.for_(b.index(0), full, lanes) as loop:
                body([*at, LaneIndex(loop.iv, 1)], lanes, None)
                loop.yield_()
            if lanes == 1:
                return
            rest = b.sub(sizes[-1], full)
            with b.if_(b.cmp("gt", rest, b.index(0))) as branch:
                body([*at, LaneIndex(full, 1)], lanes, b.mask(rest, lanes))
                branch.yield_([])

    def reduce(self, view: Generic, row: list[LaneIndex], totals: dict[Value, Value]) -> Value:
        """One reduction over its trailing dims, for one row."""
        b, lanes, unroll = self.b, self.params.lanes, self.params.unroll
        join = combiner(view)
        assert join is not None
        kind = COMBINERS[join.name]
        element = t.element_of(view.op.results[0].type)
        running: t.Type = VectorType((lanes,), element) if lanes > 1 else element
        identity = b.constant(identity_of(kind, element), running)
        extents = view.extents()
        sizes = [self.frame.size(extents[d]) for d in view.reductions]

        def step(at: list[LaneIndex], running: Value, mask: Value | None) -> Value:
            points = Points(self.frame, lanes, mask, totals)
            new = points.vector(points.generic_body(view.op, [*row, *at], [running])[0])
            return new if mask is None else b.select(mask, new, running)

        def inner(at: list[LaneIndex], sums: list[Value]) -> list[Value]:
            size = sizes[-1]
            stride = lanes * unroll
            wide = b.mul(b.floordiv(size, b.index(stride)), b.index(stride))
            with b.for_(b.index(0), wide, stride, sums) as loop:
                new = [
                    step([*at, LaneIndex(b.add(loop.iv, b.index(u * lanes)), 1)], loop.args[u], None)
                    for u in range(unroll)
                ]
                loop.yield_(new)
            sums = list(loop.results)
            full = b.mul(b.floordiv(size, b.index(lanes)), b.index(lanes))
            if unroll > 1:
                with b.for_(wide, full, lanes, [sums[0]]) as loop:
                    loop.yield_([step([*at, LaneIndex(loop.iv, 1)], loop.args[0], None)])
                sums[0] = loop.results[0]
            if lanes == 1:
                return sums
            rest = b.sub(size, full)
            with b.if_(b.cmp("gt", rest, b.index(0)), [sums[0].type]) as branch:
                branch.yield_([step([*at, LaneIndex(full, 1)], sums[0], b.mask(rest, lanes))])
                with branch.else_():
                    branch.yield_([sums[0]])
            return [branch.results[0], *sums[1:]]

        def nest(outer: list[Value], at: list[LaneIndex], sums: list[Value]) -> list[Value]:
            if not outer:
                return inner(at, sums)
            with b.for_(b.index(0), outer[0], 1, sums) as loop:
                loop.yield_(nest(outer[1:], [*at, LaneIndex(loop.iv)], list(loop.args)))
            return list(loop.results)

        sums = nest(sizes[:-1], [], [identity] * unroll)
        total = sums[0]
        for other in sums[1:]:
            total = self.join(join, total, other)
        scalar = Points(self.frame, 1, None, totals)
        start = scalar.value(view.inits[0], row)
        if lanes == 1:
            return self.join(join, start, total)
        return self.join(join, start, b.reduce(kind.removeprefix("u"), total, unsigned=kind.startswith("u")))

    def join(self, join: Operation, x: Value, y: Value) -> Value:
        made = self.b.create(join.name, [x, y], join.attributes, [x.type])
        return made.result


def identity_of(kind: str, element: t.Type) -> int | float | bool:
    """The value that a combiner leaves alone."""
    if kind in ("add", "or", "xor", "umax"):
        return 0
    if kind == "mul":
        return 1
    if t.is_float(element):
        return float("-inf") if kind == "max" else float("inf")
    width = t.bitwidth(element)
    if kind in ("and", "umin"):
        return -1 if width > 1 else 1
    return -(1 << (width - 1)) if kind == "max" else (1 << (width - 1)) - 1
