"""pooled_convolution: a direct convolution and the pooling that reads it, in one kernel, by bands of rows.

    for item in this worker's share of (groups of lane tiles, images, bands of pooled rows):
        for row under the windows that the band before has not made:
            register tiles as in convolution, epilogue  ->  scratch, a ring of rows
        for pooled row of the band, pooled column, vector:  combine the window out of the scratch, epilogue  ->  store

No row is computed twice but where a worker's share begins. The result of the convolution is never in memory, unless
somebody else reads it: then it is stored from the registers. What a pad puts around it is in the scratch, too.
Source of the idea: Alwani et al., "Fused-layer CNN accelerators", 2016.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.parts import tile_choice
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.placement import placed, whole_of
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.register_tile import LaneTiles, Nest, Place, computes_once
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile

GRAIN = 1 << 16  # multiply-adds of a band: many times what its loops cost, and still several bands an image
SHARED = 4  # pooled columns at a time: of 3 x 3 / 2 they take 26 maxima a vector of four, and 36 one by one


@dataclass(frozen=True, slots=True)
class Bands(Tile):
    """The register tile of the convolution. band: pooled rows that are made at a time."""

    band: int


@dataclass(frozen=True, slots=True)
class Axis:
    """A window along rows or columns: places of the result, and what lies before and after what is pooled."""

    places: int
    size: int
    low: int
    window: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        """Elements under a window, from its first to its last."""
        return (self.window - 1) * self.dilation + 1

    @property
    def overlap(self) -> int:
        """Elements that a window shares with the one before."""
        return max(0, self.reach - self.stride)

    @property
    def read(self) -> int:
        """Elements under all windows, from the first to the last."""
        return (self.places - 1) * self.stride + self.reach

    @property
    def is_covered(self) -> bool:
        """Whether every element is under some window."""
        return self.reach >= self.stride and self.dilation == 1 and self.read >= self.low + self.size


@dataclass(frozen=True, slots=True)
class Pooling:
    """Both roots. `image` is what is pooled, without its border of `filler`.

    extreme     whether it is the greatest or least of a window, whatever the order and without anything to start from
    """

    convolution: Generic
    pool: Generic
    image: Value
    filler: float
    rows: Axis
    columns: Axis
    extreme: bool


def pooling(kernel: Kernel) -> Pooling | None:
    """The kernel as a convolution and a pooling of its result over rows and columns, or None."""
    if len(kernel.roots) != 2 or any(op.name != "linalg.generic" or len(op.results) != 1 for op in kernel.roots):
        return None
    convolution, pool = map(generic, kernel.roots)
    if not is_multiply_add(convolution) or is_multiply_add(pool) or len(pool.operands_read) != 1:
        return None
    (image, map_), out = pool.operands_read[0], pool.output_maps[0]
    if len(map_.results) != 4 or [e.dim for e in out.results] != [0, 1, 2, 3] or pool.parallel != (0, 1, 2, 3):
        return None
    low, filler = (0, 0), 0.0
    pad = image.defining_op
    if pad is not None and pad.name == "tensor.pad":
        made = pad.body.terminator.operands[0].defining_op
        if made is None or made.name != "arith.constant":
            return None
        filler, image, low = made["value"], pad.operands[0], tuple(pad["static_low"][1:3])
    shape = t.shape_of(whole_of(convolution.op.results[0]).type)
    if t.shape_of(image.type) != shape or map_.results[0].dim != 0 or map_.results[3].dim != 3:
        return None
    axes = []
    for place in (1, 2):
        moves = {d: c for d, c in map_.results[place].terms if d != place}
        size, places = shape[place], pool.extents()[place]
        if len(moves) > 1 or isinstance(size, SymbolicDim) or isinstance(places, SymbolicDim):
            return None
        (dim, dilation), *_ = [*moves.items(), (-1, 1)]
        window = pool.extents()[dim] if dim >= 0 else 1
        assert isinstance(window, int)
        stride = map_.results[place].coefficient(place)
        axes.append(Axis(places, size, low[place - 1], window, stride, dilation))
    return Pooling(convolution, pool, image, filler, axes[0], axes[1], _is_extreme(pool))


def _is_extreme(pool: Generic) -> bool:
    start = pool.inits[0].defining_op
    filler = start.operands[0].defining_op if start is not None and start.name == "linalg.fill" else None
    names = {op.name for op in pool.body.ops} - {"linalg.yield"}
    starts = {"arith.maximumf": float("-inf"), "arith.minimumf": float("inf")}
    return filler is not None and len(names) == 1 and filler.get("value") == starts.get(names.pop(), "no")


def match(kernel: Kernel, target: Target) -> Bands | None:
    form = pooling(kernel)
    if form is None:
        return None
    view = form.convolution
    tile = tile_choice.choose(view, target)
    out = [e.dim for e in view.output_maps[0].results if e.dim is not None]
    shapes = {t.shape_of(whole_of(view.op.results[0]).type), t.shape_of(form.pool.op.results[0].type)}
    if tile is None or tile.part_dim >= 0 or tile.row_dim != out[2] or len(shapes) < 2:
        return None
    outer = [d for d in view.parallel if d not in (tile.row_dim, tile.lane_dim, tile.panel_dim)]
    if outer != out[:2] or any(t.shape_of(v.type) not in shapes for v in kernel.outputs):
        return None
    stored = any(t.shape_of(v.type) == t.shape_of(form.image.type) for v in kernel.outputs)
    if stored and not (form.rows.is_covered and form.columns.is_covered):
        return None  # only what is under a window is made
    extents = view.extents()
    sizes = [extents[d] for d in (*view.reductions, *out[2:])]
    if any(isinstance(n, SymbolicDim) for n in sizes):
        return None
    row = form.rows.stride * prod(n for n in sizes if isinstance(n, int))
    return Bands(**asdict(tile), band=min(form.rows.places, max(1, GRAIN // max(1, row))))


def emit(kernel: Kernel, bands: Bands, target: Target) -> Operation:
    form = pooling(kernel)
    assert form is not None
    frame = Frame(kernel)
    _Nest(frame, kernel, form, bands).run()
    if computes_once(form.convolution, bands) and not form.rows.overlap + form.columns.overlap:
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"pooled_convolution{{{bands}}}")


class _Nest(Nest):
    """The loops of the convolution, with those of the pooling around every band of them."""

    scratch: Value
    base: Value  # what to take from a channel to have its place in the scratch

    def __init__(self, frame: Frame, kernel: Kernel, form: Pooling, bands: Bands):
        super().__init__(frame, kernel, form.convolution, bands)
        self.form, self.band = form, bands.band
        self.element = t.element_of(form.image.type)
        self.deep = (bands.band - 1) * form.rows.stride + form.rows.reach
        self.wide = max(form.columns.low + form.columns.size, form.columns.read)
        pooled = t.shape_of(form.pool.op.results[0].type)
        pairs = list(zip(kernel.outputs, frame.outputs, strict=True))
        self.pooled = [pair for pair in pairs if t.shape_of(pair[0].type) == pooled]
        self.whole = [pair for pair in pairs if t.shape_of(pair[0].type) != pooled]

    def tiles(self, lanes: LaneTiles, rows: int, row_tiles: Value, row_size: Value) -> None:
        """Bands of all images, for groups of lane tiles of one variant."""
        b, frame, form = self.b, self.frame, self.form
        group = self.group(lanes)
        full, rest = divmod(lanes.count, group)
        self.scratch = frame.scratch((self.deep, self.wide, group * lanes.vectors * self.tile.lanes), self.element)
        self.fill_columns()
        bands = b.index(-(-form.rows.places // self.band))
        sizes = [b.index(full + (rest > 0)), frame.size(self.extents[self.outer[0]]), bands]
        low, high = b.partition(frame.product(sizes), frame.tid, frame.team, 1)
        with b.for_(low, high, 1) as item:
            which, image, band = frame.indices(item.iv, sizes)
            tiles = (
                b.select(b.cmp("eq", which, b.index(full)), b.index(rest), b.index(group)) if rest else b.index(group)
            )
            follows = b.and_(b.cmp("ne", item.iv, low), b.cmp("ne", band, b.index(0)))
            first = b.mul(band, b.index(self.band))
            count = b.min(b.index(self.band), b.sub(b.index(form.rows.places), first))
            start, end = self.rows_to_make(first, follows, count)
            with frame.nest([(start, end), (b.index(0), row_tiles), (b.index(0), tiles)]) as (down, right, place):
                columns = self.lane_tile(b.mul(which, b.index(group)), place, lanes)
                left = b.min(b.mul(right, b.index(rows)), b.sub(row_size, b.index(rows)))
                corner = image, b.sub(down, b.index(form.rows.low))
                indices: Place = {d: LaneIndex(v) for d, v in zip(self.outer, corner, strict=True)}
                self.tile_body(indices, [LaneIndex(b.add(left, b.index(i))) for i in range(rows)], columns, lanes.masks)
            shared = form.extreme and form.columns.overlap > 0  # sums keep their order, by rows
            places = min(SHARED if shared else 1, form.columns.places)
            extents = (count, b.index(-(-form.columns.places // places)), tiles)
            with frame.nest([(b.index(0), n) for n in extents]) as (down, right, place):
                columns = self.lane_tile(b.mul(which, b.index(group)), place, lanes)
                left = b.min(b.mul(right, b.index(places)), b.index(form.columns.places - places))
                at = [LaneIndex(image), LaneIndex(b.add(first, down)), LaneIndex(left)]
                for column, masked in zip(columns, lanes.masks, strict=True):
                    self.pool_at([*at, self.channel(column)], places, masked)
            item.yield_()

    def lane_tile(self, first: Value, place: Value, lanes: LaneTiles) -> list[Place]:
        """The vectors of a lane tile; in the scratch they are as in their group, whose first one is `first`."""
        b = self.b
        columns = self.columns(b.add(first, place), lanes)
        self.base = b.sub(self.channel(columns[0]).base, b.mul(place, b.index(lanes.vectors * self.tile.lanes)))
        return columns

    # -- the band
    def rows_to_make(self, first: Value, follows: Value, count: Value) -> tuple[Value, Value]:
        """Rows of the padded image that the convolution makes, for `count` pooled ones from `first`."""
        b, rows = self.b, self.form.rows
        start = b.mul(first, b.index(rows.stride))
        end = b.add(b.mul(b.sub(b.add(first, count), b.index(1)), b.index(rows.stride)), b.index(rows.reach))
        if rows.overlap:
            start = b.select(follows, b.add(start, b.index(rows.overlap)), start)
        if rows.low:
            inside = b.max(start, b.min(end, b.index(rows.low)))
            self.fill_rows(start, inside)
            start = inside
        if rows.read > rows.low + rows.size:
            inside = b.max(start, b.min(end, b.index(rows.low + rows.size)))
            self.fill_rows(inside, end)
            end = inside
        return start, end

    def slot(self, row: Value) -> Value:
        """Where a row of the padded image is in the scratch."""
        return self.b.mod(row, self.b.index(self.deep))

    def fill_rows(self, start: Value, end: Value) -> None:
        with self.b.for_(start, end, 1) as row:
            self.fill(self.slot(row.iv), 0, self.wide)
            row.yield_()

    def fill_columns(self) -> None:
        """What is beside the image in the scratch, which nothing else writes."""
        b, columns = self.b, self.form.columns
        for start, end in ((0, columns.low), (columns.low + columns.size, self.wide)):
            if start < end:
                with b.for_(b.index(0), b.index(self.deep), 1) as row:
                    self.fill(row.iv, start, end)
                    row.yield_()

    def fill(self, row: Value, start: int, end: int) -> None:
        """Columns of a row of the scratch."""
        b, lanes = self.b, self.tile.lanes
        size = t.shape_of(self.scratch.type)[2]
        assert isinstance(size, int)
        filler = b.broadcast(b.constant(self.form.filler, self.element), lanes)
        with b.for_(b.index(start), b.index(end), 1) as column:
            with b.for_(b.index(0), b.index(size), lanes) as lane:
                b.vstore(filler, self.scratch, [row, column.iv, lane.iv])
                lane.yield_()
            column.yield_()

    # -- the convolution, into the scratch
    def channel(self, column: Place) -> LaneIndex:
        """Where a vector of a lane tile is along the last axis of the image."""
        zero = LaneIndex(self.b.index(0))
        at = [column.get(e.dim, zero) for e in self.view.output_maps[0].results]  # type: ignore[arg-type]
        return placed(self.frame, self.view.op.results[0], at)[1][-1]

    def finish(self, point: Place, mask: Value | None, totals: list[Value], cache: dict[object, Value]) -> None:
        """The epilogue of the convolution, into the scratch, and into memory where others read it."""
        b, form = self.b, self.form
        at = [point[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
        whole, indices = placed(self.frame, self.view.op.results[0], at)
        points = Points(self.frame, self.tile.lanes, mask, {whole: totals[0]}, cache)
        value = points.vector(points.value(form.image, indices))
        values = [(points.value(result, indices), memref) for result, memref in self.whole]
        for made, memref in values:  # a result may replace an operand
            points.store(made, memref, indices)
        _, row, column, channel = (index.base for index in indices)
        slot = self.slot(b.add(row, b.index(form.rows.low)))
        b.vstore(value, self.scratch, [slot, b.add(column, b.index(form.columns.low)), b.sub(channel, self.base)])

    # -- the pooling, out of the scratch
    def pool_at(self, at: list[LaneIndex], places: int, mask: Value | None) -> None:
        """A vector of so many pooled columns from `at`: the windows, and what follows them."""
        b, form = self.b, self.form
        points = Points(self.frame, self.tile.lanes, mask)
        start = None if form.extreme else points.vector(points.value(form.pool.inits[0], at))
        read: dict[int, Value] = {}  # what columns of windows give together
        for i in range(places):
            here = [*at[:2], LaneIndex(b.add(at[2].base, b.index(i))), at[3]]
            taps = range(i * form.columns.stride, i * form.columns.stride + form.columns.reach, form.columns.dilation)
            if form.extreme:
                for tap in taps:
                    if tap not in read:
                        read[tap] = self.combined(points, None, [(row, tap) for row in range(form.rows.window)], at)
                total = functools.reduce(partial(self.combine, points), [read[tap] for tap in taps])
            else:
                total = self.combined(points, start, list(product(range(form.rows.window), taps)), at)
            done = Points(self.frame, self.tile.lanes, mask, {form.pool.op.result: total})
            for made, memref in [(done.value(result, here), memref) for result, memref in self.pooled]:
                done.store(made, memref, here)

    def combined(self, points: Points, total: Value | None, taps: list[tuple[int, int]], at: list[LaneIndex]) -> Value:
        """Elements of the scratch, at (row of the window, column behind the first one of `at`), onto `total`."""
        b, rows, columns = self.b, self.form.rows, self.form.columns
        left = b.mul(at[2].base, b.index(columns.stride))
        for tap, column in taps:
            row = b.add(b.mul(at[1].base, b.index(rows.stride)), b.index(tap * rows.dilation))
            place = [self.slot(row), b.add(left, b.index(column)), b.sub(at[3].base, self.base)]
            value = b.vload(self.scratch, place, self.tile.lanes)
            total = value if total is None else self.combine(points, total, value)
        assert total is not None
        return total

    def combine(self, points: Points, total: Value, value: Value) -> Value:
        body = self.form.pool.body
        argument = next(a for a in body.arguments if a.uses)
        return points.inline(body, {argument: value, body.arguments[-1]: total})[0]
