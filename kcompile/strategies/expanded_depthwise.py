"""expanded_depthwise: a 1x1 convolution and the depthwise one that reads it, in one kernel.

    e[n, h, w, c] = f(sum_i x[n, h, w, i] * k[i, c]), zeros around;   y = g(depthwise(e, w))

    for item in this worker's share of (images, bands of rows of y, chunks of channels):
        for row of e under the band:  into the scratch (see expansion)
        for tile of pixels of the band, for vector of channels: as in depthwise, from the scratch

Traffic: x once per chunk, y once; e is never in memory, only a band of a chunk, in the second-level cache. In
MobileNetV2 e is the largest tensor of a block, six times x. Bands overlap by what the window reaches beyond them.
Source of the idea: Alwani et al., "Fused-layer CNN accelerators", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType
from kcompile.strategies import depthwise
from kcompile.strategies.depthwise import Pixels
from kcompile.strategies.parts import expansion
from kcompile.strategies.parts.expansion import Chunks, Expansion, Pair, ScratchTile
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.structured import Kernel

BAND_BYTES = 1 << 19  # of the scratch: half of a second-level cache of 1 MiB; twice as much is no faster


@dataclass(frozen=True, slots=True)
class Blocks(Chunks):
    """band: rows of the result. rows, columns: pixels of a tile of the depthwise convolution."""

    band: int
    rows: int
    columns: int


def pair(kernel: Kernel) -> Pair | None:
    """The kernel as a 1x1 convolution and a depthwise one of its result, or None."""
    return expansion.pair_of(*kernel.roots) if len(kernel.roots) == 2 else None


def match(kernel: Kernel, target: Target) -> Blocks | None:
    both = pair(kernel)
    if both is None:
        return None
    found, result = both.found, both.found.view.op.results[0]
    assert isinstance(result.type, TensorType)
    if any(not isinstance(v.type, TensorType) or v.type.shape != result.type.shape for v in kernel.outputs):
        return None
    chunks = expansion.choose(both, target)
    if chunks is None:
        return None
    pixels = depthwise.choose(found, target)
    wide = both.wide * chunks.chunk * t.bitwidth(result.type) // 8
    band = found.rows.places
    while band > pixels.rows and found.rows.reach(band) * wide > BAND_BYTES:
        band = -(-band // 2)
    cut = chunks.chunk, chunks.pixels, chunks.vectors, chunks.lanes
    return Blocks(*cut, band, min(pixels.rows, band), pixels.columns)


def emit(kernel: Kernel, blocks: Blocks, target: Target) -> Operation:
    both = pair(kernel)
    assert both is not None
    frame = Frame(kernel)
    _Emitter(frame, both, blocks).run()
    return frame.finish(f"expanded_depthwise{{{blocks}}}")


class _Emitter:
    def __init__(self, frame: Frame, both: Pair, blocks: Blocks):
        self.frame, self.both, self.blocks = frame, both, blocks
        self.b = frame.b
        self.deep = both.found.rows.reach(blocks.band)
        element = t.element_of(both.found.view.op.results[0].type)
        self.scratch = frame.scratch((self.deep, both.wide, blocks.chunk), element)

    def run(self) -> None:
        b, blocks, found = self.b, self.blocks, self.both.found
        images = found.view.extents()[found.view.output_maps[0].results[0].dim]  # type: ignore[index]
        channels = found.view.extents()[found.channel]
        assert isinstance(channels, int)
        bands = -(-found.rows.places // blocks.band)
        expand = Expansion(self.frame, self.both, blocks, self.scratch)
        with self.frame.parallel([images, bands, channels // blocks.chunk]) as (image, band, chunk):
            first = b.min(b.mul(band, b.index(blocks.band)), b.index(found.rows.places - blocks.band))
            above = b.mul(first, b.index(found.rows.stride))
            with b.for_(b.index(0), b.index(self.deep), 1) as loop:
                expand.fill_row(image, b.add(above, loop.iv), chunk, [loop.iv])
                loop.yield_()
            self.convolve(image, first, b.mul(chunk, b.index(blocks.chunk)))

    def convolve(self, image: Value, first: Value, base: Value) -> None:
        """The depthwise convolution, out of the scratch."""
        b, blocks, found = self.b, self.blocks, self.both.found
        tile = Pixels(blocks.rows, blocks.columns, blocks.lanes)
        dim = found.view.output_maps[0].results[0].dim
        assert dim is not None
        counts = [-(-blocks.band // tile.rows), -(-found.columns.places // tile.columns)]
        with b.for_(b.index(0), b.index(counts[0]), 1) as down, b.for_(b.index(0), b.index(counts[1]), 1) as right:
            row = b.min(b.mul(down.iv, b.index(tile.rows)), b.index(blocks.band - tile.rows))
            column = b.min(b.mul(right.iv, b.index(tile.columns)), b.index(found.columns.places - tile.columns))
            top = b.mul(row, b.index(found.rows.stride))
            with b.for_(b.index(0), b.index(blocks.chunk), blocks.lanes) as lane:
                here = {dim: LaneIndex(image), found.channel: LaneIndex(b.add(base, lane.iv), 1)}
                made = ScratchTile(self.frame, found, tile, None)
                made.scratch, made.lane = self.scratch, lane.iv
                made.slots = [[b.add(top, b.index(i))] for i in range(found.rows.reach(tile.rows))]
                made.run(here, b.add(first, row), column)
                lane.yield_()
