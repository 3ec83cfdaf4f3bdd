"""long_sums: a few sums over very much, in blocks that stay in the second-level cache: the gradient of a filter.

    dw[kh, kw, ic, oc] = epilogue(sum_{n, oh, ow} x[n, oh * s + kh, ow * s + kw, ic] * dy[n, oh, ow, oc])

    sums[..] = init                                        -- this worker's tiles, in memory of its own
    for block of the outer reduction dims:                 -- its part of x and dy fits a third of the L2
        for tile in this worker's share of (kh, kw, tiles of ic, tiles of oc):
            accumulator[rows][vectors] = sums[tile]
            for the steps of the block: accumulate           -- rows: scalars side by side in x; vectors of dy
                ask for a line of the next block
            sums[tile] = accumulator
    for tile in the share: epilogue(sums[tile]) -> store

Without blocks each tile would stream all of both operands from memory. All tiles together ask for the whole next block,
evenly: the first of them would else wait for memory, whose columns no hardware foresees (128 x 512 sums of 3200 from
memory 2.1 ms, so 1.75; 64 x 256 of 12800 2.6, so 1.8). The steps of one sum are taken in the same order as without, so
nothing depends on the size of a block or the number of workers, and nothing is added up between them. Traffic: x and dy
once a worker; the sums once a block. Source of the idea: the weight-gradient kernels of LIBXSMM
(Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD architectures", 2018), which want
their inputs transposed; with channels last none of it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, evaluate, symbols_of
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.contraction import products_of_one_whole
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneIndex
from kcompile.strategies.placement import placed
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Generic, Kernel, generic
from kcompile.strategies.tile_choice import Space, lane_dim, reduction_order, row_dim, row_stride, rows_limit

NOMINAL = 32  # what a symbolic dim counts as, a usual batch
LONG = 512  # steps of a sum from which on blocks pay for loading and storing it
FEW_ROWS = 8  # fewer do not fill a tile
MOST_SUMS = 1 << 20  # the sums of a worker: 4 MiB of f32
LINE = 64  # bytes
Place = dict[int, LaneIndex]  # dims of the iteration space


@dataclass(frozen=True, slots=True)
class Sums:
    """How one root is cut.

    row_dim, lane_dim  dims of the iteration space (-1: no row dim)
    rows, vectors      of a tile; `unrolled` dims are in it as a whole besides
    lanes              elements of a vector
    """

    row_dim: int
    lane_dim: int
    unrolled: tuple[int, ...]
    rows: int
    vectors: int
    lanes: int

    def __str__(self) -> str:
        return f"rows={self.rows}, vectors={self.vectors}, lanes={self.lanes}, unrolled={len(self.unrolled)}"


@dataclass(frozen=True, slots=True)
class LongSums:
    """block: bytes of the operands in a block; roots: several are the phases of one result."""

    block: int
    roots: tuple[Sums, ...]

    def __str__(self) -> str:
        return f"block={self.block}, roots={len(self.roots)}, {self.roots[0]}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for ahead of its use: at step i the line of the element `start + i * elements`."""

    memref: Value
    start: list[Value]
    elements: int


def match(kernel: Kernel, target: Target) -> LongSums | None:
    """Multiply-adds over operands that do not fit the second-level cache, to results that do."""
    views = products_of_one_whole(kernel)
    found = [sums for view in views if (sums := _cut(kernel, view, target)) is not None]
    return LongSums(target.l2 // 3, tuple(found)) if views and len(found) == len(views) else None


def _cut(kernel: Kernel, view: Generic, target: Target) -> Sums | None:
    lane, extents = lane_dim(view), view.extents()
    sizes = [extents[d] for d in view.parallel]
    static = [n for n in sizes if isinstance(n, int)]
    operands = [v for v, _ in view.operands_read]
    if lane is None or len(static) < len(sizes) or not 0 < prod(static) <= MOST_SUMS or len(set(operands)) < 2:
        return None
    steps = prod(_nominal(extents[d]) for d in view.reductions)
    widest = max([t.element_of(v.type) for v in (*operands, view.op.result)], key=t.bitwidth)
    lanes = target.lanes(widest)
    size = extents[lane]
    assert isinstance(size, int)
    columns = -(-size // lanes)
    row = row_dim(view, {lane})
    extent = 1 if row < 0 else extents[row]
    assert isinstance(extent, int)
    rows, vectors = _tile(extent, columns, target)
    limit = rows_limit(vectors, target)
    # in a product of matrices one operand lies along the sum, and a tile's part of both fits the second-level cache
    along = any(m.results and m.results[-1].coefficient(reduction_order(view)[-1]) for _, m in view.operands_read)
    tile = steps * (rows + vectors * lanes) * t.bitwidth(widest) // 8
    pays = steps >= LONG and _moved(view) >= target.l2 // 2 and (not along or tile > target.l2)
    if not pays and "kernel.strategy" not in kernel.function.attributes:
        return None
    unrolled: list[int] = []
    held = rows
    for d in reversed([d for d in view.parallel if d not in (lane, row)]):
        extent = extents[d]
        if rows == (1 if row < 0 else extents[row]) and isinstance(extent, int) and held * extent <= limit:
            unrolled.append(d)
            held *= extent
    return Sums(row, lane, tuple(unrolled), rows, vectors, lanes)


def _moved(view: Generic) -> int:
    """Bytes of the operands."""
    return sum(_bytes(v) for v, _ in view.operands_read)


def _block_steps(view: Generic, size: int) -> tuple[int, int]:
    """Steps of the two outer reduction dims in a block of `size` bytes; one of the two is 1 or the whole dim."""
    extents = view.extents()
    outer, *rest = (_nominal(extents[d]) for d in reduction_order(view))
    second = max(1, rest[0]) if rest else 1
    steps = max(1, outer * second * size // max(1, _moved(view)))
    return (1, min(second, steps)) if steps < second else (steps // second, second)


def _tile(extent: int, columns: int, target: Target) -> tuple[int, int]:
    """Rows and vectors of a tile: the vectors divide the columns; the last tile may repeat rows of the one before."""
    if extent < FEW_ROWS:  # the other dims of a filter join them, see `unrolled`
        even = [v for v in (*([columns] if columns <= 4 else []), 2, 4, 3, 1) if columns % v == 0]
        vectors = next((v for v in even if rows_limit(v, target) >= extent), even[0])  # no row twice, if there is a way
        return min(extent, rows_limit(vectors, target)), vectors
    space = Space((extent,), extent, columns, 1, 1, 1, target)
    shapes = [(r, v) for v in (1, 2, 3, 4) if columns % v == 0 for r in range(1, rows_limit(v, target) + 1)]
    return min((s for s in shapes if s[0] <= extent), key=lambda s: (space.cost(*s), -s[0] * s[1]))


def _nominal(dim: Dim) -> int:
    return dim if isinstance(dim, int) else evaluate(dim, dict.fromkeys(symbols_of(dim), NOMINAL))


def _bytes(value: Value) -> int:
    assert isinstance(value.type, TensorType)
    return _nominal(value.type.size) * t.bitwidth(value.type) // 8


def emit(kernel: Kernel, parameters: LongSums, target: Target) -> Operation:
    frame = Frame(kernel)
    views = [generic(root) for root in kernel.roots]
    nests = [
        _Emitter(frame, kernel, view, cut, parameters.block) for view, cut in zip(views, parameters.roots, strict=True)
    ]
    for nest in nests:
        nest.clear()
    if len({nest.extents[nest.order[0]] for nest in nests}) == 1:
        _in_blocks(nests)  # all phases of an image while it is in the cache
    else:
        for nest in nests:
            _in_blocks([nest])
    for nest in nests:
        nest.store()
    frame.function["kernel.once"] = UnitAttr()  # `store` leaves out what two tiles have
    return frame.finish(f"long_sums{{{parameters}}}")


def _in_blocks(nests: Sequence[_Emitter]) -> None:
    """The sums of nests that have the outer reduction dim in common."""
    first = nests[0]
    b, size = first.b, first.frame.size(first.extents[first.order[0]])
    step = min(nest.steps_of_block[0] for nest in nests)
    with b.for_(b.index(0), size, step) as loop:
        end = b.min(b.add(loop.iv, b.index(step)), size)
        for nest in nests:
            nest.add(loop.iv, end)


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, sums: Sums, block: int):
        self.frame, self.kernel, self.view, self.cut = frame, kernel, view, sums
        self.steps_of_block = _block_steps(view, block)
        self.b = frame.b
        self.extents = view.extents()
        self.order = reduction_order(view)
        special = (sums.row_dim, sums.lane_dim, *sums.unrolled)
        self.outer = [d for d in view.parallel if d not in special]
        held: list[list[Place]] = [
            [{d: LaneIndex(self.b.index(i))} for i in range(self.extent(d))] for d in sums.unrolled
        ]
        self.unrolled: list[Place] = [{k: v for p in places for k, v in p.items()} for places in product(*held)]
        self.held = len(self.unrolled) * sums.rows * sums.vectors  # accumulators of a tile
        self.row_tiles = 1 if sums.row_dim < 0 else -(-self.extent(sums.row_dim) // sums.rows)
        self.lane_tiles = -(-self.extent(sums.lane_dim) // (sums.vectors * sums.lanes))
        self.counts = [self.lane_tiles, *(self.extent(d) for d in self.outer), self.row_tiles]
        element = t.element_of(view.op.result.type)
        self.vector = VectorType((sums.lanes,), element) if sums.lanes > 1 else element
        self.memory = frame.scratch((prod(self.counts) * self.held, sums.lanes), element)
        sizes = [_nominal(self.extents[d]) for d in self.order]
        self.counted = [*map(min, sizes, self.steps_of_block), *sizes[2:]]  # steps of a tile in a block, by dim
        self.asked: list[Ask] = []

    def extent(self, dim: int) -> int:
        size = self.extents[dim]
        assert isinstance(size, int)
        return size

    def clear(self) -> None:
        with self.tiles() as (tile, place, _), self.each_row(place) as (row, at):
            self.write(tile, row, [self.initial(p) for p in self.columns(at)])

    def add(self, low: Value, high: Value) -> None:
        """Add the steps low .. high of the outer reduction dim, and all of the others, to the sums of the share."""
        b = self.b
        if len(self.order) == 1:
            self.block([low], [high])
            return
        size, step = self.frame.size(self.extents[self.order[1]]), self.steps_of_block[1]
        with b.for_(b.index(0), size, step) as loop:
            self.block([low, loop.iv], [high, b.min(b.add(loop.iv, b.index(step)), size)])

    def store(self) -> None:
        with self.tiles() as (tile, place, done), self.each_row(place, done) as (row, at):
            self.finish(at, self.read(tile, row, len(self.unrolled) * self.cut.vectors))

    @contextmanager
    def tiles(self) -> Iterator[tuple[Value, Place, Value]]:
        """This worker's tiles: the number of its first accumulator, its place, and its rows that another has too."""
        with self.frame.parallel(self.counts) as at:
            yield self.tile(at)

    def tile(self, at: list[Value]) -> tuple[Value, Place, Value]:
        """See `tiles`; `at` counts lane tiles, outer dims and row tiles."""
        b, cut = self.b, self.cut
        number = at[0]
        for count, index in zip(self.counts[1:], at[1:], strict=True):
            number = b.add(b.mul(number, b.index(count)), index)
        place: Place = {d: LaneIndex(i) for d, i in zip(self.outer, at[1:-1], strict=True)}
        place[cut.lane_dim] = LaneIndex(b.mul(at[0], b.index(cut.vectors * cut.lanes)), 1)
        done = b.index(0)
        if cut.row_dim >= 0:
            first = b.mul(at[-1], b.index(cut.rows))
            last = b.index(self.extent(cut.row_dim) - cut.rows)
            place[cut.row_dim] = LaneIndex(b.min(first, last))
            if self.extent(cut.row_dim) % cut.rows:
                done = b.sub(first, place[cut.row_dim].base)
        return b.mul(number, b.index(self.held)), place, done

    @contextmanager
    def each_row(self, place: Place, first: Value | None = None) -> Iterator[tuple[Value, Place]]:
        """The rows of a tile one after the other, where nothing is kept between them."""
        b = self.b
        with b.for_(b.index(0) if first is None else first, b.index(self.cut.rows), 1) as loop:
            yield loop.iv, self.row(place, loop.iv)
            loop.yield_()

    def row(self, place: Place, row: Value) -> Place:
        if self.cut.row_dim < 0:
            return place
        return {**place, self.cut.row_dim: LaneIndex(self.b.add(place[self.cut.row_dim].base, row))}

    def columns(self, place: Place) -> list[Place]:
        """The places of one row's accumulators, in the order in which they lie in memory."""
        b, cut = self.b, self.cut
        start = place[cut.lane_dim].base
        lanes = [LaneIndex(b.add(start, b.index(j * cut.lanes)), 1) for j in range(cut.vectors)]
        return [{**place, **held, cut.lane_dim: lane} for held in self.unrolled for lane in lanes]

    def mask(self, place: Place, cache: dict[object, Value]) -> Value | None:
        size = self.extent(self.cut.lane_dim)
        if size % self.cut.lanes == 0:
            return None
        base = place[self.cut.lane_dim].base
        if base not in cache:
            rest = self.b.min(self.b.sub(self.b.index(size), base), self.b.index(self.cut.lanes))
            cache[base] = self.b.mask(rest, self.cut.lanes)
        return cache[base]

    def initial(self, place: Place) -> Value:
        points = Points(self.frame, self.cut.lanes)
        dims = [place.get(d, LaneIndex(self.b.index(0))) for d in range(self.view.dims)]
        return points.vector(points.value(self.view.inits[0], points.map(self.view.output_maps[0], dims)))

    def slot(self, tile: Value, row: Value, number: int) -> list[Value]:
        b = self.b
        first = b.add(tile, b.mul(row, b.index(len(self.unrolled) * self.cut.vectors)))
        return [b.add(first, b.index(number)), b.index(0)]

    def read(self, tile: Value, row: Value, count: int) -> list[Value]:
        b, lanes = self.b, self.cut.lanes
        places = [self.slot(tile, row, i) for i in range(count)]
        return [b.vload(self.memory, p, lanes) if lanes > 1 else b.load(self.memory, p) for p in places]

    def write(self, tile: Value, row: Value, values: list[Value]) -> None:
        b = self.b
        for i, value in enumerate(values):
            store = b.vstore if self.cut.lanes > 1 else b.store
            store(value, self.memory, self.slot(tile, row, i))

    def block(self, starts: list[Value], ends: list[Value]) -> None:
        """All tiles of the share over one block of steps."""
        b, cut = self.b, self.cut
        with self.tiles() as (tile, place, _):
            self.asked = self.next_block(b.floordiv(tile, b.index(self.held)), starts, ends)
            rows = [b.index(i) for i in range(cut.rows)]
            width = len(self.unrolled) * cut.vectors
            sums = [v for row in rows for v in self.read(tile, row, width)]
            at_rows = [self.row(place, row) for row in rows]
            columns = self.columns({d: i for d, i in place.items() if d != cut.row_dim})
            places = [{**at, **column} for at in at_rows for column in columns]
            cache: dict[object, Value] = {}
            masks = [self.mask(p, cache) for p in places]
            bounds = [*zip(starts, ends, strict=True)]
            bounds += [(b.index(0), self.frame.size(self.extents[d])) for d in self.order[len(starts) :]]
            sums = self.steps({}, bounds, places, masks, sums, b.index(0))
            for i, row in enumerate(rows):
                self.write(tile, row, sums[i * width : (i + 1) * width])

    def next_block(self, tile: Value, starts: list[Value], ends: list[Value]) -> list[Ask]:
        """What a tile, by its number, asks for at its steps: its part of the block behind this one in memory."""
        b, (outer, *rest) = self.b, self.order
        level = 1 if rest and self.counted[1] < _nominal(self.extents[rest[0]]) else 0
        at = {outer: starts[0], self.order[level]: ends[level]}
        dims = [LaneIndex(at.get(d, b.index(0))) for d in range(self.view.dims)]
        found = []
        for value, map_ in self.view.operands_read:
            stride, bits = row_stride(value, map_, self.order[level]), t.bitwidth(value.type)
            share = -(-self.steps_of_block[level] * stride * 8 // (bits * prod(self.counts)))
            elements = -(-share // prod(self.counted))
            # a tile that would need more lines than one a step reads most of the block anyway
            if value in self.frame.memref and stride > 1 and elements * bits <= LINE * 8:
                *start, last = (i.base for i in Points(self.frame, self.cut.lanes).map(map_, dims))
                found.append(
                    Ask(self.frame.memref[value], [*start, b.add(last, b.mul(tile, b.index(share)))], elements)
                )
        return found

    def steps(
        self,
        at: Place,
        bounds: list[tuple[Value, Value]],
        places: list[Place],
        masks: list[Value | None],
        sums: list[Value],
        count: Value,
    ) -> list[Value]:
        """The sums with those over `bounds` added; `count` is the number of steps done before."""
        b = self.b
        if not bounds:
            for ask in self.asked:
                *outer, first = ask.start
                b.prefetch(ask.memref, [*outer, b.add(first, b.mul(count, b.index(ask.elements)))], level=1)
            cache: dict[object, Value] = {}
            made = []
            for place, mask, total in zip(places, masks, sums, strict=True):
                points = Points(self.frame, self.cut.lanes, mask, cache=cache)
                dims = [at[d] if d in at else place[d] for d in range(self.view.dims)]
                made.append(points.vector(points.generic_body(self.view.op, dims, [total])[0]))
            return made
        level = len(self.order) - len(bounds)
        low, high = bounds[0]
        with b.for_(low, high, 1, sums) as loop:
            place = {**at, self.order[level]: LaneIndex(loop.iv)}
            done = b.add(b.mul(count, b.index(self.counted[level])), b.sub(loop.iv, low))
            loop.yield_(self.steps(place, bounds[1:], places, masks, list(loop.args), done))
        return list(loop.results)

    def finish(self, place: Place, totals: list[Value]) -> None:
        """The epilogue at the accumulators of a row, and the store of every result of the kernel."""
        masks: dict[object, Value] = {}
        cache: dict[object, Value] = {}
        for at, total in zip(self.columns(place), totals, strict=True):
            where = [at[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
            whole, indices = placed(self.frame, self.view.op.result, where)
            points = Points(self.frame, self.cut.lanes, self.mask(at, masks), {whole: total}, cache)
            values = [points.value(result, indices) for result in self.kernel.outputs]
            for value, memref in zip(values, self.frame.outputs, strict=True):
                points.store(value, memref, indices)
