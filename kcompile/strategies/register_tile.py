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

from dataclasses import dataclass, fields
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import TensorType
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneIndex
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Generic, Kernel, generic, is_static

UNROLLED_STEPS = 16  # reductions up to this many steps have no loop at all


@dataclass(frozen=True, slots=True)
class Tile:
    """How a reduction is cut.

    row_dim, lane_dim   dims of the iteration space (-1: no row dim)
    rows, vectors       accumulators of a tile
    single_row          vectors of a tile of one row, for a symbolic number of rows that is too small: many sums at once
                        hide the latency of an addition, and the other operand is read in long runs
    lanes               elements of a vector
    unroll              steps of the innermost reduction in one turn
    lanes_outer         the lane tiles are the outermost loop, so that a large operand is streamed once
    """

    row_dim: int
    lane_dim: int
    rows: int
    vectors: int
    single_row: int
    lanes: int
    unroll: int
    lanes_outer: bool

    def __str__(self) -> str:
        return ", ".join(f"{f.name}={str(getattr(self, f.name)).lower()}" for f in fields(self))


def lane_dim(view: Generic) -> int | None:
    """The dim along which results and operands are contiguous or constant: the last of the result's; None if none."""
    out = view.output_maps[0]
    if len(view.output_maps) != 1 or not out.results or any(e.dim is None for e in out.results):
        return None
    dim = out.results[-1].dim
    assert dim is not None
    if not isinstance(view.extents()[dim], int):
        return None
    for _, map_ in view.operands_read:
        strides = [e.coefficient(dim) for e in map_.results]
        if any(strides[:-1]) or (strides and strides[-1] not in (0, 1)):
            return None
    return dim


def row_dim(view: Generic, lane: int) -> int:
    """The parallel dim that some operand does not depend on: the innermost of at least 4, else the largest, else -1."""
    extents = view.extents()
    reused = [d for d in view.parallel if d != lane and any(d not in m.used_dims() for _, m in view.operands_read)]
    fixed = [d for d in reused if isinstance(extents[d], int) and extents[d] != 1]
    for d in reversed(fixed):
        if extents[d] >= 4:  # type: ignore[operator]
            return d
    symbolic = [d for d in reused if isinstance(extents[d], SymbolicDim)]
    # a symbolic row dim is worth its two variants only where no fixed one gives enough rows
    if symbolic:
        return symbolic[-1]
    return max(fixed, key=lambda d: (extents[d], d)) if fixed else -1


def rows_limit(vectors: int, registers: int) -> int:
    """The most rows whose accumulators, operand vectors and one broadcast fit the register file without spilling.

    For 32 registers: 6x4, 8x3, 14x2, measured at 95-97 % of FMA peak; for 16: 3x4, 4x3, 6x2, 12x1.
    """
    if registers >= 32:
        return {4: 6, 3: 8, 2: 14}.get(vectors, 14)
    return max(1, (registers - 1 - vectors) // vectors)


def choose_rows(extent: Dim, limit: int) -> int:
    """Rows of a tile: the most that divide `extent` best (the last tile overlaps the one before)."""
    if not isinstance(extent, int):
        return limit
    if extent <= limit:
        return max(1, extent)
    return min(range(1, limit + 1), key=lambda r: (-(-extent // r) * (r + 2), -r))  # r + 2: loads of a tile step


def choose_vectors(extent: int, lanes: int) -> int:
    """Vectors of a tile: the most of 4, 3, 2, 1 that cover `extent` with the fewest idle lanes."""
    needed = -(-extent // lanes)
    if needed <= 4:
        return max(1, needed)
    return min((4, 3, 2), key=lambda v: (-(-needed // v) * v, -v))


def choose(view: Generic, target: Target, streamed_bytes: int = 1 << 18) -> Tile | None:
    """The tile for a reduction, or None where no dim can carry the lanes."""
    lane = lane_dim(view)
    if lane is None:
        return None
    extents = view.extents()
    element = t.element_of(view.op.results[0].type)
    widest = max([element, *(t.element_of(v.type) for v, _ in view.operands_read)], key=t.bitwidth)
    lanes = target.lanes(widest)
    size = extents[lane]
    assert isinstance(size, int)
    vectors = choose_vectors(size, lanes)
    row = row_dim(view, lane)
    rows = 1 if row < 0 else choose_rows(extents[row], rows_limit(vectors, target.registers))
    inner = extents[reduction_order(view)[-1]]
    unroll = 2 if isinstance(inner, int) and inner % 2 == 0 and rows * vectors <= 16 else 1
    lanes_outer = size > vectors * lanes and any(
        _bytes(v) > streamed_bytes for v, m in view.operands_read if row not in m.used_dims()
    )
    single_row = max(vectors, min(target.registers // 2, size // lanes))
    return Tile(row, lane, rows, vectors, single_row, lanes, unroll, lanes_outer)


def _bytes(value: Value) -> int:
    """Size of a tensor, 0 where it is symbolic."""
    assert isinstance(value.type, TensorType)
    size = value.type.size
    return size * t.bitwidth(value.type) // 8 if isinstance(size, int) else 0


def emit(kernel: Kernel, tile: Tile, strategy: str) -> Operation:
    """The loops of a kernel whose one root is a reduction with one result."""
    frame = Frame(kernel)
    view = generic(kernel.roots[0])
    _Emitter(frame, kernel, view, tile).run()
    extent = view.extents()[tile.row_dim] if tile.row_dim >= 0 else tile.rows
    if isinstance(extent, int) and extent % tile.rows == 0:
        # No tile overlaps another: every point is computed once, so the epilogue may update an operand in place.
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"{strategy}{{{tile}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, tile: Tile):
        self.frame, self.kernel, self.view, self.tile = frame, kernel, view, tile
        self.b = frame.b
        self.extents = view.extents()
        self.outer = [d for d in view.parallel if d not in (tile.row_dim, tile.lane_dim)]

    def run(self) -> None:
        """Whole row tiles; where the number of rows is symbolic and too small for one, single rows."""
        b, tile = self.b, self.tile
        if tile.row_dim < 0:
            self.lane_tiles(tile.vectors, 1, b.index(1), b.index(1))
            return
        extent = self.extents[tile.row_dim]
        size = self.frame.size(extent)
        tiles = b.floordiv(b.add(size, b.index(tile.rows - 1)), b.index(tile.rows))
        if isinstance(extent, int):
            self.lane_tiles(tile.vectors, tile.rows, tiles, size)
            return
        with b.if_(b.cmp("ge", size, b.index(tile.rows))) as branch:
            self.lane_tiles(tile.vectors, tile.rows, tiles, size)
            branch.yield_([])
            with branch.else_():
                self.lane_tiles(tile.single_row, 1, size, size)
                branch.yield_([])

    def lane_tiles(self, vectors: int, rows: int, row_tiles: Value, row_size: Value) -> None:
        """Full lane tiles, then the rest of the lanes."""
        lanes = self.tile.lanes
        size = self.extents[self.tile.lane_dim]
        assert isinstance(size, int)
        full, rest = divmod(size, vectors * lanes)
        if full:
            self.tiles(full, vectors, None, 0, rows, row_tiles, row_size)
        if rest:
            tail = rest % lanes
            mask = self.b.mask(self.b.index(tail), lanes) if tail else None
            self.tiles(1, -(-rest // lanes), mask, full * vectors * lanes, rows, row_tiles, row_size)

    def tiles(
        self,
        lane_tiles: int,
        vectors: int,
        mask: Value | None,
        lane_start: int,
        rows: int,
        row_tiles: Value,
        row_size: Value,
    ) -> None:
        """The parallel loop over tiles of one variant. The last row tile is moved back so that it is whole."""
        b, tile = self.b, self.tile
        outer = [self.frame.size(self.extents[d]) for d in self.outer]
        lanes_at = b.index(lane_tiles)
        order = [lanes_at, *outer, row_tiles] if tile.lanes_outer else [*outer, row_tiles, lanes_at]
        with self.frame.parallel(order) as at:
            lane_tile = at[0] if tile.lanes_outer else at[-1]
            row_tile = at[-1] if tile.lanes_outer else at[-2]
            outer_at = at[1:-1] if tile.lanes_outer else at[:-2]
            indices: dict[int, LaneIndex] = {d: LaneIndex(v) for d, v in zip(self.outer, outer_at, strict=True)}
            lane = b.add(b.mul(lane_tile, b.index(vectors * tile.lanes)), b.index(lane_start))
            row = b.min(b.mul(row_tile, b.index(rows)), b.sub(row_size, b.index(rows)))
            lane_indices = [LaneIndex(b.add(lane, b.index(j * tile.lanes)), 1) for j in range(vectors)]
            row_indices = [LaneIndex(b.add(row, b.index(i))) for i in range(rows)]
            masks = [None] * (vectors - 1) + [mask]
            self.tile_body(indices, row_indices, lane_indices, masks)

    def tile_body(
        self, outer: dict[int, LaneIndex], rows: list[LaneIndex], lanes: list[LaneIndex], masks: list[Value | None]
    ) -> None:
        tile, view = self.tile, self.view
        points = [{**outer, tile.row_dim: r, tile.lane_dim: c} for r in rows for c in lanes]
        masks = masks * len(rows)
        cache: dict[object, Value] = {}
        start = [self.initial(point, mask, cache) for point, mask in zip(points, masks, strict=True)]
        sums = self.reduce(reduction_order(view), {}, points, masks, start)
        cache = {}
        for point, mask, total in zip(points, masks, sums, strict=True):
            self.finish(point, mask, total, cache)

    def initial(self, point: dict[int, LaneIndex], mask: Value | None, cache: dict[object, Value]) -> Value:
        evaluator = Points(self.frame, self.tile.lanes, mask, cache=cache)
        dims = [point.get(d, LaneIndex(self.b.index(0))) for d in range(self.view.dims)]
        return evaluator.vector(evaluator.value(self.view.inits[0], evaluator.map(self.view.output_maps[0], dims)))

    def reduce(
        self,
        dims: list[int],
        at: dict[int, LaneIndex],
        points: list[dict[int, LaneIndex]],
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
        if is_static(steps) and prod(steps) <= small:  # type: ignore[operator, arg-type, type-var]
            assert isinstance(extent, int)
            for i in range(extent):
                sums = self.reduce(rest, {**at, dims[0]: LaneIndex(b.index(i))}, points, masks, sums)
            return sums
        unroll = self.tile.unroll if not rest and isinstance(extent, int) and extent % self.tile.unroll == 0 else 1
        with b.for_(b.index(0), self.frame.size(extent), unroll, sums) as loop:
            inner = list(loop.args)
            for u in range(unroll):
                index = b.add(loop.iv, b.index(u))
                inner = self.reduce(rest, {**at, dims[0]: LaneIndex(index)}, points, masks, inner)
            loop.yield_(inner)
        return list(loop.results)

    def step(
        self, at: dict[int, LaneIndex], points: list[dict[int, LaneIndex]], masks: list[Value | None], sums: list[Value]
    ) -> list[Value]:
        """One point of the reduction space for every accumulator; operands are shared through the cache."""
        cache: dict[object, Value] = {}
        new = []
        for point, mask, total in zip(points, masks, sums, strict=True):
            evaluator = Points(self.frame, self.tile.lanes, mask, cache=cache)
            dims = [at[d] if d in at else point[d] for d in range(self.view.dims)]
            new.append(evaluator.vector(evaluator.generic_body(self.view.op, dims, [total])[0]))
        return new

    def finish(self, point: dict[int, LaneIndex], mask: Value | None, total: Value, cache: dict[object, Value]) -> None:
        """The epilogue at the accumulator's place, and the store of every result of the kernel."""
        out = self.view.output_maps[0]
        indices = [point[e.dim] for e in out.results]  # type: ignore[index]
        bound, indices = grouped(self.frame, self.view.op.results[0], indices)
        evaluator = Points(self.frame, self.tile.lanes, mask, {bound: total}, cache)
        values = [evaluator.value(result, indices) for result in self.kernel.outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):  # a result may replace an operand
            evaluator.store(value, memref, indices)


def grouped(frame: Frame, root: Value, indices: list[LaneIndex]) -> tuple[Value, list[LaneIndex]]:
    """Where (groups, channels of a group) are collapsed right after the root: the place in that view."""
    users = root.users
    if len(users) != 1 or users[0].name != "tensor.collapse_shape":
        return root, indices
    b, view = frame.b, users[0]
    assert isinstance(root.type, TensorType)
    collapsed = []
    for group in view["reassociation"]:
        index = indices[group[0]]
        for d in group[1:]:
            size = frame.size(root.type.shape[d])
            index = LaneIndex(b.add(b.mul(index.base, size), indices[d].base), indices[d].stride)
        collapsed.append(index)
    return view.result, collapsed


def single_reduction(kernel: Kernel) -> Generic | None:
    """The kernel's only root, if it is a reduction with one result; else None."""
    if len(kernel.roots) != 1 or kernel.roots[0].name != "linalg.generic":
        return None
    view = generic(kernel.roots[0])
    return view if len(view.op.results) == 1 and view.reductions else None


def reduction_order(view: Generic) -> list[int]:
    """The reduction dims, outermost first: symbolic ones (the batch of a filter gradient) stride furthest in memory."""
    extents = view.extents()
    return sorted(view.reductions, key=lambda d: isinstance(extents[d], int))


def results_fit(kernel: Kernel, view: Generic) -> bool:
    """Whether every result of the kernel has the shape of the root's (with groups collapsed): an epilogue."""
    root = view.op.results[0]
    users = root.users
    shaped = users[0].result if len(users) == 1 and users[0].name == "tensor.collapse_shape" else root
    assert isinstance(shaped.type, TensorType)
    return all(isinstance(v.type, TensorType) and v.type.shape == shaped.type.shape for v in kernel.outputs)
