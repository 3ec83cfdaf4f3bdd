"""The tile of a product that is many streams from memory: few rows, each of them as long as the second-level cache.

    w[9, n], m[9, n], v[9, n] = update(.., G[9, 36] @ U[36, n])       36 + 6 * 9 rows, read and written side by side

The update of weights whose gradient comes out of a Winograd kernel. A tile of all rows and few columns takes a line or
two of every row in turn: more streams than hardware follows, and lines that lie in one set of each cache where rows are
a power of two long. Tiles of few rows and many columns, a page of each row at a time, take their turns in long runs.
"""

from __future__ import annotations

from dataclasses import replace

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.strategies.parts.structured import Generic, Kernel
from kcompile.strategies.parts.tile_choice import Tile

FEW_ROWS = 16  # with more, and with more steps, there is enough to compute to wait for memory the less
FEW_STEPS = 64
# 9x16 columns of 1 MiB with three results of Adam are 70 streams: 9.4 ms in plain tiles, 5.9 in long runs; with one
# that is updated they are 34: 1.6 and 2.3
MANY_STREAMS = 40
RUN = 8  # vectors: 9x262144 sums of 36 products and Adam's three results, 18.4 ms in tiles of 9x2, 9.5 of 3x8
PAGE = 4096  # bytes of a row that a group of lane tiles has


def in_long_runs(kernel: Kernel, view: Generic, tile: Tile, target: Target) -> Tile:
    """`tile`, or one of few rows and long runs where the kernel is many streams from memory."""
    extents = view.extents()
    if tile.row_dim < 0 or tile.part_dim >= 0 or tile.panel_dim >= 0 or len(view.reductions) != 1:
        return tile
    rows, columns, steps = extents[tile.row_dim], extents[tile.lane_dim], extents[view.reductions[0]]
    if not isinstance(rows, int) or not isinstance(columns, int) or not isinstance(steps, int):
        return tile
    size = t.bitwidth(view.op.results[0].type) // 8
    if rows > FEW_ROWS or steps > FEW_STEPS or rows * columns * size < target.l2 or columns % tile.lanes:
        return tile
    shape = t.shape_of(view.op.results[0].type)
    updated = [v for v in (*kernel.inputs, *kernel.outputs) if t.shape_of(v.type) == shape]
    if steps + rows * len(updated) < MANY_STREAMS:
        return tile
    vectors = RUN if target.registers >= 32 else RUN // 2
    most = target.registers * 3 // 4 // vectors
    cut = max(n for n in range(1, most + 1) if rows % n == 0)
    if cut == 1:  # loads for each multiply-add
        return tile
    return replace(tile, rows=cut, vectors=vectors, group=max(1, PAGE // (vectors * tile.lanes * size)))
