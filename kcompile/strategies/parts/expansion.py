"""A 1x1 convolution whose result goes to scratch, for the depthwise convolution that reads it in the same kernel.

    e[n, h, w, c] = f(sum_i x[n, h, w, i] * k[i, c]), zeros around

    for a row of e: zeros before it;  tiles of `pixels` x `vectors` sums over i, f, into the scratch;  zeros behind it

A row outside of the image is of zeros. Rows are counted with the border above the image, channels in chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType
from kcompile.strategies import depthwise
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.depthwise import Form
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, generic

CHUNKS = (32, 48, 16)  # channels of a chunk, best first: 2 or 3 vectors of 16 for tiles of 14 or 8 pixels


@dataclass(frozen=True, slots=True)
class Chunks(Parameters):
    """chunk: channels. pixels, vectors: sums of a tile of the 1x1 convolution. lanes: channels of a vector."""

    chunk: int
    pixels: int
    vectors: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Both roots. `expanded` is what is convolved, without its border; `low` the rows and columns before it."""

    expand: Generic
    found: Form
    expanded: Value
    low: tuple[int, int]
    panel: int  # channels that lie side by side in the weights of the 1x1, 0: all

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the expanded image."""
        _, height, width = self.expand.extents()[:3]
        assert isinstance(height, int) and isinstance(width, int)
        return height, width

    @property
    def wide(self) -> int:
        """Columns of the scratch: those that some window reads."""
        return self.found.columns.reach(self.found.columns.places)


def pair_of(product: Operation, convolution: Operation) -> Pair | None:
    """Two roots as a 1x1 convolution and a depthwise one of its result, or None."""
    if product.name != "linalg.generic" or convolution.name != "linalg.generic":
        return None
    expand, found = generic(product), depthwise.form_of(convolution)
    if found is None or not is_multiply_add(expand) or len(expand.reductions) != 1 or len(expand.inputs) != 2:
        return None
    if not of_images(found):
        return None
    image, low = found.view.inputs[found.image], (0, 0)
    pad = image.defining_op
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
    if not isinstance(panel, int) or not all(isinstance(n, int) for n in expand.extents()[1:3]):
        return None
    return Pair(expand, found, image, low, panel)


def of_images(found: Form) -> bool:
    """Whether a depthwise convolution is of [image, row, column, channel], its result too."""
    map_ = found.view.input_maps[found.image]
    if [found.rows.place in {d for d, _ in e.terms} for e in map_.results] != [False, True, False, False]:
        return False
    out = [e.dim for e in found.view.output_maps[0].results]
    places = [found.rows.place, found.columns.place]
    return len(map_.results) == 4 and map_.results[0].dim == out[0] and out[1:] == [*places, found.channel]


def _is_zero(pad: Operation) -> bool:
    filler = pad.body.terminator.operands[0].defining_op
    return filler is not None and filler.name == "arith.constant" and filler["value"] == 0


def choose(both: Pair, target: Target) -> Chunks | None:
    """Chunks and tiles, or None where channels cannot be cut into chunks."""
    lanes = target.lanes(t.element_of(both.found.view.op.results[0].type))
    channels = both.found.view.extents()[both.found.channel]
    assert isinstance(channels, int)
    chunk = both.panel or next((n for n in CHUNKS if channels % n == 0), 0)
    if not chunk or chunk % lanes or channels % chunk:
        return None
    vectors = next(v for v in (2, 3, 1) if (chunk // lanes) % v == 0)
    most = {1: 14, 2: 14, 3: 8}[vectors] if target.registers >= 32 else {1: 12, 2: 6, 3: 4}[vectors]
    _, width = both.size
    count = min(range(1, min(most, width) + 1), key=lambda n: (-(-width // n) * (n + 2), -n))
    return Chunks(chunk, count, vectors, lanes)


class Expansion:
    """The code of the 1x1 convolution. `scratch` ends in [column, channel of the chunk]."""

    def __init__(self, frame: Frame, both: Pair, blocks: Chunks, scratch: Value):
        self.frame, self.both, self.blocks, self.scratch = frame, both, blocks, scratch
        self.b = frame.b

    def fill_row(self, image: Value, row: Value, chunk: Value, slot: list[Value]) -> None:
        """A row into the scratch at `slot`: zeros outside of the expanded image."""
        b, both, wide = self.b, self.both, self.both.wide
        height, width = both.size
        top = b.sub(row, b.index(both.low[0]))
        inside = b.and_(b.cmp("ge", top, b.index(0)), b.cmp("lt", top, b.index(height)))
        with b.if_(inside) as branch:
            self.zeros(slot, 0, both.low[1])
            self.expand_row(image, top, chunk, slot)
            self.zeros(slot, both.low[1] + width, wide)
            branch.yield_([])
            with branch.else_():
                self.zeros(slot, 0, wide)
                branch.yield_([])

    def zeros(self, slot: list[Value], start: int, end: int) -> None:
        b, blocks = self.b, self.blocks
        if start >= end:
            return
        zero = b.broadcast(b.constant(0.0, t.element_of(self.scratch.type)), blocks.lanes)
        with b.for_(b.index(start), b.index(end), 1) as loop:
            for j in range(0, blocks.chunk, blocks.lanes):
                b.vstore(zero, self.scratch, [*slot, loop.iv, b.index(j)])
            loop.yield_()

    def expand_row(self, image: Value, top: Value, chunk: Value, slot: list[Value]) -> None:
        """Tiles of pixels; the last one is moved back to be whole, and never beyond what the windows reach."""
        b, blocks, both = self.b, self.blocks, self.both
        read = min(both.size[1], both.wide - both.low[1])  # columns that some window reads
        pixels = min(blocks.pixels, read)
        groups = blocks.chunk // (blocks.vectors * blocks.lanes)
        with b.for_(b.index(0), b.index(-(-read // pixels)), 1) as tile:
            left = b.min(b.mul(tile.iv, b.index(pixels)), b.index(read - pixels))
            columns = [b.add(left, b.index(i)) for i in range(pixels)]
            for group in range(groups):
                self.expand_tile([image, top], columns, chunk, slot, group * blocks.vectors * blocks.lanes)
            tile.yield_()

    def expand_tile(self, row: list[Value], columns: list[Value], chunk: Value, slot: list[Value], start: int) -> None:
        b, blocks, view = self.b, self.blocks, self.both.expand
        offsets = [start + j * blocks.lanes for j in range(blocks.vectors)]
        base = b.mul(chunk, b.index(blocks.chunk))
        places: list[list[LaneIndex]] = []  # of the result's dims, for every sum
        for column in columns:
            for offset in offsets:
                here = [LaneIndex(v) for v in (*row, column)]
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
            b.vstore(value, self.scratch, [*slot, place_in, b.index(offset)])


class ScratchTile(depthwise.PixelTile):
    """A tile of pixels whose input is in the scratch of an expansion: rows `slots`, at channels from `lane` on."""

    scratch: Value
    slots: list[list[Value]]  # of the rows under the tile, downwards
    lane: Value

    def input(self, here: dict[int, LaneIndex], sources: list[Value], down: int, right: int) -> Value:
        b = self.b
        place = [*self.slots[down], b.add(sources[1], b.index(right)), self.lane]
        return b.vload(self.scratch, place, self.tile.lanes)
