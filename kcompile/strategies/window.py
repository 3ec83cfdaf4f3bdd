"""window: pooling and sums over outer axes: reductions without products, lanes along the last axis.

y[n, oh, ow, c] = max_{kh, kw} x[n, oh * s + kh, ow * s + kw, c]          db[c] = sum_n dy[n, c]
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation
from kcompile.strategies import register_tile
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.register_tile import Tile
from kcompile.strategies.structured import Kernel


def match(kernel: Kernel, target: Target) -> Tile | None:
    view = register_tile.single_reduction(kernel)
    if view is None or is_multiply_add(view) or not register_tile.results_fit(kernel, view):
        return None
    return register_tile.choose(view, target)


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    return register_tile.emit(kernel, tile, "window")
