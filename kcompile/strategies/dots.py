"""dots: products of few rows with the rows of a matrix, with the lanes along what is summed.

    y[m, n] = epilogue(sum_k x[m, k] * w[n, k])        the gradient of a dense layer's input, without turning w

    for tile of `lanes` columns n in this worker's share:
        for `rows` rows m at a time:
            for `columns` columns at a time:
                accumulator[columns][rows] += x[m, k .. k + lanes) * w[n, k .. k + lanes)
                fold: the lanes of `columns` accumulators are added in pairs, which leaves one vector a row
            fold further: a vector a row whose lane i is the sum for column i of the tile
            epilogue(vector) -> store

With lanes along the columns w has to be turned first, which takes as long as a product of 16 rows. The fold takes 3
operations a sum; the order is the same for every row. Traffic: w once, in runs as long as its rows; x once a tile.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.inner_products import Folding, Place
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.placement import placed
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel
from kcompile.strategies.parts.tile_choice import results_fit, single_reduction

COLUMNS = 4  # of w at a time: with 4 rows 16 sums and 8 vectors, two multiply-adds a load


@dataclass(frozen=True, slots=True)
class Dots(Parameters):
    """rows, columns: sums at a time; lanes: elements of a vector, and columns of a tile."""

    rows: int
    columns: int
    lanes: int


def match(kernel: Kernel, target: Target) -> Dots | None:
    view = single_reduction(kernel)
    if view is None or not is_multiply_add(view) or not results_fit(kernel, view):
        return None
    lanes = target.lanes(max([t.element_of(v.type) for v in (*view.inputs, view.op.result)], key=t.bitwidth))
    if lanes < COLUMNS or not _is_of_rows(view, lanes):
        return None
    return Dots(4 if target.registers >= 32 else 2, COLUMNS, lanes)


def _is_of_rows(view: Generic, lanes: int) -> bool:
    """Whether both operands lie along the sum, each with one of the two dims of the result, in whole vectors."""
    out = [e.dim for e in view.output_maps[0].results]
    if len(view.parallel) != 2 or set(out) != set(view.parallel) or len(view.reductions) != 1:
        return False
    (k,), (row, column) = view.reductions, out
    sizes = [view.extents()[d] for d in (k, column) if d is not None]
    if any(not isinstance(n, int) or n < lanes or n % lanes for n in sizes):
        return False
    return {tuple(e.dim for e in m.results) for _, m in view.operands_read} == {(row, k), (column, k)}


def emit(kernel: Kernel, parameters: Dots, target: Target) -> Operation:
    frame = Frame(kernel)
    view = single_reduction(kernel)
    assert view is not None
    _Emitter(frame, kernel, view, parameters).run()
    return frame.finish(f"dots{{{parameters}}}")


class _Emitter(Folding):
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, parameters: Dots):
        super().__init__(frame, kernel, view, parameters.lanes)
        self.cut = parameters
        row, column = (e.dim for e in view.output_maps[0].results)
        assert row is not None and column is not None
        self.row, self.column = row, column

    def run(self) -> None:
        b, rows = self.b, self.cut.rows
        columns = self.extents[self.column]
        assert isinstance(columns, int)
        size = self.frame.size(self.extents[self.row])
        with self.frame.parallel([columns // self.lanes]) as (tile,):
            first = b.mul(tile, b.index(self.lanes))
            with b.if_(b.cmp("ge", size, b.index(rows))) as branch:
                with b.for_(b.index(0), size, rows) as loop:
                    self.tile(b.min(loop.iv, b.sub(size, b.index(rows))), rows, first)  # the last one is moved back
                branch.yield_([])
                with branch.else_():
                    with b.for_(b.index(0), size, 1) as loop:
                        self.tile(loop.iv, 1, first)
                    branch.yield_([])

    def tile(self, row: Value, rows: int, column: Value) -> None:
        b = self.b
        at_rows: list[Place] = [{self.row: LaneIndex(b.add(row, b.index(i)))} for i in range(rows)]
        parts: list[list[Value]] = [[] for _ in at_rows]
        for start in range(0, self.lanes, self.cut.columns):
            columns = [LaneIndex(b.add(column, b.index(start + j))) for j in range(self.cut.columns)]
            sums = self.sums([{**at, self.column: c} for c in columns for at in at_rows])
            for i, part in enumerate(parts):
                part += self.fold(sums[i::rows], 1)
        for at, part in zip(at_rows, parts, strict=True):
            self.finish({**at, self.column: LaneIndex(column, 1)}, self.fold(part, self.cut.columns)[0])

    def finish(self, place: Place, total: Value) -> None:
        """The epilogue along the columns of a row, and the store of every result of the kernel."""
        where = [place[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
        start = Points(self.frame, self.lanes)
        total = self.b.add(start.vector(start.value(self.view.inits[0], where)), total)
        whole, indices = placed(self.frame, self.view.op.result, where)
        points = Points(self.frame, self.lanes, None, {whole: total})
        values = [points.value(result, indices) for result in self.kernel.outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):
            points.store(value, memref, indices)
