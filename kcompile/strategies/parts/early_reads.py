"""What a register tile asks memory for before it needs it.

    for tile:
        ask for the tile's part of what the epilogue reads
        for k: ask for A[row + rows .. row + 2 * rows, k], a part of it in each lane tile of a group;  accumulate
        epilogue

The rows of a tile are as many streams, each a page or so long, and its epilogue comes all at once: hardware sees
neither coming, and while it waits nothing is computed. Both go into the second-level cache.
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import nominal, product
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.placement import whole_of
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile

LARGE = 1 << 16  # elements that may be beyond the second-level cache
LONG, SHORT = 64, 32  # steps of a sum in which the epilogue's operands arrive, and fewest for the next rows
LOADS = 1.1  # for each multiply-add: 8192x16 sums of 128 products took 184 us with 1.6, and 162


def joined_operands(kernel: Kernel, view: Generic, part_axis: int | None = None) -> list[tuple[Value, tuple[int, ...]]]:
    """What the epilogue reads from beyond the cache, and how far from where it stores: with 16 MiB to multiply with,
    4096x1024 sums of 256 products took 12.4 ms, and 11.2 asked for. Where results have parts, as the gates of a cell,
    so does what is added to them, and each step of a sequence is new: an LSTM of 100 steps, 32 rows and 128 units took
    4.6 ms, and 4.4."""
    if not _has_steps(view, LONG):
        return []
    shape = t.shape_of(whole_of(view.op.results[0]).type)
    if part_axis is not None:
        shape = (*shape[:part_axis], *shape[part_axis + 1 :])
    found = []
    for op in kernel.function.body.ops:
        if op.name == "linalg.generic" and not (reader := generic(op)).reductions:
            for value, map_ in reader.operands_read:
                source, offsets = value, _offsets(map_)
                if (made := value.defining_op) is not None and made.name == "tensor.extract_slice":
                    source, offsets = made.operands[0], _added(offsets, made)
                if offsets is None or source not in kernel.inputs or t.shape_of(op.results[0].type) != shape:
                    continue
                same = t.shape_of(source.type) == shape
                if (same and is_large(source)) or (part_axis is not None and not same):
                    found.append((source, offsets))
    return list(dict.fromkeys(found))


def _offsets(map_: AffineMap) -> tuple[int, ...] | None:
    """The constants of a map that adds one to each dim, in order."""
    alike = len(map_.results) == map_.dims and all(e.terms == ((i, 1),) for i, e in enumerate(map_.results))
    return tuple(e.constant for e in map_.results) if alike else None


def _added(offsets: tuple[int, ...] | None, piece: Operation) -> tuple[int, ...] | None:
    """Those offsets in what a slice of all fixed places is cut from."""
    starts = piece["static_offsets"]
    if offsets is None or len(starts) != len(offsets) or min(starts) < 0 or set(piece["static_strides"]) != {1}:
        return None
    return tuple(a + b for a, b in zip(offsets, starts, strict=True))


def streamed_operand(kernel: Kernel, view: Generic, tile: Tile) -> tuple[Value, AffineMap] | None:
    """The operand of the rows in a product of matrices, and its map: with the next row tile asked for, 4096x256 sums of
    256 products took 2.1 ms (2.4 before), 4096x256 of 1024 8.4 (9.3)."""
    if len(view.reductions) != 1 or len(view.operands_read) != 2 or tile.row_dim < 0 or not _has_steps(view, SHORT):
        return None
    for value, map_ in view.operands_read:
        used = map_.used_dims()
        if tile.row_dim in used and tile.lane_dim not in used and value in kernel.inputs and is_large(value):
            return value, map_
    return None


def asks_in_tiles(view: Generic, tile: Tile) -> bool:
    """Whether the tiles of a convolution ask for weights as a single row does: few rows of tiles share what comes from
    beyond the second-level cache, and the multiply-adds of a step leave loads (7x7x512->512: 1158 us to 1111)."""
    windows = any(len(e.terms) > 1 for _, map_ in view.operands_read for e in map_.results)
    return windows and has_time(tile.vectors, tile.rows, tile.vectors, 1)


def has_time(lines: int, rows: int, vectors: int, unroll: int) -> bool:
    """Whether a turn of a tile's loop has loads left for so many lines: there are about as many as multiply-adds."""
    return lines <= unroll * (rows * vectors * LOADS - rows - vectors)


def _has_steps(view: Generic, least: int) -> bool:
    return nominal(product([view.extents()[d] for d in view.reductions])) >= least


def is_large(value: Value) -> bool:
    return isinstance(value.type, TensorType) and nominal(value.type.size) >= LARGE
