"""Register tiles: a reduction whose running results stay in registers, `rows` x `vectors` of them, over all its steps.

    for tile in this worker's share of (outer dims, row tiles, lane tiles):
        accumulator[rows][vectors] = init
        for reduction dims:                         # the innermost unrolled
            for j in vectors: load or compute operand at (j)          -- contiguous lanes
            for i in rows:    broadcast operand at (i); accumulate into [i][0 .. vectors)
        epilogue(accumulator) -> store

An operand that does not depend on the row is loaded once per step and used `rows` times; one that does not depend on
the lanes is loaded as a scalar and used `vectors` times: with both, as in a matrix product, (rows + vectors) loads feed
rows * vectors multiply-adds. A convolution is the same nest with sums in its maps, a pooling or a column sum the same
with another combiner. The order of the reduction does not depend on the tile, so results do not depend on batch,
threads or tails. Source of the idea: Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008;
Georganas et al., "High-Performance Deep Learning via a Single Building Block", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod

from kcompile.codegen.mathematics import RECIPES
from kcompile.codegen.target import LINE
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.strategies.parts.chains import split_chains
from kcompile.strategies.parts.early_reads import asks_in_tiles, has_time, joined_operands, streamed_operand
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.placement import placed, whole_of
from kcompile.strategies.parts.points import Parts, Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic, is_static
from kcompile.strategies.parts.tile_choice import Tile, divides, least, part_axis, reduction_order

FEW_SUMS = 4  # with more, steps of windows that overlap are not unrolled: LLVM keeps what they share, and sums spill
UNROLLED_STEPS = 16  # reductions up to this many steps have no loop at all
# inside a loop, with so many sums: loads of more steps are hoisted over all of them, and the sums spilled: 13x2 sums of
# 2x2 windows of 16 channels, 64 GF/s with 16 steps and 240 with 4; 8x2 of 3x3 windows 198 and 262
MANY_SUMS, LOOPED_STEPS = 16, 4
Place = dict[int, LaneIndex]  # dims of the iteration space


def emit(kernel: Kernel, tile: Tile, strategy: str) -> Operation:
    """The loops of a kernel whose one root is a reduction with one result."""
    frame = Frame(kernel)
    view = generic(kernel.roots[0])
    emit_nest(frame, kernel, view, tile)
    if computes_once(view, tile):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"{strategy}{{{tile}}}")


def emit_nest(frame: Frame, kernel: Kernel, view: Generic, tile: Tile) -> None:
    """The loops of one root of a kernel, with the epilogue."""
    Nest(frame, kernel, view, tile).run()


def computes_once(view: Generic, tile: Tile) -> bool:
    """Whether no tile overlaps another: then the epilogue may update an operand in place."""
    return tile.row_dim < 0 or divides(tile.rows, view.extents()[tile.row_dim])


def has_dear_epilogue(kernel: Kernel) -> bool:
    """Whether an elementwise operation after the root has a polynomial in it."""
    views = [generic(op) for op in kernel.function.body.ops if op.name == "linalg.generic"]
    return any(op.name in RECIPES for view in views if not view.reductions for op in view.body.ops)


def is_constant(index: Value) -> bool:
    return index.defining_op is not None and index.defining_op.name == "arith.constant"


@dataclass(frozen=True, slots=True)
class LaneTiles:
    """`count` lane tiles of so many vectors, from lane `start` of every panel on; `mask` is for the last vector."""

    count: int
    vectors: int
    start: int = 0
    mask: Value | None = None

    @property
    def masks(self) -> list[Value | None]:
        return [*[None] * (self.vectors - 1), self.mask]


class Nest:
    """The loops of one root."""

    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, tile: Tile):
        self.frame, self.kernel, self.view, self.tile = frame, kernel, view, tile
        self.b = frame.b
        self.extents = view.extents()
        special = (tile.row_dim, tile.lane_dim, tile.part_dim, tile.panel_dim)
        self.outer = [d for d in view.parallel if d not in special]
        self.parts = self.fixed(tile.part_dim)
        self.panels = self.fixed(tile.panel_dim)
        self.panel = self.fixed(tile.lane_dim)
        self.part_axis = part_axis(whole_of(view.op.results[0])) if tile.part_dim >= 0 else None
        self.dear = has_dear_epilogue(kernel)
        self.joined = joined_operands(kernel, view, self.part_axis)
        self.streamed = streamed_operand(kernel, view, tile)
        self.later: list[LaneIndex] = []  # rows of it that this lane tile asks for

    def fixed(self, dim: int) -> int:
        """The size of a dim that has a fixed one; 1 for no dim."""
        size = self.extents[dim] if dim >= 0 else 1
        assert isinstance(size, int)
        return size

    def run(self) -> None:
        """Whole row tiles; where the number of rows is symbolic and too small for one, smaller ones."""
        tile = self.tile
        if tile.row_dim < 0:
            self.lane_tiles(tile.vectors, 1, self.b.index(1), self.b.index(1))
            return
        extent = self.extents[tile.row_dim]
        symbolic = isinstance(extent, SymbolicDim) and least(extent) < tile.rows
        self.row_tiles(tile.rows, self.frame.size(extent), symbolic)

    def row_tiles(self, rows: int, size: Value, symbolic: bool) -> None:
        """Tiles of `rows`; with a symbolic number of rows that is less, of half as many, and single rows at last."""
        b, tile = self.b, self.tile
        tiles = b.floordiv(b.add(size, b.index(rows - 1)), b.index(rows))
        if not symbolic:
            self.lane_tiles(tile.vectors, rows, tiles, size)
            return
        # two rows of few vectors would wait for their additions; out of panels a row takes few vectors, too
        vectors = max(tile.vectors, tile.single_row) if rows == 2 and self.panels > 1 else tile.vectors
        with b.if_(b.cmp("ge", size, b.index(rows))) as branch:
            self.lane_tiles(vectors, rows, tiles, size)
            branch.yield_([])
            with branch.else_():
                if rows >= 4:
                    self.row_tiles(rows // 2, size, symbolic)
                else:
                    self.lane_tiles(tile.single_row, 1, size, size)
                branch.yield_([])

    def lane_tiles(self, vectors: int, rows: int, row_tiles: Value, row_size: Value) -> None:
        """Full lane tiles, then the rest of the lanes of every panel."""
        width = vectors * self.tile.lanes
        if self.panels > 1 and width > self.panel and (width % self.panel or self.panels % (width // self.panel)):
            vectors, width = max(1, self.panel // self.tile.lanes), self.panel  # not so many whole panels
        if width > self.panel and self.panels > 1:  # a tile is several panels
            self.tiles(LaneTiles(self.panels * self.panel // width, vectors), rows, row_tiles, row_size)
            return
        full, rest = divmod(self.panel, width)
        if full:
            self.tiles(LaneTiles(self.panels * full, vectors), rows, row_tiles, row_size)
        if rest:
            tail = rest % self.tile.lanes
            mask = self.b.mask(self.b.index(tail), self.tile.lanes) if tail else None
            last = LaneTiles(self.panels, -(-rest // self.tile.lanes), full * width, mask)
            self.tiles(last, rows, row_tiles, row_size)

    def group(self, lanes: LaneTiles) -> int:
        """Lane tiles that all rows go through before the next ones."""
        return max(1, min(self.tile.group * self.tile.vectors // lanes.vectors, lanes.count))

    def shares(self, tiles: int, group: int, extents: Sequence[Value]) -> AbstractContextManager[list[Value]]:
        """This worker's places in a loop over (group of lane tiles, extents, tile of the group)."""
        return self.frame.parallel_groups(tiles, group, extents)

    def tiles(self, lanes: LaneTiles, rows: int, row_tiles: Value, row_size: Value) -> None:
        """The parallel loop over tiles of one variant. The last row tile is moved back so that it is whole.

        Lane tiles go in groups: (group, outer dims, row tile, lane tile of the group).
        """
        b = self.b
        group = self.group(lanes)
        outer = [self.frame.size(self.extents[d]) for d in self.outer]
        with self.shares(lanes.count, group, [*outer, row_tiles]) as at:
            lane_tile = b.add(b.mul(at[0], b.index(group)), at[-1])
            indices: Place = {d: LaneIndex(v) for d, v in zip(self.outer, at[1:-2], strict=True)}
            row = b.min(b.mul(at[-2], b.index(rows)), b.sub(row_size, b.index(rows)))
            row_indices = [LaneIndex(b.add(row, b.index(i))) for i in range(rows)]
            columns = self.columns(lane_tile, lanes)
            self.later = self.next_rows(row, rows, lanes.vectors, at[-1], group)
            self.tile_body(indices, row_indices, columns, lanes.masks)

    def next_rows(self, row: Value, rows: int, vectors: int, lane_tile: Value, group: int) -> list[LaneIndex]:
        """The part of the next row tile that a lane tile of the group asks for (see early_reads)."""
        b, share = self.b, -(-rows // group)
        if self.streamed is None or not has_time(share, rows, vectors, self.tile.unroll):
            return []
        first = b.min(b.mul(lane_tile, b.index(share)), b.index(rows - share))
        return [LaneIndex(b.add(b.add(row, b.index(rows + i)), first)) for i in range(share)]

    def columns(self, lane_tile: Value, lanes: LaneTiles) -> list[Place]:
        """Where the vectors of a lane tile are."""
        b, tile, vectors = self.b, self.tile, lanes.vectors
        if self.panels == 1:
            lane = b.add(b.mul(lane_tile, b.index(vectors * tile.lanes)), b.index(lanes.start))
            places = [{tile.lane_dim: LaneIndex(b.add(lane, b.index(j * tile.lanes)), 1)} for j in range(vectors)]
            return [{**p, tile.panel_dim: LaneIndex(b.index(0))} for p in places] if tile.panel_dim >= 0 else places
        if vectors * tile.lanes > self.panel:
            count, inside = vectors * tile.lanes // self.panel, self.panel // tile.lanes
            first = b.mul(lane_tile, b.index(count))
            return [
                {
                    tile.panel_dim: LaneIndex(b.add(first, b.index(p))),
                    tile.lane_dim: LaneIndex(b.index(j * tile.lanes), 1),
                }
                for p in range(count)
                for j in range(inside)
            ]
        pieces = b.index(lanes.count // self.panels)
        panel = LaneIndex(b.floordiv(lane_tile, pieces))
        lane = b.add(b.mul(b.mod(lane_tile, pieces), b.index(vectors * tile.lanes)), b.index(lanes.start))
        return [
            {tile.panel_dim: panel, tile.lane_dim: LaneIndex(b.add(lane, b.index(j * tile.lanes)), 1)}
            for j in range(vectors)
        ]

    def tile_body(self, outer: Place, rows: list[LaneIndex], columns: list[Place], masks: list[Value | None]) -> None:
        """Accumulators by row, column and part: all their sums, then the epilogue of every row and column."""
        tile = self.tile
        parts: list[Place] = [{tile.part_dim: LaneIndex(self.b.index(i))} for i in range(self.parts)]
        if tile.part_dim < 0:
            parts = [{}]
        places = [{**outer, tile.row_dim: row, **column} for row in rows for column in columns]
        points = [{**place, **part} for place in places for part in parts]
        masks = masks * len(rows)
        spread = [mask for mask in masks for _ in parts]
        cache: dict[object, Value] = {}
        start = [self.initial(point, mask, cache) for point, mask in zip(points, spread, strict=True)]
        self.ask_for_joined(points[:: len(parts)])
        sums = self.sums(points, spread, start)
        if self.dear and len(rows) > 1:
            self.finish_by_rows(outer, rows[0].base, len(rows), columns, masks[: len(columns)], sums)
            return
        cache = {}
        for i, mask in enumerate(masks):
            self.finish(points[i * len(parts)], mask, sums[i * len(parts) : (i + 1) * len(parts)], cache)

    def finish_by_rows(
        self, outer: Place, row: Value, rows: int, columns: list[Place], masks: list[Value | None], sums: list[Value]
    ) -> None:
        """The epilogue of a whole tile as a loop over its rows, the sums in scratch.

        Of a dear epilogue a row is work enough, and all sums in registers beside its constants are too many: gelu of
        13 x 2 vectors took 31 cycles a vector in straight code with spills, 17 so.
        """
        b, lanes = self.b, self.tile.lanes
        count = len(sums) // rows
        kept = self.frame.scratch((rows, count * lanes), t.element_of(sums[0].type))
        for i, total in enumerate(sums):
            b.vstore(total, kept, [b.index(i // count), b.index(i % count * lanes)])
        with b.for_(b.index(0), b.index(rows), 1) as loop:
            cache: dict[object, Value] = {}
            at = {**outer, self.tile.row_dim: LaneIndex(b.add(row, loop.iv))}
            totals = [b.vload(kept, [loop.iv, b.index(i * lanes)], lanes) for i in range(count)]
            for j, (column, mask) in enumerate(zip(columns, masks, strict=True)):
                place = {**at, **column}
                if self.tile.part_dim >= 0:
                    place[self.tile.part_dim] = LaneIndex(b.index(0))
                self.finish(place, mask, totals[j * self.parts : (j + 1) * self.parts], cache)
            loop.yield_()
        split_chains(loop.op, rows, self.frame.scratch)

    def initial(self, point: Place, mask: Value | None, cache: dict[object, Value]) -> Value:
        evaluator = Points(self.frame, self.tile.lanes, mask, cache=cache)
        dims = [point.get(d, LaneIndex(self.b.index(0))) for d in range(self.view.dims)]
        return evaluator.vector(evaluator.value(self.view.inits[0], evaluator.map(self.view.output_maps[0], dims)))

    def sums(self, points: list[Place], masks: list[Value | None], start: list[Value]) -> list[Value]:
        """All sums of a tile. With several sets, step k adds to set k mod sets; the sets are added up in pairs."""
        order, sets = reduction_order(self.view), self.tile.sets
        if sets == 1:
            return self.reduce(order, {}, points, masks, start)
        b, (dim,) = self.b, order
        size = self.frame.size(self.extents[dim])
        whole = b.mul(b.floordiv(size, b.index(sets)), b.index(sets))
        zero = b.constant(0.0 if t.is_float(start[0].type) else 0, start[0].type)
        count = len(start)
        with b.for_(b.index(0), whole, sets, [*start, *[zero] * (count * (sets - 1))]) as loop:
            new: list[Value] = []
            for s in range(sets):
                at = {dim: LaneIndex(b.add(loop.iv, b.index(s)))}
                new += self.step(at, points, masks, loop.args[s * count : (s + 1) * count])
            loop.yield_(new)
        found = [list(loop.results[s * count : (s + 1) * count]) for s in range(sets)]
        while len(found) > 1:
            found = [
                [b.add(x, y) for x, y in zip(*pair, strict=True)] for pair in zip(found[::2], found[1::2], strict=True)
            ]
        if isinstance(self.extents[dim], int) and self.fixed(dim) % sets == 0:
            return found[0]
        with b.for_(whole, size, 1, found[0]) as loop:
            loop.yield_(self.step({dim: LaneIndex(loop.iv)}, points, masks, list(loop.args)))
        return list(loop.results)

    def overlap(self, dims: list[int]) -> bool:
        """Whether steps along `dims` read elements that other rows of the tile read at other steps."""
        rows = self.tile.row_dim
        return any(
            {d for d, _ in e.terms} & set(dims) and e.coefficient(rows)
            for _, map_ in self.view.operands_read
            for e in map_.results
            if len(e.terms) > 1
        )

    def reduce(
        self,
        dims: list[int],
        at: Place,
        points: list[Place],
        masks: list[Value | None],
        sums: list[Value],
    ) -> list[Value]:
        """Loops over `dims`, outermost first; short ones and the steps of the innermost are unrolled."""
        b = self.b
        if not dims:
            return self.step(at, points, masks, sums)
        extent, rest = self.extents[dims[0]], dims[1:]
        steps = [self.extents[d] for d in dims]
        small = UNROLLED_STEPS if len(points) <= 32 else UNROLLED_STEPS // 2
        if len(points) >= MANY_SUMS and any(not is_constant(index.base) for index in at.values()):
            small = LOOPED_STEPS
        if len(points) > FEW_SUMS and self.overlap(dims):
            small = 1
        if is_static(steps) and prod(steps) <= small:  # type: ignore[operator, arg-type, type-var]
            assert isinstance(extent, int)
            for i in range(extent):
                sums = self.reduce(rest, {**at, dims[0]: LaneIndex(b.index(i))}, points, masks, sums)
            return sums
        unroll = self.tile.unroll if not rest and isinstance(extent, int) and extent % self.tile.unroll == 0 else 1
        with b.for_(b.index(0), self.frame.size(extent), unroll, sums) as loop:
            inner = list(loop.args)
            if not rest:
                self.ask_for_rows({**points[0], **at, dims[0]: LaneIndex(loop.iv)})
            for u in range(unroll):
                index = b.add(loop.iv, b.index(u))
                inner = self.reduce(rest, {**at, dims[0]: LaneIndex(index)}, points, masks, inner)
            loop.yield_(inner)
        return list(loop.results)

    def ask_for_joined(self, places: list[Place]) -> None:
        for value, offsets in self.joined:
            for place in places:
                at = zip(self.result_at(place)[1], offsets, strict=True)
                bases = [self.b.add(i.base, self.b.index(o)) if o else i.base for i, o in at]
                self.b.prefetch(self.frame.memref[value], bases)

    def ask_for_rows(self, at: Place) -> None:
        """Ask for what the next row tile reads of the streamed operand, at this step of the sum."""
        if self.streamed is not None:
            value, map_ = self.streamed
            for row in self.later:
                dims = [{**at, self.tile.row_dim: row}[d] for d in range(self.view.dims)]
                places = Points(self.frame, self.tile.lanes).map(map_, dims)
                self.b.prefetch(self.frame.memref[value], [i.base for i in places])

    def step(self, at: Place, points: list[Place], masks: list[Value | None], sums: list[Value]) -> list[Value]:
        """One point of the reduction space for every accumulator; operands are shared through the cache."""
        if self.tile.ahead and len({point[self.tile.row_dim] for point in points}) == 1:
            self.ask_ahead(at, points, self.tile.ahead)
        elif self.tile.ahead and asks_in_tiles(self.view, self.tile):
            self.ask_ahead(at, points[: self.tile.vectors], 2 * self.tile.ahead)
        cache: dict[object, Value] = {}
        new = []
        for point, mask, total in zip(points, masks, sums, strict=True):
            evaluator = Points(self.frame, self.tile.lanes, mask, cache=cache)
            dims = [at[d] if d in at else point[d] for d in range(self.view.dims)]
            new.append(evaluator.vector(evaluator.generic_body(self.view.op, dims, [total])[0]))
        return new

    def ask_ahead(self, at: Place, points: list[Place], steps: int) -> None:
        """Ask for what the operand along the lanes has some steps on, a line at a time."""
        b, tile, dim = self.b, self.tile, reduction_order(self.view)[-1]
        later = {**at, dim: LaneIndex(b.add(at[dim].base, b.index(steps)))}
        for value, map_ in self.view.operands_read:
            if value in self.frame.memref and tile.lane_dim in map_.used_dims():
                vectors = max(1, LINE * 8 // (tile.lanes * t.bitwidth(value.type)))  # of a line
                for point in points[::vectors]:
                    dims = [later[d] if d in later else point[d] for d in range(self.view.dims)]
                    places = Points(self.frame, tile.lanes).map(map_, dims)
                    b.prefetch(self.frame.memref[value], [i.base for i in places], level=1)

    def result_at(self, point: Place) -> tuple[Value, list[LaneIndex]]:
        """The tensor that the epilogue reads, and where in the results the elements of a point are."""
        at = [point[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
        whole, indices = placed(self.frame, self.view.op.results[0], at)
        if self.part_axis is not None:
            del indices[self.part_axis]
        return whole, indices

    def finish(self, point: Place, mask: Value | None, totals: list[Value], cache: dict[object, Value]) -> None:
        """The epilogue at a place of the tile, and the store of every result of the kernel."""
        whole, indices = self.result_at(point)
        known: Value | Parts = totals[0] if self.part_axis is None else Parts(self.part_axis, tuple(totals))
        evaluator = Points(self.frame, self.tile.lanes, mask, {whole: known}, cache)
        values = [evaluator.value(result, indices) for result in self.kernel.outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):  # a result may replace an operand
            evaluator.store(value, memref, indices)
