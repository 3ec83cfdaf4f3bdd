"""open_columns: a product with as many columns as a symbol says: the scores of attention over sequences of any length.

    C[.., m, n] = epilogue(sum_k A[.., m, k] * B[.., n, k])             k fixed, n symbolic

    for unit in this worker's share of (outer dims, blocks of columns):
        panel[k][block] = B, turned in registers                                  -- in L1 or L2
        for row tile: C[rows][block] = A[rows][k] x panel -> epilogue, store      -- register tiles

The last block has columns that are not there: it reads the last one for them and stores under a mask. Of fewer rows
than a tile has, each goes alone. Traffic: A once per block, B and C once; the order of a sum is that of its index.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.types import VectorType
from kcompile.strategies.contraction import has_windows, is_multiply_add
from kcompile.strategies.parts import tile_choice
from kcompile.strategies.parts.attention_products import At, Products, tile
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel

MOST_STEPS = 1024  # of a panel of 64 columns: 256 KiB, a quarter of L2
VECTORS = 4  # of a block
ROWS = 32  # what a symbolic number of rows counts as


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """lanes: elements of a vector; rows, vectors: of a register tile."""

    lanes: int
    rows: int
    vectors: int


def match(kernel: Kernel, target: Target) -> Blocks | None:
    view = tile_choice.single_reduction(kernel)
    if view is None or not is_multiply_add(view) or has_windows(view) or not tile_choice.results_fit(kernel, view):
        return None
    if len(view.inputs) != 2 or view.dims < 3 or view.reductions != (view.dims - 1,):
        return None
    row, column, step = view.dims - 3, view.dims - 2, view.dims - 1
    left, right = view.input_maps
    extents = view.extents()
    steps = extents[step]
    if not isinstance(extents[column], SymbolicDim) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        return None
    if [e.dim for e in view.output_maps[0].results] != list(range(step)) or right.results[-1].dim != step:
        return None
    if column in left.used_dims() or row in right.used_dims() or row not in left.used_dims():
        return None
    elements = {t.element_of(v.type) for v in (*view.inputs, *view.op.results)}
    if len(elements) != 1 or not t.is_float(next(iter(elements))):
        return None
    size = extents[row]
    height = max(1, size) if isinstance(size, int) else ROWS
    return Blocks(target.lanes(next(iter(elements))), *tile(height, VECTORS, target.registers))


def emit(kernel: Kernel, params: Blocks, target: Target) -> Operation:
    view = tile_choice.single_reduction(kernel)
    assert view is not None
    frame = Frame(kernel)
    _Emitter(frame, kernel, view, params).run()
    return frame.finish(f"open_columns{{{params}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, params: Blocks):
        self.frame, self.kernel, self.view, self.params, self.b = frame, kernel, view, params, frame.b
        element = t.element_of(view.op.results[0].type)
        self.vector = VectorType((params.lanes,), element)
        self.products = Products(frame, params.lanes, self.vector)
        steps = view.extents()[-1]
        assert isinstance(steps, int)
        self.steps, self.width = steps, VECTORS * params.lanes
        self.panel = frame.scratch((steps, self.width), element)

    def run(self) -> None:
        b, view = self.b, self.view
        extents = view.extents()
        row, column = view.dims - 3, view.dims - 2
        rows, columns = (self.frame.size(extents[d]) for d in (row, column))
        blocks = b.floordiv(b.add(columns, b.index(self.width - 1)), b.index(self.width))
        with self.frame.parallel([*(extents[d] for d in range(row)), blocks]) as place:
            at = {d: LaneIndex(index) for d, index in enumerate(place[:-1])}
            first = b.mul(place[-1], b.index(self.width))
            last = b.sub(columns, b.index(1))
            self.products.pack_keys(
                view, at, self.steps, self.width, self.panel, lambda key: b.min(b.add(first, key), last)
            )
            with b.if_(b.cmp("le", b.add(first, b.index(self.width)), columns)) as branch:
                self.all_rows(at, rows, first, None)
                branch.yield_([])
                with branch.else_():
                    self.all_rows(at, rows, first, b.sub(columns, first))
                    branch.yield_([])

    def all_rows(self, at: At, rows: Value, first: Value, left: Value | None) -> None:
        """The block of columns from `first` on, of which `left` are there (None: all)."""
        b, height = self.b, self.params.rows
        with b.if_(b.cmp("ge", rows, b.index(height))) as branch:
            tiles = b.floordiv(b.add(rows, b.index(height - 1)), b.index(height))
            with self.frame.nest([(b.index(0), tiles)]) as (number,):
                # the last row tile is moved back so that it is whole
                row = b.min(b.mul(number, b.index(height)), b.sub(rows, b.index(height)))
                self.tile_of(at, [b.add(row, b.index(i)) for i in range(height)], first, left)
            branch.yield_([])
            with branch.else_():
                with self.frame.nest([(b.index(0), rows)]) as (row,):
                    self.tile_of(at, [row], first, left)
                branch.yield_([])

    def tile_of(self, at: At, rows: list[Value], first: Value, left: Value | None) -> None:
        """A few rows of the block, some vectors of columns at a time."""
        b, lanes, view = self.b, self.params.lanes, self.view

        def number(row: Value, step: Value) -> Value:
            return self.products.scalar(view, 0, {**at, view.dims - 3: LaneIndex(row), view.dims - 1: LaneIndex(step)})

        def packed(step: Value, column: Value, width: int) -> Value:
            return b.vload(self.panel, [step, column], lanes)

        for start in range(0, VECTORS, self.params.vectors):
            columns = [(b.index(j * lanes), lanes) for j in range(start, min(VECTORS, start + self.params.vectors))]
            places = [[*(at[d] for d in range(view.dims - 3)), LaneIndex(r), LaneIndex(b.index(0))] for r in rows]
            starts = [b.broadcast(Points(self.frame, 1).value(view.inits[0], place), lanes) for place in places]
            sums = [start for start in starts for _ in columns]
            sums = self.products.accumulate(number, packed, (b.index(0), self.steps), rows, columns, sums)
            masks = [self.mask(left, column) for column, _ in columns]
            for i, row in enumerate(rows):
                for j, (column, _) in enumerate(columns):
                    total = sums[i * len(columns) + j]
                    self.store(at, row, b.add(first, column), masks[j], total)

    def mask(self, left: Value | None, column: Value) -> Value | None:
        if left is None:
            return None
        b, lanes = self.b, self.params.lanes
        return b.mask(b.max(b.min(b.sub(left, column), b.index(lanes)), b.index(0)), lanes)

    def store(self, at: At, row: Value, column: Value, mask: Value | None, total: Value) -> None:
        indices = [*(at[d] for d in range(self.view.dims - 3)), LaneIndex(row), LaneIndex(column, 1)]
        points = Points(self.frame, self.params.lanes, mask, {self.view.op.results[0]: total})
        for output, memref in zip(self.kernel.outputs, self.frame.outputs, strict=True):
            points.store(points.value(output, indices), memref, indices)
