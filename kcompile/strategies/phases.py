"""phases: a convolution over a dilated input: each phase of its outputs is a convolution of its own, stored in steps.

    for phase in phases:                                      -- one nest each, shared out among the workers on its own
        for tile in this worker's share of (n, qh, tiles of qw, tiles of oc):
            total = sum_{jh, jw, ic} x[n, qh + jh + start, qw + jw + start, ic] * w[jh * s + tap, jw * s + tap, ic, oc]
            y[n, s * qh + offset, s * qw + offset, oc] = epilogue(total)

Nothing is multiplied by the zeros that a dilation puts between the elements of the input: a transposed convolution of
stride s takes 1 / s^2 of the multiplications. Traffic: x once per phase (from the nearest cache), w once, y once.
Source of the idea: the strided backward convolutions of oneDNN.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation
from kcompile.strategies import register_tile
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.frame import Frame
from kcompile.strategies.placement import whole_of
from kcompile.strategies.structured import Kernel, generic
from kcompile.strategies.tile_choice import Tile, choose, results_fit


@dataclass(frozen=True, slots=True)
class Phases:
    """A register tile for each phase."""

    tiles: tuple[Tile, ...]

    def __str__(self) -> str:
        return f"phases={len(self.tiles)}, {self.tiles[0]}"


def match(kernel: Kernel, target: Target) -> Phases | None:
    if len(kernel.roots) < 2 or any(op.name != "linalg.generic" or len(op.results) != 1 for op in kernel.roots):
        return None
    views = [generic(op) for op in kernel.roots]
    if len({whole_of(view.op.results[0]) for view in views}) != 1:
        return None
    if not all(is_multiply_add(view) and results_fit(kernel, view) for view in views):
        return None
    tiles = [choose(view, target) for view in views]
    return None if any(tile is None for tile in tiles) else Phases(tuple(tile for tile in tiles if tile is not None))


def emit(kernel: Kernel, parameters: Phases, target: Target) -> Operation:
    frame = Frame(kernel)
    nests = list(zip(map(generic, kernel.roots), parameters.tiles, strict=True))
    for view, tile in nests:
        register_tile.emit_nest(frame, kernel, view, tile)
    if all(register_tile.computes_once(view, tile) for view, tile in nests):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"phases{{{parameters}}}")
