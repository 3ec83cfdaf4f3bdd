"""phases: a convolution over a dilated input: each phase of its outputs is a convolution of its own, stored in steps.

    for (n, band of qh) in this worker's share:               -- the band of x is in the cache for all phases
        for phase in phases: for tile in (qh of the band, tiles of qw, tiles of oc):
            total = sum_{jh, jw, ic} x[n, qh + jh + start, qw + jw + start, ic] * w[jh * s + tap, jw * s + tap, ic, oc]
            y[n, s * qh + offset, s * qw + offset, oc] = epilogue(total)

Nothing is multiplied by the zeros that a dilation puts between the elements of the input: a transposed convolution of
stride s takes 1 / s^2 of the multiplications. Traffic: x once, w once a band, y once.
Source of the idea: the strided backward convolutions of oneDNN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.strategies.contraction import products_of_one_whole
from kcompile.strategies.parts import register_tile
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile, choose, least


@dataclass(frozen=True, slots=True)
class Phases:
    """A register tile for each phase."""

    tiles: tuple[Tile, ...]

    def __str__(self) -> str:
        return f"phases={len(self.tiles)}, {self.tiles[0]}"


def match(kernel: Kernel, target: Target) -> Phases | None:
    views = products_of_one_whole(kernel)
    if len(views) < 2:
        return None
    tiles = [choose(view, target) for view in views]
    return None if any(tile is None for tile in tiles) else Phases(tuple(tile for tile in tiles if tile is not None))


BAND = 8  # rows of each phase: enough to load weights seldom, few enough for every worker to have some


def emit(kernel: Kernel, parameters: Phases, target: Target) -> Operation:
    frame = Frame(kernel)
    nests = list(zip(map(generic, kernel.roots), parameters.tiles, strict=True))
    shared = shared_dims(nests)
    if shared is None:
        for view, tile in nests:
            register_tile.emit_nest(frame, kernel, view, tile)
    else:
        _emit_bands(frame, kernel, nests, shared)
    if all(register_tile.computes_once(view, tile) for view, tile in nests):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"phases{{{parameters}}}")


def shared_dims(nests: Sequence[tuple[Generic, Tile]]) -> int | None:
    """How many outer dims all phases have alike; None where the next one cannot be cut into bands."""
    outputs = [[e.dim for e in view.output_maps[0].results] for view, _ in nests]
    extents = [view.extents() for view, _ in nests]
    rank = len(outputs[0])
    if any(
        out != list(range(rank)) or view.parallel != tuple(range(rank))
        for out, (view, _) in zip(outputs, nests, strict=True)
    ):
        return None
    tiled = {d for _, t in nests for d in (t.row_dim, t.lane_dim, t.part_dim, t.panel_dim)}
    count = next((d for d in range(rank) if len({e[d] for e in extents}) > 1), 1)
    return count if count < min((d for d in tiled if d >= 0), default=rank) else None


def _emit_bands(frame: Frame, kernel: Kernel, nests: Sequence[tuple[Generic, Tile]], shared: int) -> None:
    b = frame.b
    sizes = [view.extents()[shared] for view, _ in nests]
    longest = max(sizes, key=lambda n: n if isinstance(n, int) else least(n))  # they differ by one at most
    bands = b.floordiv(b.add(frame.size(longest), b.index(BAND - 1)), b.index(BAND))
    with frame.parallel([*nests[0][0].extents()[:shared], bands]) as at:
        low = b.mul(at[-1], b.index(BAND))
        for (view, tile), size in zip(nests, sizes, strict=True):
            high = b.min(b.add(low, b.index(BAND)), frame.size(size))
            _Phase(frame, kernel, view, tile, at[:-1], (low, high)).run()


class _Phase(register_tile.Nest):
    """The loops of one phase over one band, by one worker."""

    def __init__(
        self, frame: Frame, kernel: Kernel, view: Generic, tile: Tile, place: Sequence[Value], band: tuple[Value, Value]
    ):
        super().__init__(frame, kernel, view, tile)
        self.place, self.band = place, band

    @contextmanager
    def shares(self, tiles: int, group: int, extents: Sequence[Value]) -> Iterator[list[Value]]:
        """(group of lane tiles, outer dims, row tiles, tile of the group): those of the band, all of the others."""
        b, full = self.b, tiles // group
        others = [(b.index(0), size) for size in extents[len(self.place) + 1 :]]
        with self.frame.nest([self.band, (b.index(0), b.index(-(-tiles // group))), *others]) as at:
            last = b.cmp("eq", at[1], b.index(full))
            width = b.select(last, b.index(tiles % group), b.index(group)) if tiles % group else b.index(group)
            with self.frame.nest([(b.index(0), width)]) as (place,):
                yield [at[1], *self.place, at[0], *at[2:], place]
