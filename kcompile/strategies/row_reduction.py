"""row_reduction: reductions over the last axes, and chains of them with elementwise code between (softmax, layer norm).

    for row in this worker's share, some side by side:
        for each reduction of the chain, in order:
            accumulators = identity                     -- of several registers; of fewer for what is left at the end
            for the reduced axes: accumulate whole vectors, the last under a mask
            total = init combined with the accumulators, then with their lanes, in a fixed tree
        store the results that have one element per row, then sweep the row for those that have its shape

A row of few vectors is straight code; the rows of a chain are then in stages (`row_stages.py`). A longer
one stays in L1 between its passes; what is dear and read by two of them is kept beside it, the rest is computed again.
Vectors span several registers: their operations then alternate, where those of one register would wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import constant_value
from kcompile.dialects.upstream.vector import lanes_of
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.combiner import COMBINERS, combiner, identity_of
from kcompile.strategies.parts.frame import Frame, storage
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.nan_paths import forgets_nan
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Parts, Points
from kcompile.strategies.parts.row_stages import Stages
from kcompile.strategies.parts.structured import DEAR, Generic, Kernel, generic

GROUP = 4
STAGES = 2  # reductions; the rows of more are too many to keep apart
LONG_ROW = 32  # registers of a row that hides them by itself
AHEAD, LINE = 8 << 10, 64
KEPT_BYTES = 8 << 10  # of a row, beside the row itself in L1
Body = Callable[[list[LaneIndex], int, "Value | None", "Value | None"], "Value | None"]  # at, lanes, mask, running


@dataclass(frozen=True, slots=True)
class Rows(Parameters):
    """lanes: elements of a register; registers: of a vector; held: whether rows are straight code."""

    lanes: int
    registers: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a row: a loop over vectors of `width` elements, or one of which `size` are there (None: known at run
    time, perhaps none)."""

    start: Value
    width: int
    end: Value | None = None  # of a loop
    size: int | None = None


def match(kernel: Kernel, target: Target) -> Rows | None:
    if not kernel.roots or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    views = [generic(op) for op in kernel.roots]
    lanes, rows = None, None
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
    swept = {tuple(view.extents()[d] for d in view.reductions) for view in views}
    length = views[0].extents()[views[0].reductions[-1]]
    if not isinstance(length, int):
        return Rows(lanes, target.registers // 4)
    vectors = -(-length // lanes)
    held = swept == {(length,)} and 1 < lanes and vectors <= target.registers // 2
    return Rows(lanes, min(target.registers // 4, 1 << (max(1, vectors).bit_length() - 1)), held)


def emit(kernel: Kernel, params: Rows, target: Target) -> Operation:
    frame = Frame(kernel)
    try:
        RowEmitter(frame, kernel, params).run()
    except LaneError:  # something that the rows are made of does not lie along them
        frame, params = Frame(kernel), Rows(1, 1)
        RowEmitter(frame, kernel, params).run()
    return frame.finish(f"row_reduction{{{params}}}")


@dataclass(eq=False, slots=True)
class Row:
    """A row being worked on: its indices, and what is known of it."""

    number: int  # of those side by side
    at: list[LaneIndex]
    totals: dict[Value, Value | Parts] = field(default_factory=dict)
    caches: dict[int, dict[Any, Any]] = field(default_factory=dict)  # by width, of a row in registers: all its points
    kept: set[Value] = field(default_factory=set)


class RowEmitter:
    def __init__(self, frame: Frame, kernel: Kernel, params: Rows):
        self.frame, self.kernel, self.params = frame, kernel, params
        self.b = frame.b
        self.views = [generic(op) for op in kernel.roots]
        self.forgetful = {v.op.results[0] for v in self.views if forgets_nan(v, self.views, kernel)}
        self.memory: dict[Value, Value] = {}  # of what is kept beside the rows
        self.columns: dict[int, LaneIndex] = {}  # where the vectors of rows in registers start

    def run(self) -> None:
        b, first = self.b, self.views[0]
        extents = first.extents()
        sizes = [self.frame.size(extents[d]) for d in first.parallel]
        count = b.index(1)
        for size in sizes:
            count = b.mul(count, size)
        lo, hi = b.partition(count, self.frame.tid, self.frame.team, 1)
        group = self.side_by_side(extents[first.reductions[-1]])
        self.keep(extents[first.reductions[-1]], group)
        whole = b.add(lo, b.mul(b.floordiv(b.sub(hi, lo), b.index(group)), b.index(group)))
        for begin, end, step in ((lo, whole, group), (whole, hi, 1)) if group > 1 else ((lo, hi, 1),):
            if self.waits():
                Stages(self, Row, sizes).run(begin, end)
                continue
            with b.for_(begin, end, step) as loop:
                rows = [Row(0, self.place(loop.iv, sizes))]
                for number in range(1, step):
                    rows.append(Row(number, self.following(rows[-1].at, sizes)))
                self.rows(rows)
                loop.yield_()

    def waits(self) -> bool:
        """Whether rows are straight code most of which waits for a reduction."""
        wide = any(len(t.shape_of(v.type)) > len(self.views[0].parallel) for v in self.kernel.outputs)
        return self.params.held and len(self.views) <= STAGES and (len(self.views) > 1 or wide)

    def side_by_side(self, size: Dim) -> int:
        """How many rows are worked on together."""
        lanes, registers = self.params.lanes, self.params.registers
        if lanes == 1 or self.waits():  # rows in stages hide the latencies of one another
            return 1
        if self.params.held:  # as many as registers can hold
            assert isinstance(size, int)
            return max(1, min(GROUP, 2 * registers * lanes // max(1, size)))
        return 1 if isinstance(size, int) and size >= LONG_ROW * lanes else GROUP

    def keep(self, size: Dim, group: int) -> None:
        """Memory for what is dear and read by more than one pass over the rows."""
        lanes = self.params.lanes
        if (
            not isinstance(size, int)
            or lanes == 1
            or self.params.held
            or any(len(v.reductions) > 1 for v in self.views)
        ):
            return
        for view in self.views:
            for value, map_ in view.operands_read:
                made, element = value.defining_op, t.element_of(value.type)
                if made is None or made.name != "linalg.generic" or value in self.memory or not map_.is_identity:
                    continue
                again = len(value.uses) > 1 and any(op.name in DEAR for op in generic(made).body.ops)
                width = -(-size // lanes) * lanes
                if again and width * t.bitwidth(element) <= 8 * KEPT_BYTES:
                    self.memory[value] = self.b.alloca((group, width), storage(element))

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

    def rows(self, rows: list[Row]) -> None:
        """Rows side by side, reduction by reduction: while the lanes of one are joined, the next are swept."""
        self.columns = {}
        for view in self.views:
            for row in rows:
                row.totals[view.op.results[0]] = self.reduce(view, row)
        for row in rows:
            self.store(row)

    def store(self, row: Row) -> None:
        scalar = Points(self.frame, 1, None, row.totals)
        wide: dict[tuple[Dim, ...], list[tuple[Value, Value]]] = {}
        for value, memref in zip(self.kernel.outputs, self.frame.outputs, strict=True):
            assert isinstance(value.type, TensorType)
            if len(value.type.shape) == len(row.at):
                scalar.store(scalar.value(value, row.at), memref, row.at)
            else:
                wide.setdefault(value.type.shape, []).append((value, memref))
        for shape, results in wide.items():

            def write(
                at: list[LaneIndex],
                width: int,
                mask: Value | None,
                _: Value | None,
                results: list[tuple[Value, Value]] = results,
            ) -> None:
                points = self.points(row, at, width, mask)
                for value, memref in results:
                    points.store(points.value(value, [*row.at, *at]), memref, [*row.at, *at])

            self.sweep(shape[len(row.at) :], write)

    def points(self, row: Row, at: list[LaneIndex], width: int, mask: Value | None) -> Points:
        """An evaluator at a vector of a row, which knows what was kept of it."""
        known = row.caches.setdefault(width, {}) if self.params.held else None
        points = Points(self.frame, width, mask, row.totals, known)
        for value in row.kept:
            loaded = self.b.vload(self.memory[value], [self.b.index(row.number), at[-1].base], width)
            points.cache[value, (*row.at, *at)] = loaded
        return points

    def stretches(self, size: Dim) -> Iterator[Stretch]:
        """The innermost axis of a row: wide vectors, then narrower ones, each at most once where the size is known."""
        b, lanes = self.b, self.params.lanes
        wide = lanes * self.params.registers
        if not isinstance(size, int):
            full, total, begin = b.index(0), self.frame.size(size), b.index(0)
            for width in sorted({wide, lanes}, reverse=True):
                full = b.mul(b.floordiv(total, b.index(width)), b.index(width))
                yield Stretch(begin, width, full)
                begin = full
            if lanes > 1:
                yield Stretch(full, lanes)
            return
        start = size // wide * wide
        if self.params.held:
            for at in range(0, start, wide):
                yield Stretch(b.index(at), wide, size=wide)
        elif start:
            yield Stretch(b.index(0), wide, b.index(start))
        while start < size:
            width = min(lanes << ((-(-(size - start) // lanes)).bit_length() - 1), wide)
            yield Stretch(b.index(start), width, size=min(width, size - start))
            start += width

    def sweep(
        self,
        sizes: Sequence[Dim],
        body: Body,
        at: Sequence[LaneIndex] = (),
        sums: dict[int, Value] | None = None,
    ) -> dict[int, Value]:
        """`body` at every vector of a row; `sums` are carried along, one for every width."""
        b = self.b
        sums = dict(sums or {})
        if len(sizes) > 1:
            with b.for_(b.index(0), self.frame.size(sizes[0]), 1, list(sums.values())) as loop:
                inner = dict(zip(sums, loop.args, strict=True))
                loop.yield_(list(self.sweep(sizes[1:], body, [*at, LaneIndex(loop.iv)], inner).values()))
            return dict(zip(sums, loop.results, strict=True))
        for stretch in self.stretches(sizes[0]):
            made = self.stretch(stretch, sizes[0], body, at, sums.get(stretch.width))
            if made is not None:
                sums[stretch.width] = made
        return sums

    def stretch(
        self, stretch: Stretch, size: Dim, body: Body, at: Sequence[LaneIndex], running: Value | None
    ) -> Value | None:
        b, width, carried = self.b, stretch.width, [] if running is None else [running]
        along = 1 if self.params.lanes > 1 else 0
        if stretch.end is not None:
            with b.for_(stretch.start, stretch.end, width, carried) as loop:
                made = body([*at, LaneIndex(loop.iv, along)], width, None, loop.args[0] if carried else None)
                loop.yield_([] if made is None else [made])
            return loop.results[0] if carried else None
        if stretch.size is not None:
            index = LaneIndex(stretch.start, along)
            if self.params.held:  # the places of every pass are the same, so that what is known of them is found
                index = self.columns.setdefault(constant_value(stretch.start), index)
            mask = b.mask(b.index(stretch.size), width) if stretch.size < width else None
            return body([*at, index], width, mask, running)
        rest = b.sub(self.frame.size(size), stretch.start)
        with b.if_(b.cmp("gt", rest, b.index(0)), [v.type for v in carried]) as branch:
            made = body([*at, LaneIndex(stretch.start, along)], width, b.mask(rest, width), running)
            branch.yield_([] if made is None else [made])
            if carried:
                with branch.else_():
                    branch.yield_(carried)
        return branch.results[0] if carried else None

    def reduce(self, view: Generic, row: Row) -> Value:
        """One reduction over its trailing dims, for one row."""
        b = self.b
        join = combiner(view)
        assert join is not None
        kind = COMBINERS[join.name]
        element = t.element_of(view.op.results[0].type)
        extents = view.extents()
        sizes = [extents[d] for d in view.reductions]
        forgetful = view.op.results[0] in self.forgetful
        unite = self.greater if forgetful else partial(self.join, join)
        keeping = [value for value in self.memory if value in view.inputs and value not in row.kept]

        def step(at: list[LaneIndex], width: int, mask: Value | None, running: Value | None) -> Value:
            assert running is not None
            # A row in registers is asked for at once; a long one with the last reduction, most often the slowest one.
            if view is self.views[0 if self.params.held else -1] and len(self.views) > 1:
                self.ask_ahead(row, at, width)
            points = self.points(row, at, width, mask)
            if forgetful:
                ((tensor, map_),) = view.operands_read
                new = self.greater(points.vector(points.value(tensor, points.map(map_, [*row.at, *at]))), running)
            else:
                new = points.vector(points.generic_body(view.op, [*row.at, *at], [running])[0])
            for value in keeping:
                vector = points.vector(points.value(value, [*row.at, *at]))
                b.vstore(vector, self.memory[value], [b.index(row.number), at[-1].base])
            return new if mask is None else b.select(mask, new, running)

        widths = dict.fromkeys(stretch.width for stretch in self.stretches(sizes[-1]))
        identity = identity_of(kind, element)
        first = {w: b.constant(identity, VectorType((w,), element) if w > 1 else element) for w in widths}
        total, *narrower = self.sweep(sizes, step, (), first).values() or [b.constant(identity, element)]
        row.kept.update(keeping)
        for other in narrower:
            total = unite(self.fold(unite, total, lanes_of(other.type)), other)
        if forgetful and isinstance(total.type, VectorType):
            total = self.b.extract(self.fold(unite, total, 1), 0)
        elif isinstance(total.type, VectorType):
            total = b.reduce(kind.removeprefix("u"), total, unsigned=kind.startswith("u"))
        scalar = Points(self.frame, 1, None, row.totals)
        return self.join(join, scalar.value(view.inits[0], row.at), total)

    def ask_ahead(self, row: Row, at: list[LaneIndex], width: int) -> None:
        """Ask for what lies some rows on: rows come in bursts, from which caches do not learn what is next."""
        results = zip(self.kernel.outputs, self.frame.outputs, strict=True)
        for tensor, memref in (*self.frame.memref.items(), *results):
            rows = t.shape_of(tensor.type)[: len(row.at)] == t.shape_of(self.views[0].op.result.type)
            if rows and len(t.shape_of(tensor.type)) == len(row.at) + len(at):
                size = max(1, t.bitwidth(t.element_of(tensor.type)) // 8)
                for line in range(0, width, LINE // size):
                    place = self.b.add(at[-1].base, self.b.index(AHEAD // size + line))
                    self.b.prefetch(memref, [*(index.base for index in (*row.at, *at[:-1])), place])

    def fold(self, unite: Callable[[Value, Value], Value], total: Value, width: int) -> Value:
        """The halves of a vector joined until it has `width` lanes."""
        while (lanes := lanes_of(total.type)) > width:
            low, high = (self.b.shuffle(total, total, range(k, k + lanes // 2)) for k in (0, lanes // 2))
            total = unite(low, high)
        return total

    def join(self, join: Operation, x: Value, y: Value) -> Value:
        made = self.b.create(join.name, [x, y], join.attributes, [x.type])
        return made.result

    def greater(self, x: Value, y: Value) -> Value:
        """The greater one, y where x is NaN: one instruction."""
        return self.b.select(self.b.cmp("gt", x, y), x, y)
