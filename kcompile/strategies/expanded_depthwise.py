"""expanded_depthwise: a 1x1 convolution and the depthwise one that reads it, in one kernel.

    e[n, h, w, c] = f(sum_i x[n, h, w, i] * k[i, c]), zeros around;   y = g(depthwise(e, w))

    for item in this worker's share of (images, bands of rows of y, chunks of channels):
        for row of e under the band:  tiles of `pixels` x `vectors` sums over i, f, into the scratch; zeros at the edges
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
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.depthwise import Form, Pixels, PixelTile
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneIndex
from kcompile.strategies.parameters import Parameters
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Generic, Kernel, generic

BAND_BYTES = 1 << 19  # of the scratch: half of a second-level cache of 1 MiB; twice as much is no faster
CHUNKS = (32, 48, 16)  # channels of a chunk, best first: 2 or 3 vectors of 16 for tiles of 14 or 8 pixels


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """chunk: channels. band: rows of the result. pixels, vectors: sums of the 1x1. rows, columns: of the depthwise."""

    chunk: int
    band: int
    pixels: int
    vectors: int
    rows: int
    columns: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Both roots. `expanded` is what is convolved, without its border; `low` the rows and columns before it."""

    expand: Generic
    found: Form
    expanded: Value
    low: tuple[int, int]
    panel: int  # channels that lie side by side in the weights of the 1x1, 0: all


def pair(kernel: Kernel) -> Pair | None:
    """The kernel as a 1x1 convolution and a depthwise one of its result, or None."""
    if len(kernel.roots) != 2 or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    expand, found = generic(kernel.roots[0]), depthwise.form_of(kernel.roots[1])
    if found is None or not is_multiply_add(expand) or len(expand.reductions) != 1 or len(expand.inputs) != 2:
        return None
    image, map_ = found.view.inputs[found.image], found.view.input_maps[found.image]
    places = [found.rows.place, found.columns.place]
    if [found.rows.place in {d for d, _ in e.terms} for e in map_.results] != [False, True, False, False]:
        return None
    out = [e.dim for e in found.view.output_maps[0].results]
    if len(map_.results) != 4 or map_.results[0].dim != out[0] or out[1:3] != places or found.channel != out[3]:
        return None
    pad = image.defining_op
    low = (0, 0)
    if pad is not None and pad.name == "tensor.pad":
        edges = list(zip(pad["static_low"], pad["static_high"], strict=True))
        if edges[0] != (0, 0) or edges[3] != (0, 0) or not _is_zero(pad):
            return None
        image, low = pad.operands[0], (pad["static_low"][1], pad["static_low"][2])
    result = expand.op.results[0]
    dims = [e.dim for e in expand.output_maps[0].results]
    users = result.users
    collapsed = len(users) == 1 and users[0].name == "tensor.collapse_shape"
    whole = users[0].result if collapsed else result
    assert isinstance(whole.type, TensorType) and isinstance(image.type, TensorType)
    if whole.type.shape != image.type.shape or dims != list(expand.parallel) or len(dims) != 4 + collapsed:
        return None
    panel = expand.extents()[dims[-1]] if collapsed else 0  # type: ignore[index]
    return Pair(expand, found, image, low, panel) if isinstance(panel, int) else None


def _is_zero(pad: Operation) -> bool:
    filler = pad.body.terminator.operands[0].defining_op
    return filler is not None and filler.name == "arith.constant" and filler["value"] == 0


def match(kernel: Kernel, target: Target) -> Blocks | None:
    both = pair(kernel)
    if both is None:
        return None
    found, result = both.found, both.found.view.op.results[0]
    assert isinstance(result.type, TensorType)
    if any(not isinstance(v.type, TensorType) or v.type.shape != result.type.shape for v in kernel.outputs):
        return None
    lanes = target.lanes(t.element_of(result.type))
    channels = found.view.extents()[found.channel]
    assert isinstance(channels, int)
    chunk = both.panel or next((n for n in CHUNKS if channels % n == 0), 0)
    if not chunk or chunk % lanes or channels % chunk or not isinstance(both.expand.extents()[2], int):
        return None
    pixels = depthwise.choose(found, target)
    wide = found.columns.reach(found.columns.places) * chunk * t.bitwidth(result.type) // 8
    band = found.rows.places
    while band > pixels.rows and found.rows.reach(band) * wide > BAND_BYTES:
        band = -(-band // 2)
    vectors = next(v for v in (2, 3, 1) if (chunk // lanes) % v == 0)
    most = {1: 14, 2: 14, 3: 8}[vectors] if target.registers >= 32 else {1: 12, 2: 6, 3: 4}[vectors]
    width = both.expand.extents()[2]
    assert isinstance(width, int)
    count = min(range(1, min(most, width) + 1), key=lambda n: (-(-width // n) * (n + 2), -n))
    return Blocks(chunk, band, count, vectors, min(pixels.rows, band), pixels.columns, lanes)


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
        found = both.found
        self.wide = found.columns.reach(found.columns.places)
        self.deep = found.rows.reach(blocks.band)
        element = t.element_of(found.view.op.results[0].type)
        self.scratch = frame.scratch((self.deep, self.wide, blocks.chunk), element)

    def run(self) -> None:
        b, blocks, found = self.b, self.blocks, self.both.found
        images = found.view.extents()[self.both.found.view.output_maps[0].results[0].dim]  # type: ignore[index]
        channels = found.view.extents()[found.channel]
        assert isinstance(channels, int)
        bands = -(-found.rows.places // blocks.band)
        with self.frame.parallel([images, bands, channels // blocks.chunk]) as (image, band, chunk):
            first = b.min(b.mul(band, b.index(blocks.band)), b.index(found.rows.places - blocks.band))
            with b.for_(b.index(0), b.index(self.deep), 1) as loop:
                self.fill_row(image, first, chunk, loop.iv)
                loop.yield_()
            self.convolve(image, first, b.mul(chunk, b.index(blocks.chunk)))

    # -- the 1x1 convolution, into the scratch
    def fill_row(self, image: Value, first: Value, chunk: Value, row: Value) -> None:
        """Row `row` of the scratch: zeros outside of the expanded image."""
        b, both = self.b, self.both
        height, width = both.expand.extents()[1:3]
        assert isinstance(height, int) and isinstance(width, int)
        top = b.sub(b.add(b.mul(first, b.index(both.found.rows.stride)), row), b.index(both.low[0]))
        inside = b.and_(b.cmp("ge", top, b.index(0)), b.cmp("lt", top, b.index(height)))
        with b.if_(inside) as branch:
            self.zeros(row, 0, both.low[1])
            self.expand_row(image, top, chunk, row)
            self.zeros(row, both.low[1] + width, self.wide)
            branch.yield_([])
            with branch.else_():
                self.zeros(row, 0, self.wide)
                branch.yield_([])

    def zeros(self, row: Value, start: int, end: int) -> None:
        b, blocks = self.b, self.blocks
        if start >= end:
            return
        zero = b.broadcast(b.constant(0.0, t.element_of(self.scratch.type)), blocks.lanes)
        with b.for_(b.index(start), b.index(end), 1) as loop:
            for j in range(0, blocks.chunk, blocks.lanes):
                b.vstore(zero, self.scratch, [row, loop.iv, b.index(j)])
            loop.yield_()

    def expand_row(self, image: Value, top: Value, chunk: Value, row: Value) -> None:
        """Tiles of pixels; the last one is moved back to be whole, and never beyond what the windows reach."""
        b, blocks, both = self.b, self.blocks, self.both
        width = both.expand.extents()[2]
        assert isinstance(width, int)
        read = min(width, self.wide - both.low[1])  # columns that some window reads
        pixels = min(blocks.pixels, read)
        groups = blocks.chunk // (blocks.vectors * blocks.lanes)
        with b.for_(b.index(0), b.index(-(-read // pixels)), 1) as tile:
            left = b.min(b.mul(tile.iv, b.index(pixels)), b.index(read - pixels))
            for group in range(groups):
                self.expand_tile(image, top, left, chunk, row, pixels, group * blocks.vectors * blocks.lanes)
            tile.yield_()

    def expand_tile(
        self, image: Value, top: Value, left: Value, chunk: Value, row: Value, pixels: int, start: int
    ) -> None:
        b, blocks, view = self.b, self.blocks, self.both.expand
        columns = [b.add(left, b.index(i)) for i in range(pixels)]
        offsets = [start + j * blocks.lanes for j in range(blocks.vectors)]
        base = b.mul(chunk, b.index(blocks.chunk))
        places: list[list[LaneIndex]] = []  # of the result's dims, for every sum
        for column in columns:
            for offset in offsets:
                here = [LaneIndex(image), LaneIndex(top), LaneIndex(column)]
                if self.both.panel:
                    places.append([*here, LaneIndex(chunk), LaneIndex(b.index(offset), 1)])
                else:
                    places.append([*here, LaneIndex(b.add(base, b.index(offset)), 1)])
        cache: dict[object, Value] = {}
        points = Points(self.frame, blocks.lanes, None, cache=cache)
        sums = [points.vector(points.value(view.inits[0], place)) for place in places]
        (k,) = view.reductions
        dims = [e.dim for e in view.output_maps[0].results]
        with b.for_(b.index(0), self.frame.size(view.extents()[k]), 1, sums) as loop:
            inner: dict[object, Value] = {}
            made = []
            for place, total in zip(places, loop.args, strict=True):
                at = dict(zip(dims, place, strict=True)) | {k: LaneIndex(loop.iv)}
                step = Points(self.frame, blocks.lanes, None, cache=inner)
                made.append(step.vector(step.generic_body(view.op, [at[d] for d in range(view.dims)], [total])[0]))
            loop.yield_(made)
        root = view.op.results[0]
        whole = root.users[0].result if self.both.panel else root
        cache = {}
        for i, (place, total) in enumerate(zip(places, loop.results, strict=True)):
            offset = offsets[i % len(offsets)]
            point = [*place[:3], LaneIndex(b.add(base, b.index(offset)), 1)]
            done = Points(self.frame, blocks.lanes, None, {whole: total}, cache)
            value = done.vector(done.value(self.both.expanded, point))
            place_in = b.add(columns[i // len(offsets)], b.index(self.both.low[1]))
            b.vstore(value, self.scratch, [row, place_in, b.index(offset)])

    # -- the depthwise convolution, out of the scratch
    def convolve(self, image: Value, first: Value, base: Value) -> None:
        b, blocks, found = self.b, self.blocks, self.both.found
        tile = Pixels(blocks.rows, blocks.columns, blocks.lanes)
        dim = found.view.output_maps[0].results[0].dim
        assert dim is not None
        counts = [-(-blocks.band // tile.rows), -(-found.columns.places // tile.columns)]
        with b.for_(b.index(0), b.index(counts[0]), 1) as down, b.for_(b.index(0), b.index(counts[1]), 1) as right:
            row = b.min(b.mul(down.iv, b.index(tile.rows)), b.index(blocks.band - tile.rows))
            column = b.min(b.mul(right.iv, b.index(tile.columns)), b.index(found.columns.places - tile.columns))
            with b.for_(b.index(0), b.index(blocks.chunk), blocks.lanes) as lane:
                here = {dim: LaneIndex(image), found.channel: LaneIndex(b.add(base, lane.iv), 1)}
                made = _ScratchTile(self.frame, found, tile, None)
                made.scratch, made.first, made.lane = self.scratch, first, lane.iv
                made.run(here, b.add(first, row), column)
                lane.yield_()


class _ScratchTile(PixelTile):
    """A tile of pixels whose input is in the scratch, from the row under the first one of the band."""

    scratch: Value
    first: Value
    lane: Value

    def corner(self, row: Value, column: Value) -> list[Value]:
        return super().corner(self.b.sub(row, self.first), column)

    def input(self, here: dict[int, LaneIndex], sources: list[Value], down: int, right: int) -> Value:
        b = self.b
        place = [b.add(sources[0], b.index(down)), b.add(sources[1], b.index(right)), self.lane]
        return b.vload(self.scratch, place, self.tile.lanes)
