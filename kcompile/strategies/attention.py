"""attention: a product, work along its rows, and a product with the results, a block of rows at a time.

    for unit in this worker's share of (batch dims, blocks of rows):
        where the batch index is a new one: keys[d][s] = key^T, values[s][v] = value      -- packed, in L1 or L2
        scores[rows][s] = query[rows][d] x keys[d][s]                                     -- register tiles
        for row in rows:                                                                  -- softmax, in place:
            for each reduction: sweep the row; what it needs of dear results is stored as it is made
        result[rows][v] = scores[rows][s] x values[s][v] -> epilogue, store               -- register tiles

Traffic: query, key, value and result once; scores live in the scratch memory of the worker. The order of every sum is
that of its index, or for a row's reductions that of fixed lanes, so it depends on neither blocks nor workers.
Source of the idea: Dao et al., "FlashAttention", 2022, without its rescaling, as a whole row of scores fits the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.attention_rows import Rows
from kcompile.strategies.contraction import has_windows, is_multiply_add
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneIndex
from kcompile.strategies.parameters import Parameters
from kcompile.strategies.points import Points
from kcompile.strategies.row_reduction import combiner
from kcompile.strategies.structured import Generic, Kernel, generic
from kcompile.strategies.transpose import turn

BLOCK = 32  # rows of a block: 128 keys of 4 bytes a row are 16 KiB, a third of L1 with keys and values in the others
UNROLLED = 16  # steps of a product without a loop


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """lanes: elements of a vector; block: rows of a unit; the two tiles of accumulators, rows x vectors."""

    lanes: int
    block: int
    score_rows: int
    score_vectors: int
    result_rows: int
    result_vectors: int


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of the kernel: products, reductions between them, and sizes: rows, keys, summed size, width."""

    scores: Generic
    rows: tuple[Generic, ...]
    result: Generic
    t: int
    s: int
    d: int
    v: int


def match(kernel: Kernel, target: Target) -> Blocks | None:
    shape = parts(kernel)
    if shape is None:
        return None
    element = t.element_of(shape.scores.op.results[0].type)
    lanes = target.lanes(element)
    blocks = -(-shape.t // BLOCK)
    block = -(-shape.t // blocks)
    score = tile(block, -(-shape.s // lanes), target.registers)
    result = tile(block, -(-shape.v // lanes), target.registers)
    return Blocks(lanes, block, *score, *result)


def tile(rows: int, vectors: int, registers: int) -> tuple[int, int]:
    """Rows and vectors of a tile over a panel of `vectors` vectors: least multiply-adds, then least loads."""

    def cost(choice: tuple[int, int]) -> tuple[float, int, int]:
        r, v = choice
        full, rest = divmod(vectors, v)
        turns = -(-rows // r)
        # two multiply-adds or two loads a cycle, and 4 cycles until a sum can be added to again
        steps = turns * (full * max(r * v / 2, (r + v) / 2, 4) + (max(r * rest / 2, (r + rest) / 2, 4) if rest else 0))
        return steps, turns * (full * (r + v) + ((r + rest) if rest else 0)), -r * v

    fitting = [
        (r, v) for v in (1, 2, 3, 4) for r in range(1, rows + 1) if v <= vectors and r * v + v + 1 <= registers - 1
    ]
    return min(fitting, key=cost)


def parts(kernel: Kernel) -> Shape | None:
    """The kernel taken apart, if it is what `emit` can write."""
    if len(kernel.roots) < 3 or len(kernel.outputs) != 1 or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    first, *between, last = (generic(op) for op in kernel.roots)
    for product in (first, last):
        if not is_multiply_add(product) or has_windows(product) or len(product.inputs) != 2:
            return None
        if product.reductions != (product.dims - 1,) or not _is(product.output_maps[0], range(product.dims - 1)):
            return None
    scores, result = first.op.results[0], last.op.results[0]
    rows = len(first.parallel) - 1
    full = _sizes(scores)
    if any(combiner(view) is None or view.parallel != tuple(range(rows)) or view.dims != rows + 1 for view in between):
        return None
    weights = last.inputs[0]
    sizes = (*full[-2:], first.extents()[-1], _sizes(result)[-1])
    if _sizes(weights) != full or not _is(last.input_maps[0], (*range(rows), rows + 1)):
        return None
    if any(not isinstance(n, int) or n < 1 for n in sizes) or not t.is_float(t.element_of(scores.type)):
        return None
    elements = {t.element_of(v.type) for v in (*first.inputs, *last.inputs, scores, result)}
    last_of = [m.results[-1].dim for m in (*first.input_maps, last.input_maps[1])]
    if len(elements) != 1 or last_of[1] not in (rows, rows + 1) or last_of[2] != rows:
        return None
    if _place_of_output(kernel, result) is None:
        return None
    return Shape(first, tuple(between), last, *sizes)  # type: ignore[arg-type]


def _is(map_: AffineMap, dims: Sequence[int]) -> bool:
    """Whether the results of a map are these dims."""
    return [e.dim for e in map_.results] == list(dims)


def _sizes(value: Value) -> tuple[object, ...]:
    assert isinstance(value.type, TensorType)
    return value.type.shape


def _place_of_output(kernel: Kernel, result: Value) -> AffineMap | None:
    """How the kernel's result reads the product's: the permutation of an all-parallel generic, or None."""
    output = kernel.outputs[0]
    if output is result:
        return generic(result.owner).output_maps[0]  # type: ignore[arg-type]
    made = output.defining_op
    if made is None or made.name != "linalg.generic":
        return None
    view = generic(made)
    maps = [m for v, m in zip(view.inputs, view.input_maps, strict=True) if v is result]
    dims = [e.dim for e in maps[0].results] if len(maps) == 1 else []
    plain = not view.reductions and len(view.output_maps) == 1 and view.output_maps[0].is_identity
    return maps[0] if plain and sorted(d for d in dims if d is not None) == list(range(view.dims)) else None


def emit(kernel: Kernel, params: Blocks, target: Target) -> Operation:
    shape = parts(kernel)
    assert shape is not None
    frame = Frame(kernel)
    _Emitter(frame, kernel, params, shape).run()
    return frame.finish(f"attention{{{params}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, params: Blocks, shape: Shape):
        self.frame, self.kernel, self.params, self.shape = frame, kernel, params, shape
        self.b = frame.b
        self.element = t.element_of(shape.scores.op.results[0].type)
        self.vector = VectorType((params.lanes,), self.element)
        padded = [-(-n // params.lanes) * params.lanes for n in (shape.s, shape.v)]
        self.keys = frame.scratch((shape.d, padded[0]), self.element)
        self.values = frame.scratch((shape.s, padded[1]), self.element)
        self.rows = Rows(frame, kernel, shape.scores, shape.rows, shape.result, params.lanes, params.block)
        self.batch_dims = list(shape.scores.parallel[:-2])

    def run(self) -> None:
        b, shape, block = self.b, self.shape, self.params.block
        extents = shape.scores.extents()
        sizes = [self.frame.size(extents[d]) for d in self.batch_dims]
        blocks = -(-shape.t // block)
        total = b.index(blocks)
        for size in sizes:
            total = b.mul(total, size)
        lo, hi = b.partition(total, self.frame.tid, self.frame.team, 1)
        with b.for_(lo, hi, 1) as loop:
            number = b.mod(loop.iv, b.index(blocks))
            rest = b.floordiv(loop.iv, b.index(blocks))
            batch: list[LaneIndex] = []
            for size in reversed(sizes):
                batch.append(LaneIndex(b.mod(rest, size)))
                rest = b.floordiv(rest, size)
            batch = batch[::-1]
            fresh = b.or_(b.cmp("eq", number, b.index(0)), b.cmp("eq", loop.iv, lo))
            with b.if_(fresh) as branch:
                self.pack_keys(batch)
                self.pack_values(batch)
                branch.yield_([])
            # the last block is moved back so that it is whole
            start = b.min(b.mul(number, b.index(block)), b.index(shape.t - block))
            self.score_product(batch, start)
            self.rows.emit(batch, start)
            self.result_product(batch, start)
            loop.yield_()

    # -- packing
    def sweep(self, count: int, body: Callable[[Value, int], None]) -> None:
        """`body(first, width)` for every vector of `count` elements; `width` is less than a vector's for the rest."""
        b, lanes = self.b, self.params.lanes
        full, rest = divmod(count, lanes)
        if full == 1:
            body(b.index(0), lanes)
        elif full:
            with b.for_(b.index(0), b.index(full * lanes), lanes) as loop:
                body(loop.iv, lanes)
                loop.yield_()
        if rest:
            body(b.index(full * lanes), rest)

    def read(self, view: Generic, operand: int, dims: dict[int, LaneIndex], width: int) -> Value:
        """`width` elements of an operand of a product as a vector; zeros behind them."""
        lanes = self.params.lanes
        mask = self.b.mask(self.b.index(width), lanes) if width < lanes else None
        points = Points(self.frame, lanes, mask)
        at = points.map(view.input_maps[operand], [dims.get(d, LaneIndex(self.b.index(0))) for d in range(view.dims)])
        return points.vector(points.value(view.inputs[operand], at))

    def pack_keys(self, batch: list[LaneIndex]) -> None:
        """keys[d][s]: squares turned in registers where the summed dim lies last, else rows copied."""
        b, shape, lanes = self.b, self.shape, self.params.lanes
        view = shape.scores
        summed, key = view.dims - 1, view.dims - 2
        at = dict(zip(self.batch_dims, batch, strict=True))
        if view.input_maps[1].results[-1].dim == key:
            with self.frame.nest([(b.index(0), b.index(shape.d))]) as (row,):

                def copy(first: Value, width: int) -> None:
                    dims = {**at, summed: LaneIndex(row), key: LaneIndex(first, 1)}
                    b.vstore(self.read(view, 1, dims, width), self.keys, [row, first])

                self.sweep(shape.s, copy)
            return
        zero = b.constant(0.0, self.vector)

        def column(first_key: Value, key_count: int) -> None:
            def square(first: Value, width: int) -> None:
                rows = [
                    self.read(
                        view,
                        1,
                        {**at, summed: LaneIndex(first, 1), key: LaneIndex(b.add(first_key, b.index(i)))},
                        width,
                    )
                    for i in range(key_count)
                ]
                turned = turn(self.frame, rows + [zero] * (lanes - key_count), lanes)
                for i in range(width):
                    b.vstore(turned[i], self.keys, [b.add(first, b.index(i)), first_key])

            self.sweep(shape.d, square)

        self.sweep(shape.s, column)

    def pack_values(self, batch: list[LaneIndex]) -> None:
        """values[s][v], rows padded to whole vectors."""
        b, shape = self.b, self.shape
        view = shape.result
        at = dict(zip(self.batch_dims, batch, strict=True))
        with self.frame.nest([(b.index(0), b.index(shape.s))]) as (row,):

            def copy(first: Value, width: int) -> None:
                dims = {**at, view.dims - 1: LaneIndex(row), view.dims - 2: LaneIndex(first, 1)}
                b.vstore(self.read(view, 1, dims, width), self.values, [row, first])

            self.sweep(shape.v, copy)

    # -- products
    def score_product(self, batch: list[LaneIndex], start: Value) -> None:
        """scores[rows][s] of the block whose first row is `start`."""
        b, shape, params = self.b, self.shape, self.params
        view = shape.scores
        at = dict(zip(self.batch_dims, batch, strict=True))
        scratch = self.rows.buffer(view.op.results[0])

        def left(row: Value, step: Value) -> Value:
            dims = {**at, view.dims - 3: LaneIndex(b.add(start, row)), view.dims - 1: LaneIndex(step)}
            points = Points(self.frame, 1)
            return points.value(
                view.inputs[0], points.map(view.input_maps[0], [dims.get(d, LaneIndex(row)) for d in range(view.dims)])
            )

        def finish(row: Value, first: Value, total: Value, width: int) -> None:
            b.vstore(total, scratch, [row, first])

        self.product(left, self.keys, shape.d, shape.s, (params.score_rows, params.score_vectors), finish)

    def result_product(self, batch: list[LaneIndex], start: Value) -> None:
        """The result's rows of the block, through the epilogue to their place."""
        b, shape, params = self.b, self.shape, self.params
        view = shape.result
        scratch = self.rows.buffer(view.inputs[0])
        result = view.op.results[0]
        place = _place_of_output(self.kernel, result)
        assert place is not None

        def finish(row: Value, first: Value, total: Value, width: int) -> None:
            lanes = params.lanes
            known = [*batch, LaneIndex(b.add(start, row)), LaneIndex(first, 1)]
            indices = list(known)
            for expression, index in zip(place.results, known, strict=True):
                indices[expression.dim] = index  # type: ignore[index]
            mask = b.mask(b.index(width), lanes) if width < lanes else None
            points = Points(self.frame, lanes, mask, {**self.rows.totals(row), result: total})
            points.store(points.value(self.kernel.outputs[0], indices), self.frame.outputs[0], indices)

        def left(row: Value, step: Value) -> Value:
            return b.load(scratch, [row, step])

        self.product(left, self.values, shape.s, shape.v, (params.result_rows, params.result_vectors), finish)

    def product(
        self,
        left: Callable[[Value, Value], Value],
        panel: Value,
        steps: int,
        width: int,
        tile: tuple[int, int],
        finish: Callable[[Value, Value, Value, int], None],
    ) -> None:
        """left[block][steps] x panel[steps][width] in register tiles; `finish(row, first lane, sum, width)` takes each
        vector of sums. The last row tile is moved back so that it is whole."""
        b, lanes, block = self.b, self.params.lanes, self.params.block
        rows, vectors = tile
        needed = -(-width // lanes)
        tiles = -(-block // rows)

        def lane_tile(first: Value, vectors: int, last_width: int) -> None:
            with self.frame.nest([(b.index(0), b.index(tiles))]) as (number,):
                row = b.min(b.mul(number, b.index(rows)), b.index(block - rows))
                at = [b.add(row, b.index(i)) for i in range(rows)]
                columns = [b.add(first, b.index(j * lanes)) for j in range(vectors)]
                sums = self.accumulate(left, panel, steps, at, columns)
                for i, r in enumerate(at):
                    for j, c in enumerate(columns):
                        finish(r, c, sums[i * vectors + j], lanes if j < vectors - 1 else last_width)

        whole = width // lanes // vectors  # lane tiles without a rest
        if whole:
            with self.frame.nest([(b.index(0), b.index(whole))]) as (number,):
                lane_tile(b.mul(number, b.index(vectors * lanes)), vectors, lanes)
        if needed > whole * vectors:
            lane_tile(b.index(whole * vectors * lanes), needed - whole * vectors, width - (needed - 1) * lanes)

    def accumulate(
        self,
        left: Callable[[Value, Value], Value],
        panel: Value,
        steps: int,
        rows: Sequence[Value],
        columns: Sequence[Value],
    ) -> list[Value]:
        """The sums of one tile over all steps."""
        b, lanes = self.b, self.params.lanes
        zero = b.constant(0.0, self.vector)

        def step(at: Value, sums: Sequence[Value]) -> list[Value]:
            right = [b.vload(panel, [at, c], lanes) for c in columns]
            made = []
            for i, row in enumerate(rows):
                spread = b.broadcast(left(row, at), lanes)
                made += [b.fma(spread, r, sums[i * len(columns) + j]) for j, r in enumerate(right)]
            return made

        sums = [zero] * (len(rows) * len(columns))
        if steps <= UNROLLED:
            for i in range(steps):
                sums = step(b.index(i), sums)
            return sums
        unroll = 2 if steps % 2 == 0 else 1
        with b.for_(b.index(0), b.index(steps), unroll, sums) as loop:
            inner = list(loop.args)
            for u in range(unroll):
                inner = step(b.add(loop.iv, b.index(u)), inner)
            loop.yield_(inner)
        return list(loop.results)
