"""separable: a depthwise convolution and the 1x1 one that reads it, in one kernel, with the 1x1 before it or without.

    e[n, h, w, c] = f(sum_i x[n, h, w, i] * k[i, c]), zeros around     (or e is the kernel's operand)
    d = g(depthwise(e, w));   y[n, h, w, o] = epilogue(sum_c d[n, h, w, c] * u[c, o])

    for band in this worker's share of (images, bands of rows of y):
        for chunk of channels:
            for row of e under the band that was not under the one before:  into the ring (see expansion)
            for tile of pixels of the band, for vector of channels:  as in depthwise, out of the ring, into d
        the product of d as in register_tile, over the rows of the band

Neither e nor d, the two large tensors of an inverted residual block, is ever in memory: a few rows of each, all their
channels, are in the second-level cache. Rows of e are kept in a ring from one band to the next, so that none is made
twice but the first ones of a worker's share. Bands are cut so that two workers have equally many.
Source of the idea: Alwani et al., "Fused-layer CNN accelerators", 2016.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.strategies import depthwise
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.depthwise import Form, Pixels, PixelTile
from kcompile.strategies.parts import expansion, pixel_pairs, tile_choice
from kcompile.strategies.parts.expansion import Chunks, Expansion, Pair, ScratchTile
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.pixel_pairs import Pairs, interleaved
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.register_tile import Nest
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import Tile

MOST_ROWS = 4  # of a band: what a tile of the depthwise convolution has at most
BAND_BYTES = 1 << 19  # half of a second-level cache of 1 MiB
PAD = 16  # elements behind a pixel of d: channels that are a power of two would lie in few sets of the cache


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """band: rows of the result. rows, columns: pixels of a tile of the depthwise convolution. lanes: of its vectors.

    chunk, pixels, vectors: see expansion; chunk 0: there is none.
    tile_rows, tile_vectors: sums of the product; pairs: the rows are pairs of pixels (see pixel_pairs).
    """

    band: int
    rows: int
    columns: int
    lanes: int
    chunk: int
    pixels: int
    vectors: int
    tile_rows: int
    tile_vectors: int
    pairs: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The roots: `both` with the 1x1 convolution before the depthwise one `found`, and the `product` that reads d."""

    both: Pair | None
    found: Form
    product: Generic
    d: Value


def block_of(kernel: Kernel) -> Block | None:
    """The kernel as a depthwise convolution between 1x1 ones, or None."""
    if len(kernel.roots) not in (2, 3) or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    *before, last = kernel.roots
    found, product = depthwise.form_of(before[-1]), generic(last)
    if found is None or not expansion.of_images(found) or not is_multiply_add(product):
        return None
    if len(product.reductions) != 1 or len(product.inputs) != 2 or not tile_choice.results_fit(kernel, product):
        return None
    both = expansion.pair_of(before[0], before[1]) if len(before) == 2 else None
    if len(before) == 2 and both is None:
        return None
    d, map_ = product.inputs[0], product.input_maps[0]
    made = found.view.op.results[0]
    if t.shape_of(d.type) != t.shape_of(made.type) or [e.dim for e in map_.results] != [0, 1, 2, *product.reductions]:
        return None
    maker = d.defining_op
    if d is not made and (maker is None or maker.name != "linalg.generic" or made not in maker.operands):
        return None
    return Block(both, found, product, d)


def match(kernel: Kernel, target: Target) -> Blocks | None:
    block = block_of(kernel)
    if block is None:
        return None
    tile = product_tile(block, target)
    if tile is None:
        return None
    found, band = block.found, choose_band(block)
    pairs = pixel_pairs.choose(kernel, block.product, found.columns.places, target)
    in_band = replace(found, rows=replace(found.rows, places=band))
    pixels = depthwise.choose(in_band, target, step=1 if pairs is None else 2)
    chunks = expansion.choose(block.both, target) if block.both is not None else Chunks(0, 0, 0, pixels.lanes)
    channels = found.view.extents()[found.channel]
    assert isinstance(channels, int)
    if chunks is None or channels % pixels.lanes:
        return None
    sums = (tile.rows, tile.vectors, False) if pairs is None else (*pairs, True)
    return Blocks(band, pixels.rows, pixels.columns, pixels.lanes, chunks.chunk, chunks.pixels, chunks.vectors, *sums)


def product_tile(block: Block, target: Target) -> Tile | None:
    """The register tile of the product; its rows run along the rows of images."""
    tile = tile_choice.choose(block.product, target)
    return tile if tile is not None and tile.row_dim == 2 and tile.part_dim < 0 else None


def choose_band(block: Block) -> int:
    """Rows of a band: those with which two workers are done first, or else one, and the most of them that the
    second-level cache holds."""
    places = block.found.rows.places
    fitting = [n for n in range(1, min(places, MOST_ROWS) + 1) if band_bytes(block, n) <= BAND_BYTES]
    return min(fitting or [1], key=lambda n: (-(-places // (2 * n)) * n, -places % n, -n))


def band_bytes(block: Block, band: int) -> int:
    """What a band of all channels takes: rows of d, and of the ring."""
    found, view = block.found, block.found.view
    pixels = band * found.columns.places + (found.rows.reach(band) * block.both.wide if block.both is not None else 0)
    channels = view.extents()[found.channel]
    assert isinstance(channels, int)
    return pixels * channels * t.bitwidth(view.op.results[0].type) // 8


def emit(kernel: Kernel, blocks: Blocks, target: Target) -> Operation:
    block = block_of(kernel)
    assert block is not None
    tile = product_tile(block, target)
    assert tile is not None
    frame = Frame(kernel)
    _Emitter(frame, block, blocks, replace(tile, rows=blocks.tile_rows, vectors=blocks.tile_vectors)).run()
    return frame.finish(f"separable{{{blocks}}}")


class _Emitter:
    def __init__(self, frame: Frame, block: Block, blocks: Blocks, tile: Tile):
        self.frame, self.block, self.blocks = frame, block, blocks
        self.b = frame.b
        view, rows = block.found.view, block.found.rows
        element = t.element_of(view.op.results[0].type)
        channels = view.extents()[block.found.channel]
        assert isinstance(channels, int)
        self.channels = channels
        self.chunk = blocks.chunk or channels
        self.image_dim = view.output_maps[0].results[0].dim
        columns, each = block.found.columns.places, 1 + blocks.pairs
        self.d = frame.scratch((1, blocks.band, columns // each, channels * each + PAD), element)
        self.deep = rows.reach(blocks.band)  # rows of the ring
        self.expand: Expansion | None = None
        if block.both is not None:
            ring = frame.scratch((channels // self.chunk, self.deep, block.both.wide, self.chunk), element)
            chunks = Chunks(blocks.chunk, blocks.pixels, blocks.vectors, blocks.lanes)
            self.expand = Expansion(frame, block.both, chunks, ring)
        self.nest = _Band(frame, frame.kernel, block.product, tile)
        self.pairs: Pairs | None = None
        if blocks.pairs:
            self.pairs = Pairs(self.nest, self.d, blocks.tile_rows, blocks.tile_vectors, blocks.lanes)

    def run(self) -> None:
        b, band, found = self.b, self.blocks.band, self.block.found
        assert self.image_dim is not None
        images = self.frame.size(found.view.extents()[self.image_dim])
        bands = -(-found.rows.places // band)
        lo, hi = b.partition(b.mul(images, b.index(bands)), self.frame.tid, self.frame.team)
        if self.pairs is not None:
            self.pairs.spread_weights()
        with b.for_(lo, hi) as unit:
            image, number = b.floordiv(unit.iv, b.index(bands)), b.mod(unit.iv, b.index(bands))
            first = b.min(b.mul(number, b.index(band)), b.index(found.rows.places - band))
            fresh = b.or_(b.cmp("eq", unit.iv, lo), b.cmp("eq", number, b.index(0)))
            with b.for_(0, self.channels // self.chunk) as chunk:
                if self.expand is not None:
                    self.fill(self.expand, image, number, first, fresh, chunk.iv)
                self.convolve(image, first, chunk.iv)
            self.project(image, first)

    def fill(self, expand: Expansion, image: Value, number: Value, first: Value, fresh: Value, chunk: Value) -> None:
        """The rows under the band into the ring; only those that the band before did not need, if there was one."""
        b, rows = self.b, self.block.found.rows
        start = b.mul(first, b.index(rows.stride))
        step = self.blocks.band * rows.stride
        before = b.add(b.mul(number, b.index(step)), b.index(self.deep - step))  # the end of the band before
        known = b.select(fresh, start, b.max(start, before))
        with b.for_(known, b.add(start, b.index(self.deep))) as row:
            expand.fill_row(image, row.iv, chunk, [chunk, self.slot(row.iv)])

    def slot(self, row: Value) -> Value:
        """The place of a row in the ring."""
        return self.b.mod(row, self.b.index(self.deep))

    def convolve(self, image: Value, first: Value, chunk: Value) -> None:
        """A chunk of d: the depthwise convolution over the band."""
        b, blocks, found = self.b, self.blocks, self.block.found
        tile = Pixels(blocks.rows, blocks.columns, blocks.lanes)
        assert self.image_dim is not None
        counts = [-(-blocks.band // tile.rows), -(-found.columns.places // tile.columns)]
        base = b.mul(chunk, b.index(self.chunk))
        with b.for_(0, counts[0]) as down, b.for_(0, counts[1]) as right:
            row = b.min(b.mul(down.iv, b.index(tile.rows)), b.index(blocks.band - tile.rows))
            column = b.min(b.mul(right.iv, b.index(tile.columns)), b.index(found.columns.places - tile.columns))
            place = [b.index(0), row, column]
            row = b.add(first, row)
            top = b.mul(row, b.index(found.rows.stride))
            slots = [[chunk, self.slot(b.add(top, b.index(i)))] for i in range(found.rows.reach(tile.rows))]
            with b.for_(0, self.chunk, blocks.lanes) as lane:
                channel = b.add(base, lane.iv)
                here = {self.image_dim: LaneIndex(image), found.channel: LaneIndex(channel, 1)}
                made = self.pixels(tile, slots, lane.iv)
                made.target, made.pairs = (self.block.d, self.d, [*place, channel]), blocks.pairs
                made.run(here, row, column)

    def pixels(self, tile: Pixels, slots: list[list[Value]], lane: Value) -> _Stored | _FromRing:
        if self.expand is None:
            return _Stored(self.frame, self.block.found, tile, None)
        made = _FromRing(self.frame, self.block.found, tile, None)
        made.scratch, made.slots, made.lane = self.expand.scratch, slots, lane
        return made

    def project(self, image: Value, first: Value) -> None:
        b, band = self.b, self.blocks.band
        if self.pairs is not None:
            self.pairs.run(image, first, band)
            return
        self.frame.hold(self.block.d, self.d, [image, first, b.index(0), b.index(0)])
        self.nest.image, self.nest.bounds = image, (first, b.add(first, b.index(band)))
        self.nest.run()


class _Stored(PixelTile):
    """A tile of pixels whose results go to scratch: the tensor, its memory, and the first pixel's place there."""

    target: tuple[Value, Value, list[Value]]
    pairs: bool  # of pixels, their elements in turn

    def finish(self, places: list[dict[int, LaneIndex]], sums: list[Value]) -> None:
        b, view, tile = self.b, self.found.view, self.tile
        tensor, memory, (image, row, column, channel) = self.target
        cache: dict[object, Value] = {}
        values = []
        for at, total in zip(places, sums, strict=True):
            indices = [at[e.dim] for e in view.output_maps[0].results]  # type: ignore[index]
            points = Points(self.frame, tile.lanes, None, {view.op.results[0]: total}, cache)
            values.append(points.vector(points.value(tensor, indices)))
        for k in range(0, len(values), 1 + self.pairs):
            i, j = divmod(k, tile.columns)
            place = [image, b.add(row, b.index(i)), b.add(column, b.index(j))]
            if not self.pairs:
                b.vstore(values[k], memory, [*place, channel])
                continue
            place[2] = b.floordiv(place[2], b.index(2))
            for half, vector in enumerate(interleaved(b, values[k], values[k + 1])):
                b.vstore(vector, memory, [*place, b.add(b.mul(channel, b.index(2)), b.index(half * tile.lanes))])


class _FromRing(ScratchTile, _Stored):
    """The same, with its input in the ring."""


class _Band(Nest):
    """The product over the rows of a band of an image."""

    image: Value
    bounds: tuple[Value, Value]

    @contextmanager
    def shares(self, tiles: int, group: int, extents: Sequence[Value]) -> Iterator[list[Value]]:
        """All lane tiles of a row tile, whose pixels are in the first-level cache then."""
        b = self.b
        *_, row_tiles = extents
        with b.for_(*self.bounds) as row, b.for_(0, row_tiles) as tile, b.for_(0, tiles) as lane:
            number, inside = b.floordiv(lane.iv, b.index(group)), b.mod(lane.iv, b.index(group))
            yield [number, self.image, row.iv, tile.iv, inside]
