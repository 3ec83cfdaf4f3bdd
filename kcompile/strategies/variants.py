"""Other parameters that would do as well as those `match` gives: what the tuner tries.

None of them changes the order in which an element is summed, so results stay the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kcompile.codegen.target import Target
from kcompile.strategies.parts.structured import Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile, rows_limit
from kcompile.strategies.winograd import Blocks


def variants(kernel: Kernel, parameters: Any, target: Target) -> Iterator[Any]:
    """Neighbours of `parameters`, without themselves."""
    tried = {parameters}
    found: Iterator[Any]
    if isinstance(parameters, Tile):
        found = tiles(kernel, parameters, target)
    elif isinstance(parameters, Blocks):
        found = blocks(parameters)
    else:
        return
    for candidate in found:
        if candidate not in tried:
            tried.add(candidate)
            yield candidate


def tiles(kernel: Kernel, tile: Tile, target: Target) -> Iterator[Tile]:
    """Tiles of other shapes that fit the registers, and loop orders that keep more or less in the cache."""
    view = generic(kernel.roots[0])
    extents = view.extents()
    parts = extents[tile.part_dim] if tile.part_dim >= 0 else 1
    size = extents[tile.lane_dim]
    assert isinstance(parts, int) and isinstance(size, int)
    extent = extents[tile.row_dim] if tile.row_dim >= 0 else 1
    needed = -(-size // tile.lanes)
    for vectors in range(1, min(4, needed) + 1):
        limit = rows_limit(parts * vectors * tile.sets, target)
        for rows in {limit, limit - 1, limit // 2, tile.rows}:
            if 1 <= rows <= limit and (not isinstance(extent, int) or rows <= extent) and tile.row_dim >= 0:
                yield replace(tile, rows=rows, vectors=vectors, single_row=max(vectors, tile.single_row))
    for group in {1, 2 * tile.group, max(1, tile.group // 2)}:
        yield replace(tile, group=group)
    for unroll in (1, 2, 4):
        yield replace(tile, unroll=unroll)


def blocks(parameters: Blocks) -> Iterator[Blocks]:
    """Smaller and larger blocks of tiles, and the other way to share out the work."""
    for block in {max(1, parameters.block // 2), parameters.block * 2}:
        yield replace(parameters, block=block)
    yield replace(parameters, share_features=not parameters.share_features)
