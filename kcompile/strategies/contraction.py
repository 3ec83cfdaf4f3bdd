"""contraction: a matrix product in any operand layout, batched or not, in register tiles (see register_tile).

    C[m, n] = epilogue(sum_k A[m, k] * B[k, n])       rows run along m, lanes along n (contiguous in B and in C)

B may be in panels of columns, one after the other (pack-weights), and the epilogue may read equal parts of a row of C
side by side: the tile then holds all parts of its columns, as the gates of a recurrent cell.

Traffic: A once per group of lane tiles, B once per group from memory and once per row tile from L2, C once.
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation
from kcompile.strategies.parts import register_tile, tile_choice
from kcompile.strategies.parts.long_runs import in_long_runs
from kcompile.strategies.parts.placement import whole_of
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile

NARROW = 4  # results with fewer columns than this are dot products: row_reduction puts the lanes along k


def is_multiply_add(view: Generic) -> bool:
    """Whether the body is `running result + product` of two operands."""
    names = [op.name for op in view.body.ops]
    return names[-3:] in (["arith.mulf", "arith.addf", "linalg.yield"], ["arith.muli", "arith.addi", "linalg.yield"])


def products_of_one_whole(kernel: Kernel) -> list[Generic]:
    """The roots of a kernel, if they are multiply-adds that make up one result of which all else is an epilogue."""
    if any(op.name != "linalg.generic" or len(op.results) != 1 for op in kernel.roots):
        return []
    views = [generic(op) for op in kernel.roots]
    one = len({whole_of(view.op.results[0]) for view in views}) == 1
    return views if one and all(is_multiply_add(v) and tile_choice.results_fit(kernel, v) for v in views) else []


def has_windows(view: Generic) -> bool:
    """Whether an operand is indexed by a sum of dims, as in a convolution or a pooling."""
    return any(len(e.terms) > 1 for _, m in view.operands_read for e in m.results)


def match(kernel: Kernel, target: Target) -> Tile | None:
    view = tile_choice.single_reduction(kernel)
    if view is None or not is_multiply_add(view) or has_windows(view):
        return None
    if not tile_choice.results_fit(kernel, view, parts=True):
        return None
    replaces = tile_choice.may_replace(kernel, view)
    tile = tile_choice.choose(view, target, replaces)
    if tile is None or (tile.part_dim < 0 and view.extents()[tile.lane_dim] < NARROW):  # type: ignore[operator]
        return None  # parts (gates) are side by side in a tile only, however narrow they are
    return in_long_runs(kernel, view, tile, target) if replaces else tile


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    return register_tile.emit(kernel, tile, "contraction")
