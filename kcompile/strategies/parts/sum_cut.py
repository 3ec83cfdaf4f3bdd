"""How a few sums over very much are cut into tiles and blocks: what `long_sums` decides before it writes loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Value
from kcompile.ir.dims import nominal
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.structured import Generic, Kernel
from kcompile.strategies.parts.tile_choice import Space, lane_dim, reduction_order, row_dim, row_stride, rows_limit

LONG = 512  # steps of a sum from which on blocks pay for loading and storing it
FEW_ROWS = 8  # fewer do not fill a tile
MOST_SUMS = 1 << 20  # the sums of a worker: 4 MiB of f32
# bytes from row to row that leave a column of lines few sets of the first-level cache, and row tiles that read a copy:
# 1024x256 sums of 4096 products took 9.6 ms without it and 9.1 with, 256x1024 9.8 and 9.7, 64x256 of 25088 as long
ALIASED, OFTEN = 1024, 8
TURNING, MARGIN = 6, 0.95  # cycles to turn a result; of the estimate, what another cut must stay below
LEAST_STEPS = 96  # of a block: a sum is loaded and stored in the time of two or so


@dataclass(frozen=True, slots=True)
class Sums:
    """How one root is cut.

    row_dim, lane_dim  dims of the iteration space (-1: no row dim)
    pieces             dims whose places are summed up one after the other, see `pieces_of`
    rows, vectors      of a tile; `unrolled` dims are in it as a whole besides
    lanes              elements of a vector
    turned             the lanes run along the dim before the last of the results, which are turned when they are stored
    """

    row_dim: int
    lane_dim: int
    pieces: tuple[int, ...]
    unrolled: tuple[int, ...]
    rows: int
    vectors: int
    lanes: int
    turned: bool = False

    def counts(self, view: Generic) -> list[int]:
        """Lane tiles, places of the other dims and row tiles of a piece."""
        special = (self.row_dim, self.lane_dim, *self.pieces, *self.unrolled)
        outer = [d for d in view.parallel if d not in special]
        extents = [nominal(n) for n in view.extents()]
        rows = 1 if self.row_dim < 0 else -(-extents[self.row_dim] // self.rows)
        return [-(-extents[self.lane_dim] // (self.vectors * self.lanes)), *(extents[d] for d in outer), rows]

    def tiles(self, view: Generic) -> int:
        """Tiles of a piece."""
        return prod(self.counts(view))

    def __str__(self) -> str:
        return f"rows={self.rows}, vectors={self.vectors}, lanes={self.lanes}, unrolled={len(self.unrolled)}"


def cut(kernel: Kernel, view: Generic, target: Target) -> Sums | None:
    lane, extents = lane_dim(view), view.extents()
    sizes = [extents[d] for d in view.parallel]
    static = [n for n in sizes if isinstance(n, int)]
    operands = [v for v, _ in view.operands_read]
    if lane is None or len(static) < len(sizes) or not 0 < prod(static) <= MOST_SUMS or len(set(operands)) < 2:
        return None
    steps = prod(nominal(extents[d]) for d in view.reductions)
    widest = max([t.element_of(v.type) for v in (*operands, view.op.result)], key=t.bitwidth)
    lanes = target.lanes(widest)
    size = extents[lane]
    assert isinstance(size, int)
    columns = -(-size // lanes)
    row = row_dim(view, {lane})
    extent = 1 if row < 0 else extents[row]
    assert isinstance(extent, int)
    rows, vectors = tile_of(extent, columns, target)
    limit = rows_limit(vectors, target)
    # in a product of matrices one operand lies along the sum, and a tile's part of both fits the second-level cache
    along = any(m.results and m.results[-1].coefficient(reduction_order(view)[-1]) for _, m in view.operands_read)
    tile = steps * (rows + vectors * lanes) * t.bitwidth(widest) // 8
    pays = steps >= LONG and moved(view) >= target.l2 // 2 and (not along or tile > target.l2)
    if not pays and "kernel.strategy" not in kernel.function.attributes:
        return None
    unrolled: list[int] = []
    held = rows
    pieces = pieces_of(view, {lane, row})
    for d in reversed([d for d in view.parallel if d not in (lane, row, *pieces)]):
        extent = extents[d]
        if rows == (1 if row < 0 else extents[row]) and isinstance(extent, int) and held * extent <= limit:
            unrolled.append(d)
            held *= extent
    return Sums(row, lane, pieces, tuple(unrolled), rows, vectors, lanes)


def turn(view: Generic, cut: Sums, target: Target) -> Sums | None:
    """The cut with rows and lanes exchanged; None where the operands do not lie along the rows, too."""
    lane, row, extents = cut.row_dim, cut.lane_dim, view.extents()
    if cut.lanes == 1 or cut.unrolled or lane < 0:
        return None
    columns, extent = nominal(extents[lane]), nominal(extents[row])
    for _, map_ in view.operands_read:
        dims = [e.dim for e in map_.results]
        if None in dims or lane in dims[:-1] or (lane in dims) == (row in dims):
            return None
    if extent < FEW_ROWS:
        return None
    rows, vectors = tile_of(extent, -(-columns // cut.lanes), target)
    return Sums(row, lane, cut.pieces, (), rows, vectors, cut.lanes, turned=True)


def pays_to_turn(view: Generic, cut: Sums, target: Target) -> bool:
    """Whether exchanged rows and lanes take less time: 144x24 sums fill 9 vectors for each of 24 rows, or, as they lie,
    half of every other vector (25088 products, 947 us and turned 747)."""
    turned, extents = turn(view, cut, target), view.extents()
    if turned is None:
        return False
    steps = prod(nominal(extents[d]) for d in view.reductions)
    results = prod(nominal(extents[d]) for d in (cut.row_dim, cut.lane_dim))
    return cycles(view, turned, target) + TURNING * results / max(1, steps) < MARGIN * cycles(view, cut, target)


def cycles(view: Generic, cut: Sums, target: Target) -> float:
    """Of a step of all tiles."""
    space = Space((1,), cut.rows, cut.vectors, 1, 1, 1, target)
    return cut.tiles(view) * space.step(cut.rows, cut.vectors)


def pieces_of(view: Generic, apart: set[int]) -> tuple[int, ...]:
    """The parallel dims along which all operands are cut into pieces of long runs: sums of one need none of the others.

    Not the groups of a grouped convolution, which lie inside of what is summed.
    """

    def outside(map_: AffineMap, dim: int) -> bool:
        last = max(i for i, e in enumerate(map_.results) if any(e.coefficient(d) for d in view.reductions))
        return any(e.coefficient(dim) for e in map_.results[:last])

    maps = [m for _, m in view.operands_read]
    if any(not set(view.reductions) & m.used_dims() for m in maps):
        return ()
    return tuple(d for d in view.parallel if d not in apart and all(outside(m, d) for m in maps))


def packs(view: Generic, cut: Sums, value: Value, map_: AffineMap) -> bool:
    """Whether an operand is copied: that of a product of matrices along the lanes, if it aliases and is read often."""
    order, used, rows = reduction_order(view), map_.used_dims(), view.extents()[cut.row_dim]
    if len(order) > 1 or len(view.parallel) != 2 or cut.row_dim in used or cut.lane_dim not in used:
        return False
    return isinstance(rows, int) and rows >= OFTEN * cut.rows and row_stride(value, map_, order[0]) % ALIASED == 0


def moved(view: Generic) -> int:
    """Bytes of the operands."""
    return sum(bytes_of(v) for v, _ in view.operands_read)


def block_bytes(views: Sequence[Generic], target: Target) -> int:
    """Bytes of the operands in a block: this one and what is asked for of the next fill half of the cache at most."""
    steps = max(1, *(prod(nominal(v.extents()[d]) for d in v.reductions) for v in views))
    step = max(moved(view) for view in views) // steps
    return min(target.l2 // 4, max(target.l2 // 8, LEAST_STEPS * step))


def block_steps(view: Generic, pieces: tuple[int, ...], size: int) -> tuple[int, int]:
    """Steps of the two outer reduction dims in a block of `size` bytes; one of the two is 1 or the whole dim."""
    extents = view.extents()
    size *= prod(nominal(extents[d]) for d in pieces)
    outer, *rest = (nominal(extents[d]) for d in reduction_order(view))
    second = max(1, rest[0]) if rest else 1
    steps = max(1, outer * second * size // max(1, moved(view)))
    if steps < second:
        return 1, -(-second // -(-second // steps))  # of one size
    return steps // second, second


def tile_of(extent: int, columns: int, target: Target) -> tuple[int, int]:
    """Rows and vectors of a tile: the vectors divide the columns; the last tile may repeat rows of the one before."""
    if extent < FEW_ROWS:  # the other dims of a filter join them, see `unrolled`
        even = [v for v in (*([columns] if columns <= 4 else []), 2, 4, 3, 1) if columns % v == 0]
        vectors = next((v for v in even if rows_limit(v, target) >= extent), even[0])  # no row twice, if there is a way
        return min(extent, rows_limit(vectors, target)), vectors
    space = Space((extent,), extent, columns, 1, 1, 1, target)
    shapes = [(r, v) for v in (1, 2, 3, 4) if columns % v == 0 for r in range(1, rows_limit(v, target) + 1)]
    return min((s for s in shapes if s[0] <= extent), key=lambda s: (space.cost(*s), -s[0] * s[1]))


def bytes_of(value: Value) -> int:
    assert isinstance(value.type, TensorType)
    return nominal(value.type.size) * t.bitwidth(value.type) // 8
