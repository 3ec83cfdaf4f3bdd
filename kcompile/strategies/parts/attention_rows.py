"""The middle of an attention kernel: reductions and elementwise work along the rows of a block of scores, in scratch.

Scores and the elementwise results that are worth keeping (the exponentials, the weights) have a buffer of one block;
one takes over another's where that is not read any more. Sums have fixed lanes and a fixed tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.attention_parts import AttentionParts
from kcompile.strategies.parts.combiner import COMBINERS, combiner, identity_of
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.points import Parts, Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic

ACCUMULATORS = 4  # independent running results of a reduction
UNROLLED_VECTORS = 16  # rows up to this long are straight code
GROUP = 4  # rows that go through the reductions together


class RowPoints(Points):
    """Points whose tensors may be in scratch: `local` gives their buffers, `row` the row of the block."""

    def __init__(
        self,
        frame: Frame,
        lanes: int,
        mask: Value | None = None,
        bound: Mapping[Value, Value | Parts] | None = None,
        cache: dict[Any, Any] | None = None,
        local: Mapping[Value, Value] | None = None,
        row: Value | None = None,
    ):
        super().__init__(frame, lanes, mask, bound, cache)
        self.local = dict(local or {})
        self.row = row

    def in_branch(self) -> RowPoints:
        return RowPoints(self.frame, self.lanes, self.mask, self.bound, None, self.local, self.row)

    def _evaluate(self, tensor: Value, indices: list[LaneIndex]) -> Value:
        buffer = self.local.get(tensor)
        if buffer is None:
            return super()._evaluate(tensor, indices)
        assert self.row is not None
        last = indices[-1]
        if self.lanes == 1 or last.stride == 0:
            return self.b.load(buffer, [self.row, last.base])
        if last.stride != 1:
            raise LaneError("a row of scores is read forwards")
        return self.b.vload(buffer, [self.row, last.base], self.lanes)  # rows are padded to whole vectors


class Rows:
    """Emits the work between the two products."""

    def __init__(self, frame: Frame, kernel: Kernel, found: AttentionParts, lanes: int, block: int):
        self.frame, self.lanes, self.b = frame, lanes, frame.b
        self.scores = [view.op.results[0] for view in found.products]
        self.shape = t.shape_of(self.scores[0].type)
        self.size = found.s
        self.padded = (block, -(-self.size // lanes) * lanes)
        self.block = block
        ends = [s.view.op for s in found.sums]
        self.ops = _between(kernel, {*(view.op for view in found.products), *ends})
        self.reductions = {view.op: view for view in found.rows}
        self._buffers: dict[Value, Value] = {}
        self._assign(ends)
        totals = [op.results[0] for op in self.ops if not self._is_stored(op)]
        inside = {*self.ops, *ends}
        self._totals = {
            v: frame.scratch((block,), t.element_of(v.type)) for v in totals if any(u not in inside for u in v.users)
        }

    def buffer(self, value: Value) -> Value:
        """Where a block of `value` is."""
        return self._buffers[value]

    def totals(self, row: Value) -> dict[Value, Value]:
        """The numbers of a row that are read after the second product."""
        return {value: self.b.load(buffer, [row]) for value, buffer in self._totals.items()}

    def _assign(self, ends: Sequence[Operation]) -> None:
        """A buffer for the scores and for each stored elementwise result of their shape."""
        kept = [*self.scores, *(op.results[0] for op in self.ops if self._is_stored(op))]
        order = {op: i for i, op in enumerate([*self.ops, *ends])}
        for value in kept:
            op = value.defining_op
            free = None
            for other in op.operands if value not in self.scores and op is not None else ():
                readers = [order[u] for u in other.users if u in order]
                same = other in self._buffers and t.element_of(other.type) is t.element_of(value.type)
                # `value` is made after the reductions before it, and read at its own point only
                if same and op is not None and max(readers) <= order[op]:
                    free = self._buffers[other]
            element = t.element_of(value.type)
            self._buffers[value] = self.frame.scratch(self.padded, element) if free is None else free

    def _is_stored(self, op: Operation) -> bool:
        return op not in self.reductions and op.results[0].type.shape == self.shape  # type: ignore[attr-defined]

    def emit(self, batch: list[LaneIndex], start: Value, ask: Callable[[Value], None]) -> None:
        """All rows of the block whose first row is `start`; `ask` is called for each."""
        b = self.b
        whole = self.block // GROUP * GROUP
        if whole:
            with b.for_(b.index(0), b.index(whole), GROUP) as loop:
                numbers = [b.add(loop.iv, b.index(i)) for i in range(GROUP)]
                for number in numbers:
                    ask(b.add(start, number))
                self.group(batch, start, numbers)
                loop.yield_()
        if whole < self.block:
            self.group(batch, start, [b.index(i) for i in range(whole, self.block)])

    def group(self, batch: list[LaneIndex], start: Value, numbers: list[Value]) -> None:
        """A few rows side by side, reduction by reduction: while the lanes of one are joined, the next are swept."""
        rows = [_Row(self, [*batch, LaneIndex(self.b.add(start, n))], n) for n in numbers]
        pending: list[Value] = []
        for op in self.ops:
            value = op.results[0]
            if self._is_stored(op):
                pending.append(value)
                continue
            for row in rows:
                if op in self.reductions:
                    row.totals[value] = row.reduce(self.reductions[op], pending)
                else:  # one number a row
                    row.totals[value] = row.points(1).value(value, row.at)
            if op in self.reductions:
                pending = []
        for row in rows:
            if pending:
                row.sweep(None, pending)
            for value, buffer in self._totals.items():
                self.b.store(row.totals[value], buffer, [row.row])


class _Row:
    """One row: its sums so far, and what is stored of it."""

    def __init__(self, rows: Rows, at: list[LaneIndex], row: Value):
        self.rows, self.at, self.row, self.b = rows, at, row, rows.b
        self.totals: dict[Value, Value] = {}
        self.local = {scores: rows.buffer(scores) for scores in rows.scores}

    def points(self, lanes: int, mask: Value | None = None) -> RowPoints:
        return RowPoints(self.rows.frame, lanes, mask, self.totals, None, self.local, self.row)

    def reduce(self, view: Generic, pending: list[Value]) -> Value:
        join = combiner(view)
        assert join is not None
        kind = COMBINERS[join.name]
        sums = self.sweep(view, pending)
        total = sums[0]
        for other in sums[1:]:
            total = self.join(join, total, other)
        start = self.points(1).value(view.inits[0], self.at)
        if self.rows.lanes > 1:
            total = self.b.reduce(kind.removeprefix("u"), total, unsigned=kind.startswith("u"))
        return self.join(join, start, total)

    def join(self, join: Operation, x: Value, y: Value) -> Value:
        return self.b.create(join.name, [x, y], join.attributes, [x.type]).result

    def sweep(self, view: Generic | None, pending: list[Value]) -> list[Value]:
        """Store `pending` and accumulate `view` over the row; gives the running results."""
        b, rows = self.b, self.rows
        lanes = rows.lanes
        sums: list[Value] = []
        if view is not None:
            join = combiner(view)
            assert join is not None
            element = t.element_of(view.op.results[0].type)
            running: t.Type = VectorType((lanes,), element) if lanes > 1 else element
            count = min(ACCUMULATORS, -(-rows.size // lanes))
            sums = [b.constant(identity_of(COMBINERS[join.name], element), running)] * count

        def visit(first: Value, sums: list[Value], which: int, mask: Value | None = None) -> list[Value]:
            points = self.points(lanes, mask)
            place = [*self.at, LaneIndex(first, 1)]
            made = [(v, points.vector(points.value(v, place))) for v in pending]
            if view is not None:
                body = points.generic_body(view.op, place, [sums[which]])[0]
                new = points.vector(body)
                sums = [*sums]
                sums[which] = new if mask is None else b.select(mask, new, sums[which])
            for v, value in made:
                b.vstore(value, rows.buffer(v), [self.row, first])
            return sums

        full, rest = divmod(rows.size, lanes)
        turns = max(1, len(sums) or ACCUMULATORS)
        looped = 0 if full <= UNROLLED_VECTORS else full // turns * turns
        if looped:
            with b.for_(b.index(0), b.index(looped * lanes), turns * lanes, sums) as loop:
                inner = list(loop.args)
                for u in range(turns):
                    inner = visit(b.add(loop.iv, b.index(u * lanes)), inner, u)
                loop.yield_(inner)
            sums = list(loop.results)
        for i in range(looped, full):
            sums = visit(b.index(i * lanes), sums, i % turns)
        if rest:
            sums = visit(b.index(full * lanes), sums, full % turns, b.mask(b.index(rest), lanes))
        for value in pending:
            self.local[value] = rows.buffer(value)
        return sums


def _between(kernel: Kernel, products: set[Operation]) -> list[Operation]:
    """The generics before the last product that are not products themselves, in order."""
    found: list[Operation] = []
    made: list[Operation] = []
    for op in kernel.function.body.ops:
        if op in products:
            found, made = [*found, *made], []
        elif op.name == "linalg.generic" and generic(op).dims:
            made.append(op)
    return found
