"""window: pooling and sums over outer axes: reductions without products, lanes along the last axis.

y[n, oh, ow, c] = max_{kh, kw} x[n, oh * s + kh, ow * s + kw, c]          db[c] = sum_n dy[n, c]
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.parts import register_tile, tile_choice
from kcompile.strategies.parts.structured import Kernel
from kcompile.strategies.parts.tile_choice import Tile


def match(kernel: Kernel, target: Target) -> Tile | None:
    view = tile_choice.single_reduction(kernel)
    if view is None or is_multiply_add(view) or not tile_choice.results_fit(kernel, view):
        return None
    return tile_choice.choose(view, target)


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    return register_tile.emit(kernel, tile, "window")
