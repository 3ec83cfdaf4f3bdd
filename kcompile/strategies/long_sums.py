"""long_sums: a few sums over very much, in blocks that stay in the second-level cache: the gradient of a filter.

    dw[kh, kw, ic, oc] = epilogue(sum_{n, oh, ow} x[n, oh * s + kh, ow * s + kw, ic] * dy[n, oh, ow, oc])

    sums[..] = init                                        -- this worker's tiles, in memory of its own
    for block of the outer reduction dims:                 -- its part of x and dy fits a quarter of the L2
        for tile in this worker's share of (kh, kw, tiles of ic, tiles of oc):
            accumulator[rows][vectors] = sums[tile]
            for the steps of the block: accumulate           -- rows: scalars side by side in x; vectors of dy
            sums[tile] = accumulator
    for tile in the share: epilogue(sums[tile]) -> store

Every tile asks for a share of the next block meanwhile (next_block). All this is done for one piece after the other
where both operands have a dim of pieces, as split-products makes them. The lanes run along the other dim where that
fills vectors better (`turned`): the results are turned when they are stored.
Where the lines of dy that a tile reads share few sets of the first-level cache, they are copied side by side (`packs`).
Without blocks each tile would stream all of both operands from memory. The steps of one sum are taken in the same order
as without, so nothing depends on the size of a block or the number of workers, and nothing is added up between them.
Traffic: x and dy once a worker; the sums once a block. Source of the idea: the weight-gradient kernels of LIBXSMM
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
from kcompile.ir.types import VectorType
from kcompile.strategies.contraction import products_of_one_whole
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.next_block import Ask, NextBlock
from kcompile.strategies.parts.placement import placed
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.sum_cut import Sums, block_bytes, block_steps, cut, packs, pays_to_turn, turn
from kcompile.strategies.parts.tile_choice import reduction_order

Place = dict[int, LaneIndex]  # dims of the iteration space


@dataclass(frozen=True, slots=True)
class LongSums:
    """block: bytes of the operands in a block; turned: rows and lanes of the one root are exchanged; roots: several are
    the phases of one result."""

    block: int
    turned: bool
    roots: tuple[Sums, ...]

    def __str__(self) -> str:
        return f"block={self.block}, turned={str(self.turned).lower()}, roots={len(self.roots)}, {self.roots[0]}"


def match(kernel: Kernel, target: Target) -> LongSums | None:
    """Multiply-adds over operands that do not fit the second-level cache, to results that do."""
    views = products_of_one_whole(kernel)
    found = [sums for view in views if (sums := cut(kernel, view, target)) is not None]
    if not views or len(found) != len(views):
        return None
    turned = len(views) == 1 and pays_to_turn(views[0], found[0], target)
    return LongSums(block_bytes(views, target), turned, tuple(found))


def emit(kernel: Kernel, parameters: LongSums, target: Target) -> Operation:
    frame = Frame(kernel)
    views = [generic(root) for root in kernel.roots]
    cuts = parameters.roots
    if parameters.turned:
        cuts = tuple(turn(view, sums, target) or sums for view, sums in zip(views, cuts, strict=True))
    nests = [_Emitter(frame, kernel, view, sums, parameters.block) for view, sums in zip(views, cuts, strict=True)]
    if len({nest.extents[nest.order[0]] for nest in nests}) == 1 and not any(nest.cut.pieces for nest in nests):
        _sum_up(nests)  # all phases of an image while it is in the cache
    else:
        for nest in nests:
            with nest.each_piece():
                _sum_up([nest])
    frame.function["kernel.once"] = UnitAttr()  # `store` leaves out what two tiles have
    return frame.finish(f"long_sums{{{parameters}}}")


def _sum_up(nests: Sequence[_Emitter]) -> None:
    """The sums of nests that have the outer reduction dim in common."""
    first = nests[0]
    for nest in nests:
        nest.clear()
    b, size = first.b, first.frame.size(first.extents[first.order[0]])
    step = min(nest.steps_of_block[0] for nest in nests)
    with b.for_(b.index(0), size, step) as loop:
        end = b.min(b.add(loop.iv, b.index(step)), size)
        for nest in nests:
            nest.add(loop.iv, end)
    for nest in nests:
        nest.store()


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, sums: Sums, block: int):
        self.frame, self.kernel, self.view, self.cut = frame, kernel, view, sums
        self.steps_of_block = block_steps(view, sums.pieces, block)
        self.b = frame.b
        self.extents = view.extents()
        self.order = reduction_order(view)
        special = (sums.row_dim, sums.lane_dim, *sums.pieces, *sums.unrolled)
        self.outer = [d for d in view.parallel if d not in special]
        held: list[list[Place]] = [
            [{d: LaneIndex(self.b.index(i))} for i in range(self.extent(d))] for d in sums.unrolled
        ]
        self.unrolled: list[Place] = [{k: v for p in places for k, v in p.items()} for places in product(*held)]
        self.held = len(self.unrolled) * sums.rows * sums.vectors  # accumulators of a tile
        self.counts = sums.counts(view)
        self.row_tiles, self.lane_tiles = self.counts[-1], self.counts[0]
        self.piece: Place = {}
        self.next = NextBlock(frame, view, sums, self.steps_of_block)
        self.asked: list[Ask] = []
        total = prod(self.counts)
        self.first, self.last = self.b.partition(
            self.b.index(total * prod(self.extent(d) for d in sums.pieces)), frame.tid, frame.team
        )  # this worker's tiles, those of one piece after those of the other; in `each_piece` those of that piece
        element = t.element_of(view.op.result.type)
        self.vector = VectorType((sums.lanes,), element) if sums.lanes > 1 else element
        self.memory = frame.scratch((prod(self.counts) * self.held, sums.lanes), element)
        self.copied = next((pair for pair in view.operands_read if packs(view, sums, *pair)), None)
        if self.copied is not None:
            width = sums.vectors * sums.lanes
            self.panel = frame.scratch((self.steps_of_block[0], width), t.element_of(self.copied[0].type))

    def extent(self, dim: int) -> int:
        size = self.extents[dim]
        assert isinstance(size, int)
        return size

    @contextmanager
    def each_piece(self) -> Iterator[None]:
        """One piece after the other, and the tiles of it that this worker has."""
        if not self.cut.pieces:
            yield
            return
        b, total, (first, last) = self.b, self.b.index(prod(self.counts)), (self.first, self.last)
        with b.for_(b.floordiv(first, total), b.ceildiv(last, total), 1) as loop:
            before = b.mul(loop.iv, total)
            self.first, self.last = b.max(b.sub(first, before), b.index(0)), b.min(b.sub(last, before), total)
            places = self.frame.indices(loop.iv, [b.index(self.extent(d)) for d in self.cut.pieces])
            self.piece = {d: LaneIndex(i) for d, i in zip(self.cut.pieces, places, strict=True)}
            yield
            loop.yield_()

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
        if self.cut.turned:
            self.store_turned()
            return
        masks: dict[object, Value] = {}
        with self.tiles() as (tile, place, done), self.each_row(place, done) as (row, at):
            totals = self.read(tile, row, len(self.unrolled) * self.cut.vectors)
            cache: dict[object, Value] = {}
            for column, total in zip(self.columns(at), totals, strict=True):
                self.finish(column, total, self.mask(column, masks), cache)

    def store_turned(self) -> None:
        """Store tiles whose lanes run along another dim than those of the results: turned, by way of memory."""
        b, cut = self.b, self.cut
        width, height = cut.vectors * cut.lanes, -(-cut.rows // cut.lanes) * cut.lanes
        turned = self.frame.scratch((width, cut.rows + height), t.element_of(self.view.op.result.type))
        with self.tiles() as (tile, place, done):
            with b.for_(0, cut.lanes, 1) as loop:
                for row, j in product(range(cut.rows), range(cut.vectors)):
                    slot, _ = self.slot(tile, b.index(row), j)
                    b.store(b.load(self.memory, [slot, loop.iv]), turned, [b.add(loop.iv, j * cut.lanes), b.index(row)])
                loop.yield_()
            columns, rows = place[cut.lane_dim].base, place[cut.row_dim].base
            count = b.min(b.sub(b.index(self.extent(cut.lane_dim)), columns), b.index(width))
            masks = []
            for start in range(0, cut.rows, cut.lanes):  # the rows from `done` on
                left = b.sub(b.index(cut.rows - start), done)
                masks.append(b.mask(b.max(b.min(left, b.index(cut.lanes)), b.index(0)), cut.lanes))
            with b.for_(b.index(0), count, 1) as loop:
                cache: dict[object, Value] = {}
                for j, mask in enumerate(masks):
                    first = b.add(done, b.index(j * cut.lanes))
                    at = {**place, cut.lane_dim: LaneIndex(b.add(columns, loop.iv))}
                    at[cut.row_dim] = LaneIndex(b.add(rows, first), 1)
                    self.finish(at, b.vload(turned, [loop.iv, first], cut.lanes), mask, cache)
                loop.yield_()

    @contextmanager
    def tiles(self) -> Iterator[tuple[Value, Place, Value]]:
        """This worker's tiles: the number of its first accumulator, its place, and its rows that another has too."""
        b = self.b
        with b.for_(self.first, self.last, 1) as loop:
            yield self.tile(self.frame.indices(loop.iv, [b.index(n) for n in self.counts]))
            loop.yield_()

    def tile(self, at: list[Value]) -> tuple[Value, Place, Value]:
        """See `tiles`; `at` counts lane tiles, outer dims and row tiles."""
        b, cut = self.b, self.cut
        number = at[0]
        for count, index in zip(self.counts[1:], at[1:], strict=True):
            number = b.add(b.mul(number, b.index(count)), index)
        self.number = number
        place = {**self.piece, **{d: LaneIndex(i) for d, i in zip(self.outer, at[1:-1], strict=True)}}
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
    def packed_tiles(self, low: Value, high: Value) -> Iterator[tuple[Value, Place, Value]]:
        """The same tiles by lane tile, whose part of the copied operand is in `panel` then."""
        b, first, last = self.b, self.first, self.last
        rows = b.index(self.row_tiles)
        with b.for_(b.floordiv(first, rows), b.ceildiv(last, rows), 1) as lanes:
            self.fill_panel(b.mul(lanes.iv, b.index(self.cut.vectors * self.cut.lanes)), low, high)
            before = b.mul(lanes.iv, rows)
            with b.for_(b.max(b.sub(first, before), b.index(0)), b.min(b.sub(last, before), rows), 1) as loop:
                yield self.tile([lanes.iv, loop.iv])

    def fill_panel(self, lane: Value, low: Value, high: Value) -> None:
        b, cut = self.b, self.cut
        with b.for_(low, high, 1) as loop:
            points = Points(self.frame, cut.lanes)
            for j, place in enumerate(self.columns({cut.lane_dim: LaneIndex(lane), self.order[0]: LaneIndex(loop.iv)})):
                value = points.vector(points.value(*self.copy_at(points, place)))
                b.vstore(value, self.panel, [b.sub(loop.iv, low), b.index(j * cut.lanes)])

    def copy_at(self, points: Points, place: Place) -> tuple[Value, tuple[LaneIndex, ...]]:
        """The copied operand and where it is read."""
        value, map_ = self.copied  # type: ignore[misc]
        return value, tuple(points.map(map_, [place.get(d, LaneIndex(self.b.index(0))) for d in range(self.view.dims)]))

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
        self.low = starts[0]
        with self.tiles() if self.copied is None else self.packed_tiles(starts[0], ends[0]) as (tile, place, _):
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
            self.block_of = starts, ends
            sums = self.steps(self.piece, bounds, places, masks, sums, b.index(0))
            for i, row in enumerate(rows):
                self.write(tile, row, sums[i * width : (i + 1) * width])

    def steps(
        self,
        at: Place,
        bounds: list[tuple[Value, Value]],
        places: list[Place],
        masks: list[Value | None],
        sums: list[Value],
        count: Value,
    ) -> list[Value]:
        """The sums with those over `bounds` added; `count`: how many steps were done before."""
        b, level = self.b, len(self.order) - len(bounds)
        if level == self.next.run:
            self.asked, count = self.next.asks(self.number, at, *self.block_of), b.index(0)
        if not bounds:
            self.next.ask(self.asked, count)
            cache: dict[object, Value] = {}
            for j, place in enumerate(places[: self.cut.vectors] if self.copied else ()):
                where = [self.b.sub(at[self.order[0]].base, self.low), self.b.index(j * self.cut.lanes)]
                key = self.copy_at(Points(self.frame, self.cut.lanes), {**place, **at})
                cache[key] = self.b.vload(self.panel, where, self.cut.lanes)
            made = []
            for place, mask, total in zip(places, masks, sums, strict=True):
                points = Points(self.frame, self.cut.lanes, mask, cache=cache)
                dims = [at[d] if d in at else place[d] for d in range(self.view.dims)]
                made.append(points.vector(points.generic_body(self.view.op, dims, [total])[0]))
            return made
        low, high = bounds[0]
        with b.for_(low, high, 1, sums) as loop:
            done = b.add(b.mul(count, b.index(self.next.counted[level])), b.sub(loop.iv, low))
            inner = {**at, self.order[level]: LaneIndex(loop.iv)}
            loop.yield_(self.steps(inner, bounds[1:], places, masks, list(loop.args), done))
        return list(loop.results)

    def finish(self, place: Place, total: Value, mask: Value | None, cache: dict[object, Value]) -> None:
        """The epilogue at a vector of results, and the store of every result of the kernel."""
        where = [place[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
        whole, indices = placed(self.frame, self.view.op.result, where)
        points = Points(self.frame, self.cut.lanes, mask, {whole: total}, cache)
        values = [points.value(result, indices) for result in self.kernel.outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):
            points.store(value, memref, indices)
