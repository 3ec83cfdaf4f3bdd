"""attention: products of the scores' shape, work along their rows, and products with what it gives, in blocks of rows.

    for unit in this worker's share of (batch dims, blocks of rows):
        where the batch index is a new one:                                               -- in L1 or L2
            for each product: panel[step][s] = right operand, turned; for each sum over the keys: panel[s][v] = right
            operand; for each sum over the queries: total[s][v] = 0
        for each product: scores[rows][s] = left[rows][d] x panel[d][s]                   -- register tiles
        for row in rows:                                                                  -- softmax, in place:
            ask for this row of the operands at the next batch index
            for each reduction: sweep the row; what it needs of dear results is stored as it is made
        for each sum over the keys: result[rows][v] = scores[rows][s] x panel[s][v] -> epilogue, store
        for each sum over the queries: total[s][v] += scores[rows][s]^T x right[rows][v]
        after the last block: the totals -> epilogue, store

Attention has one product (query, key) and one sum (with the values). Its gradient has two, as it makes the scores
again, and three. A worker does all blocks of a batch index where there are sums over the queries.

Traffic: the operands and the results once; scores live in the scratch memory of the worker. The order of every sum is
that of its index, or for a row's reductions that of fixed lanes, so it depends on neither blocks nor workers.
Source of the idea: Dao et al., "FlashAttention", 2022, without its rescaling, as a whole row of scores fits the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from kcompile.codegen.target import LINE, Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.attention_parts import AttentionParts, Sum, parts
from kcompile.strategies.parts.attention_products import At, Products, tile
from kcompile.strategies.parts.attention_rows import Rows
from kcompile.strategies.parts.early_reads import is_large
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel

BLOCK = 32  # rows of a block: 128 keys of 4 bytes a row are 16 KiB, a third of L1 with keys and values in the others


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """lanes: elements of a vector; block: rows of a unit."""

    lanes: int
    block: int


def match(kernel: Kernel, target: Target) -> Blocks | None:
    found = parts(kernel)
    if found is None:
        return None
    blocks = -(-found.t // BLOCK)
    lanes = target.lanes(t.element_of(found.products[0].op.results[0].type))
    return Blocks(lanes, -(-found.t // blocks))


def emit(kernel: Kernel, params: Blocks, target: Target) -> Operation:
    found = parts(kernel)
    assert found is not None
    frame = Frame(kernel)
    _Emitter(frame, kernel, params, found, target.registers).run()
    return frame.finish(f"attention{{{params}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, params: Blocks, found: AttentionParts, registers: int):
        self.frame, self.kernel, self.params, self.parts, self.registers = frame, kernel, params, found, registers
        self.b = frame.b
        element = t.element_of(found.products[0].op.results[0].type)
        self.products = Products(frame, params.lanes, VectorType((params.lanes,), element))
        padded = self.products.padded
        self.keys = {v: frame.scratch((v.extents()[-1], padded(found.s)), element) for v in found.products}  # type: ignore[arg-type]
        self.panels = {s: frame.scratch((found.s, padded(s.width)), element) for s in found.sums}
        self.rows = Rows(frame, kernel, found, params.lanes, params.block)
        self.batch_dims = list(found.products[0].parallel[:-2])
        read = [(view, i, view.dims - 3 + i) for view in found.products for i in range(2)]
        read += [(s.view, 1, s.view.dims - 1) for s in found.sums]
        self.streams = {view.inputs[i]: (view, i, dim) for view, i, dim in read if self.is_stream(view, i, dim)}

    def is_stream(self, view: Generic, operand: int, row: int) -> bool:
        """Whether an operand is in memory, large, with the rows of a batch index apart."""
        value, map_ = view.inputs[operand], view.input_maps[operand]
        plain = bool(map_.results) and row in map_.used_dims() and map_.results[-1].dim not in (None, row)
        fixed = plain and isinstance(t.shape_of(value.type)[-1], int)
        return fixed and value in self.frame.memref and is_large(value)

    def run(self) -> None:
        b, found, block = self.b, self.parts, self.params.block
        extents = found.products[0].extents()
        sizes = [self.frame.size(extents[d]) for d in self.batch_dims]
        blocks = -(-found.t // block)
        total = b.index(blocks)
        for size in sizes:
            total = b.mul(total, size)
        over_queries = [s for s in found.sums if s.of_keys]
        lo, hi = b.partition(total, self.frame.tid, self.frame.team, blocks if over_queries else 1)
        with b.for_(lo, hi, 1) as loop:
            number = b.mod(loop.iv, b.index(blocks))
            at = self.place(b.floordiv(loop.iv, b.index(blocks)), sizes)
            batch = [at[d] for d in self.batch_dims]
            fresh = b.or_(b.cmp("eq", number, b.index(0)), b.cmp("eq", loop.iv, lo))
            with b.if_(fresh) as branch:
                self.pack(at)
                branch.yield_([])
            # the last block is moved back so that it is whole
            first = b.mul(number, b.index(block))
            start = b.min(first, b.index(found.t - block))
            for view in found.products:
                self.score_product(view, at, start)
            following = self.place(b.add(b.floordiv(loop.iv, b.index(blocks)), b.index(1)), sizes)
            self.rows.emit(batch, start, partial(self.ask, following))
            done = b.index(0) if found.t % block == 0 else b.sub(first, start)  # rows that another block has added
            for s in found.sums:
                if s.of_keys:
                    self.add_rows(s, at, start, done)
                else:
                    self.result_rows(s, batch, start)
            if over_queries:
                with b.if_(b.cmp("eq", number, b.index(blocks - 1))) as branch:
                    for s in over_queries:
                        self.store_totals(s, batch)
                    branch.yield_([])
            loop.yield_()

    def place(self, number: Value, sizes: list[Value]) -> At:
        """The batch index of that number."""
        return dict(zip(self.batch_dims, map(LaneIndex, self.frame.indices(number, sizes)), strict=True))

    def ask(self, at: At, row: Value) -> None:
        """Ask for a row of every operand at the next batch index, while the work along the rows loads little.

        It is a few lines, far from those of the next row: hardware sees no stream. 256 heads of 128 x 32 that are read
        from 12 MiB took 15.6 us each, and 12.9 so.
        """
        for value, (view, operand, dim) in self.streams.items():
            size, width = t.shape_of(value.type)[-1], LINE * 8 // t.bitwidth(value.type)
            dims = [{**at, dim: LaneIndex(row)}.get(d, LaneIndex(self.b.index(0))) for d in range(view.dims)]
            *outer, last = (i.base for i in Points(self.frame, 1).map(view.input_maps[operand], dims))
            assert isinstance(size, int)
            for first in range(0, size, width):
                self.b.prefetch(self.frame.memref[value], [*outer, self.b.add(last, self.b.index(first))])

    def pack(self, at: At) -> None:
        """What is the same for all blocks of a batch index."""
        products, found = self.products, self.parts
        for view, panel in self.keys.items():
            products.pack_keys(view, at, view.extents()[-1], found.s, panel)  # type: ignore[arg-type]
        for s, panel in self.panels.items():
            if s.of_keys:
                products.clear(panel, found.s, s.width)
            else:
                products.pack_values(s.view, at, found.s, s.width, panel)

    def score_product(self, view: Generic, at: At, start: Value) -> None:
        """scores[rows][s] of the block whose first row is `start`."""
        b, found, block = self.b, self.parts, self.params.block
        scratch = self.rows.buffer(view.op.results[0])

        def left(row: Value, step: Value) -> Value:
            dims = {**at, view.dims - 3: LaneIndex(b.add(start, row)), view.dims - 1: LaneIndex(step)}
            return self.products.scalar(view, 0, dims)

        def finish(row: Value, first: Value, total: Value, width: int) -> None:
            b.vstore(total, scratch, [row, first])

        steps = view.extents()[-1]
        assert isinstance(steps, int)
        chosen = tile(block, -(-found.s // self.params.lanes), self.registers)
        self.products.product(left, self.keys[view], block, steps, found.s, chosen, finish)

    def result_rows(self, s: Sum, batch: list[LaneIndex], start: Value) -> None:
        """Rows of a sum over the keys, through the epilogue to their place."""
        b, block = self.b, self.params.block
        scratch = self.rows.buffer(s.view.inputs[0])

        def finish(row: Value, first: Value, total: Value, width: int) -> None:
            place = [*batch, LaneIndex(b.add(start, row)), LaneIndex(first, 1)]
            self.store(s, place, total, width, self.rows.totals(row))

        def left(row: Value, step: Value) -> Value:
            return b.load(scratch, [row, step])

        chosen = tile(block, -(-s.width // self.params.lanes), self.registers)
        self.products.product(left, self.panels[s], block, self.parts.s, s.width, chosen, finish)

    def add_rows(self, s: Sum, at: At, start: Value, done: Value) -> None:
        """What the rows of the block, from `done` on, add to a sum over the queries."""
        b, block, lanes = self.b, self.params.block, self.params.lanes
        scratch, view = self.rows.buffer(s.view.inputs[0]), s.view

        def left(row: Value, step: Value) -> Value:
            return b.load(scratch, [step, row])

        def right(step: Value, column: Value, width: int) -> Value:
            dims = {**at, view.dims - 1: LaneIndex(b.add(start, step)), view.dims - 2: LaneIndex(column, 1)}
            return self.products.read(view, 1, dims, width)

        chosen = tile(self.parts.s, -(-s.width // lanes), self.registers, overlap=False)
        self.products.add_product(left, right, self.panels[s], self.parts.s, (done, block), s.width, chosen)

    def store_totals(self, s: Sum, batch: list[LaneIndex]) -> None:
        """A sum over the queries that is complete, through the epilogue to its place."""
        b, panel = self.b, self.panels[s]
        with self.frame.nest([(b.index(0), b.index(self.parts.s))]) as (row,):

            def store(first: Value, width: int) -> None:
                total = b.vload(panel, [row, first], self.params.lanes)
                self.store(s, [*batch, LaneIndex(row), LaneIndex(first, 1)], total, width, {})

            self.products.sweep(s.width, store)

    def store(self, s: Sum, known: list[LaneIndex], total: Value, width: int, bound: dict[Value, Value]) -> None:
        """`width` elements of a sum that stand at `known` in it."""
        indices = list(known)
        for expression, index in zip(s.place.results, known, strict=True):
            indices[expression.dim] = index  # type: ignore[index]
        points = Points(
            self.frame, self.params.lanes, self.products.mask(width), {**bound, s.view.op.results[0]: total}
        )
        points.store(points.value(self.kernel.outputs[s.output], indices), self.frame.outputs[s.output], indices)
