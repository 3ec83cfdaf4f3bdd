"""product_statistics: a product or convolution whose results are summed up, image by image, while they are stored.

    y[n, h, w, c] = epilogue(sum_k ..);  s[n, c] = sum_{h, w} f(y, ..)

    for (group of lane tiles, n) in this worker's share of (group, n, lane tile):
        totals[sums][columns of the share] = init
        for h, row tile, lane tile: a register tile of y (see register_tile); epilogue -> store
            totals[..] += f of its rows, one after the other
        epilogue(totals) -> store

The mean and variance of a batch norm come out of the convolution before it, the sums of its gradient out of the product
that makes the gradient of its result. A worker has all rows of its columns, so each sum is made in the order of rows,
for any number of workers. Traffic: that of the product; the sums read nothing.
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.strategies.column_sums import axes_of, depends
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.parts import register_tile, tile_choice
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.placement import placed, whole_of
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.register_tile import LaneTiles, Nest, Place
from kcompile.strategies.parts.structured import Generic, Kernel, generic, is_static
from kcompile.strategies.parts.tile_choice import Tile


def match(kernel: Kernel, target: Target) -> Tile | None:
    """One product, and sums of what is made from it over whole rows of dims before the last."""
    if len(kernel.roots) < 2 or any(op.name != "linalg.generic" or len(op.results) != 1 for op in kernel.roots):
        return None
    view, *sums = (generic(op) for op in kernel.roots)
    roots, whole = kernel.roots[1:], whole_of(view.op.result)
    if not is_multiply_add(view) or register_tile.has_dear_epilogue(kernel):
        return None
    if not all(depends(s.op.operands[0], kernel.roots[:1]) or depends(s.op.result, kernel.roots[:1]) for s in sums):
        return None
    shape, kept = t.shape_of(whole.type), sums[0].parallel
    for one in sums:
        if [one.extents()[d] for d in axes_of(one)] != list(shape) or len(one.parallel) != len(kept):
            return None
        if [e.dim for e in one.output_maps[0].results] != list(one.parallel):
            return None
        if tile_choice.lane_dim(one) != one.parallel[-1] or any(depends(v, roots) for v in one.inputs):
            return None
    small = tuple(sums[0].extents()[d] for d in kept)
    for value in kernel.outputs:
        if t.shape_of(value.type) != (small if depends(value, roots) else shape):
            return None
    apart = _kept_dims(view, len(kept) - 1)
    tile = tile_choice.choose(view, target, replaces=True, apart=apart)
    if tile is None or tile.part_dim >= 0 or (tile.row_dim >= 0 and not is_static([view.extents()[tile.row_dim]])):
        return None
    return tile


def _kept_dims(view: Generic, count: int) -> frozenset[int]:
    """The dims of the product that are the first `count` axes of its result."""
    return frozenset(e.dim for e in view.output_maps[0].results[:count] if e.dim is not None)


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    frame = Frame(kernel)
    view = generic(kernel.roots[0])
    _Emitter(frame, kernel, view, tile).run()
    if register_tile.computes_once(view, tile):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"product_statistics{{{tile}}}")


class _Emitter(Nest):
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, tile: Tile):
        super().__init__(frame, kernel, view, tile)
        self.reductions = [generic(op) for op in kernel.roots[1:]]
        kept = _kept_dims(view, len(self.reductions[0].parallel) - 1)
        self.kept = [d for d in self.outer if d in kept]
        self.swept = [d for d in self.outer if d not in kept]
        pairs = list(zip(kernel.outputs, frame.outputs, strict=True))
        roots = kernel.roots[1:]
        self.wide = [pair for pair in pairs if not depends(pair[0], roots)]
        self.small = [pair for pair in pairs if depends(pair[0], roots)]

    def tiles(self, lanes: LaneTiles, rows: int, row_tiles: Value, row_size: Value) -> None:
        """The loop over (group of lane tiles, kept dims), of each the lane tiles of this worker's share."""
        b, frame = self.b, self.frame
        most = self.group(lanes)
        group = max(n for n in range(1, most + 1) if lanes.count % n == 0)
        sizes = [b.index(lanes.count // group), *(frame.size(self.extents[d]) for d in self.kept)]
        width, vectors, masks = b.index(group), lanes.vectors, lanes.masks
        element = t.element_of(self.view.op.result.type)
        self.totals = frame.scratch((group * vectors * len(self.reductions), self.tile.lanes), element)
        low, high = b.partition(b.mul(frame.product(sizes), width), frame.tid, frame.team)
        with b.for_(b.floordiv(low, width), b.ceildiv(high, width), 1) as block:
            which, *outer = frame.indices(block.iv, sizes)
            kept: Place = {d: LaneIndex(i) for d, i in zip(self.kept, outer, strict=True)}
            before = b.mul(block.iv, width)
            first, last = b.max(b.sub(low, before), b.index(0)), b.min(b.sub(high, before), width)

            def columns(tile: Value) -> list[Place]:
                return self.columns(b.add(b.mul(which, width), tile), lanes)

            with b.for_(first, last, 1) as loop:
                start = [self.start({**kept, **column}, m) for column, m in zip(columns(loop.iv), masks, strict=True)]
                self.write(loop.iv, start)
            swept = [frame.size(self.extents[d]) for d in self.swept]
            with b.for_(b.index(0), frame.product([*swept, row_tiles]), 1) as step:
                *at, number = frame.indices(step.iv, [*swept, row_tiles])
                here: Place = {**kept, **{d: LaneIndex(i) for d, i in zip(self.swept, at, strict=True)}}
                nominal = b.mul(number, b.index(rows))
                row = b.min(nominal, b.sub(row_size, b.index(rows)))
                places = [LaneIndex(b.add(row, b.index(i))) for i in range(rows)]
                again = None if register_tile.computes_once(self.view, self.tile) else b.sub(nominal, row)
                with b.for_(first, last, 1) as loop:
                    self.later = self.next_rows(row, rows, vectors, loop.iv, group)
                    self.summed_tile(here, places, columns(loop.iv), masks, loop.iv, again)
            with b.for_(first, last, 1) as loop:
                totals = self.read(loop.iv, vectors)
                for column, m, found in zip(columns(loop.iv), masks, totals, strict=True):
                    self.store_sums({**kept, **column}, m, found)

    def summed_tile(
        self,
        outer: Place,
        rows: list[LaneIndex],
        columns: list[Place],
        masks: list[Value | None],
        number: Value,
        again: Value | None,
    ) -> None:
        """A register tile, its stores, and its rows added to the totals but for the first `again`, which were."""
        b = self.b
        places = [{**outer, self.tile.row_dim: row, **column} for row in rows for column in columns]
        spread = masks * len(rows)
        cache: dict[object, Value] = {}
        start = [self.initial(place, mask, cache) for place, mask in zip(places, spread, strict=True)]
        self.ask_for_joined(places)
        made = self.sums(places, spread, start)
        totals = self.read(number, len(columns))
        cache = {}
        for i, (place, mask, value) in enumerate(zip(places, spread, made, strict=True)):
            row, column = divmod(i, len(columns))
            new = self.finish_point(place, mask, value, totals[column], cache)
            if again is not None and row < len(rows) - 1:  # the last row is always a new one
                counts = b.cmp("ge", b.index(row), again)
                new = [b.select(counts, x, y) for x, y in zip(new, totals[column], strict=True)]
            totals[column] = new
        self.write(number, totals)

    def finish_point(
        self, point: Place, mask: Value | None, value: Value, totals: list[Value], cache: dict[object, Value]
    ) -> list[Value]:
        """The epilogue at a place of the tile, its stores, and the new totals."""
        whole, indices = self.result_at(point)
        points = Points(self.frame, self.tile.lanes, mask, {whole: value}, cache)
        values = [points.value(result, indices) for result, _ in self.wide]
        new = []
        for view, total in zip(self.reductions, totals, strict=True):
            dims = dict(zip(axes_of(view), indices, strict=True))
            new.append(points.vector(points.generic_body(view.op, [dims[d] for d in range(view.dims)], [total])[0]))
        for value, (_, memref) in zip(values, self.wide, strict=True):  # a result may replace an operand
            points.store(value, memref, indices)
        return new

    def kept_indices(self, place: Place) -> list[LaneIndex]:
        """Where a column of an image is in the sums."""
        zero = LaneIndex(self.b.index(0))
        at = [place.get(e.dim, zero) for e in self.view.output_maps[0].results]  # type: ignore[arg-type]
        _, indices = placed(self.frame, self.view.op.result, at)
        return [*indices[: len(self.reductions[0].parallel) - 1], indices[-1]]

    def start(self, place: Place, mask: Value | None) -> list[Value]:
        points = Points(self.frame, self.tile.lanes, mask)
        return [points.vector(points.value(view.inits[0], self.kept_indices(place))) for view in self.reductions]

    def store_sums(self, place: Place, mask: Value | None, totals: list[Value]) -> None:
        bound = {view.op.result: total for view, total in zip(self.reductions, totals, strict=True)}
        points = Points(self.frame, self.tile.lanes, mask, bound)
        indices = self.kept_indices(place)
        for value, memref in [(points.value(value, indices), memref) for value, memref in self.small]:
            points.store(value, memref, indices)

    def read(self, tile: Value, vectors: int) -> list[list[Value]]:
        """The totals of a lane tile: for each vector those of all sums."""
        b, count = self.b, len(self.reductions)
        first = b.mul(tile, b.index(vectors * count))
        return [
            [
                b.vload(self.totals, [b.add(first, b.index(j * count + i)), b.index(0)], self.tile.lanes)
                for i in range(count)
            ]
            for j in range(vectors)
        ]

    def write(self, tile: Value, totals: list[list[Value]]) -> None:
        b, count = self.b, len(self.reductions)
        first = b.mul(tile, b.index(len(totals) * count))
        for j, sums in enumerate(totals):
            for i, total in enumerate(sums):
                b.vstore(total, self.totals, [b.add(first, b.index(j * count + i)), b.index(0)])
