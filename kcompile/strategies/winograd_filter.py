"""winograd_filter: the gradient of a 3 x 3 convolution by its kernel, on transformed tiles.

    for (part of the tiles, block of channels, block of features) in this worker's share:
        S = 0                                                              S[point][channel][feature]
        for block of the part's tiles:
            V = B' d B of the images' tiles                                V[point][tile][channel]
            Z = A y A' of the gradient's tiles                             Z[point][tile][feature]
            for point: for channels[rows]: for features[vectors]:
                S[rows][vectors] += V[tile][row] * Z[tile][vector]         over the block's tiles, in order
        results = S

A part is the same tiles on any number of workers, so its sum is, too. All of V, Z and S stay in the second-level cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.structured import Kernel
from kcompile.strategies.parts.tile_choice import rows_limit
from kcompile.strategies.parts.winograd_transforms import (
    Gather,
    GatherParts,
    Tiles,
    gradient_groups,
    image_shape,
    input_groups,
    sources_of,
)

MOST_CHANNELS = 64  # of a block: S and half as much of V and Z fill a second level of 1 MiB


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """How the work is cut.

    rows, vectors       channels, and vectors of features, of a register tile
    lanes               elements of a vector
    channels, features  of a block, whole register tiles
    tiles               of a block
    """

    rows: int
    vectors: int
    lanes: int
    channels: int
    features: int
    tiles: int


def match(kernel: Kernel, target: Target) -> Blocks | None:
    """Kernels that are one winograd_filter_gradient."""
    if len(kernel.roots) != 1 or kernel.roots[0].name != "graph.winograd_filter_gradient":
        return None
    op = kernel.roots[0]
    if kernel.outputs != (op.result,):
        return None
    lanes = target.lanes(t.element_of(op.result.type))
    if sources_of(op.operands[0], lanes) is None:
        return None
    channels, features = (block_of(image_shape(v)[2], lanes) for v in op.operands)
    vectors = max(v for v in (1, 2) if features // lanes % v == 0)
    limit = rows_limit(vectors, target)
    rows = max(r for r in range(1, limit + 1) if channels % r == 0)
    points, item = (op["tile"] + 2) ** 2, t.bitwidth(op.result.type) // 8
    left = target.l2 * 3 // 4 - points * channels * features * item
    tiles = max(16, left // (points * (channels + features) * item) // 8 * 8)
    return Blocks(rows, vectors, lanes, channels, features, tiles)


def block_of(count: int, lanes: int) -> int:
    """Channels of a block: equal parts of all, whole vectors."""
    parts = max(1, -(-count // MOST_CHANNELS))
    return max(1, -(-count // (parts * lanes))) * lanes


def emit(kernel: Kernel, blocks: Blocks, target: Target) -> Operation:
    frame = Frame(kernel)
    _Emitter(frame, kernel.roots[0], blocks).run()
    return frame.finish(f"winograd_filter{{{blocks}}}")


class _Emitter:
    def __init__(self, frame: Frame, op: Operation, blocks: Blocks):
        self.frame, self.op, self.blocks, self.b = frame, op, blocks, frame.b
        image, ct = op.operands
        self.channels, (height, width, self.features) = image_shape(image)[2], image_shape(ct)
        self.tiles = Tiles(frame.b, height, width, op["tile"])
        tile, low = op["tile"], op["padding_low"]
        self.points = (tile + 2) ** 2
        sources = sources_of(image, blocks.lanes)
        assert sources is not None
        self.images = GatherParts(frame, sources, self.tiles, low, tile + 2, input_groups, blocks.lanes)
        self.gradients = Gather(frame, ct, self.tiles, (0, 0), tile, gradient_groups, blocks.lanes)
        self.vector = VectorType((blocks.lanes,), t.element_of(op.result.type))

    def run(self) -> None:
        b, blocks = self.b, self.blocks
        line = 64 * 8 // t.bitwidth(self.vector.element)  # see winograd.py: keeps points apart in the cache
        v = self.frame.scratch((self.points, blocks.tiles * blocks.channels + line), self.vector.element)
        z = self.frame.scratch((self.points, blocks.tiles * blocks.features + line), self.vector.element)
        sums = self.frame.scratch((self.points, blocks.channels * blocks.features + line), self.vector.element)
        parts = self.op["parts"]
        assert isinstance(self.op.operands[0].type, TensorType)
        total = b.mul(self.frame.size(self.op.operands[0].type.shape[0]), self.tiles.count)
        across = [-(-self.channels // blocks.channels), -(-self.features // blocks.features)]
        with self.frame.parallel([parts, *across]) as (part, channel_block, feature_block):
            low, high = b.partition(total, part, b.index(parts))
            channel, feature = b.mul(channel_block, blocks.channels), b.mul(feature_block, blocks.features)
            self.clear(sums)
            with b.for_(low, high, blocks.tiles) as loop:
                count = b.min(b.sub(high, loop.iv), b.index(blocks.tiles))
                self.images.run(loop.iv, count, (v, b.index(0)), blocks.channels, channel)
                self.gradients.run(loop.iv, count, (z, b.index(0)), blocks.features, feature)
                with b.for_(0, self.points) as point:
                    self.multiply(point.iv, count, v, z, sums)
            self.store(sums, part, channel, feature)

    def clear(self, sums: Value) -> None:
        b, blocks = self.b, self.blocks
        zero = b.constant(0.0, self.vector)
        with b.for_(0, self.points) as point, b.for_(0, blocks.channels * blocks.features, blocks.lanes) as at:
            b.vstore(zero, sums, [point.iv, at.iv])

    def multiply(self, point: Value, count: Value, v: Value, z: Value, sums: Value) -> None:
        """S += V' Z at a point."""
        b, blocks = self.b, self.blocks
        step = blocks.vectors * blocks.lanes
        with b.for_(0, blocks.channels, blocks.rows) as row, b.for_(0, blocks.features, step) as column:
            places = [
                b.add(b.mul(b.add(row.iv, i), blocks.features), b.add(column.iv, j * blocks.lanes))
                for i in range(blocks.rows)
                for j in range(blocks.vectors)
            ]
            old = [b.vload(sums, [point, place], blocks.lanes) for place in places]
            with b.for_(0, count, 1, old) as tile:
                new = list(tile.args)
                start = b.add(b.mul(tile.iv, blocks.features), column.iv)
                ys = [b.vload(z, [point, b.add(start, j * blocks.lanes)], blocks.lanes) for j in range(blocks.vectors)]
                for i in range(blocks.rows):
                    at = b.add(b.mul(tile.iv, blocks.channels), b.add(row.iv, i))
                    x = b.broadcast(b.load(v, [point, at]), blocks.lanes)
                    for j, y in enumerate(ys):
                        number = i * blocks.vectors + j
                        new[number] = b.fma(x, y, new[number])
                tile.yield_(new)
            for place, value in zip(places, tile.results, strict=True):
                b.vstore(value, sums, [point, place])

    def store(self, sums: Value, part: Value, channel: Value, feature: Value) -> None:
        """The block's sums to their place in the result."""
        b, blocks = self.b, self.blocks
        out = self.frame.outputs[0]
        channels = b.min(b.sub(self.channels, channel), b.index(blocks.channels))
        features = b.min(b.sub(self.features, feature), b.index(blocks.features))
        with b.for_(0, self.points) as point, b.for_(0, channels) as row, b.for_(0, features, blocks.lanes) as column:
            place = b.add(b.mul(row.iv, blocks.features), column.iv)
            value = b.vload(sums, [point.iv, place], blocks.lanes)
            at = [part, point.iv, b.add(channel, row.iv), b.add(feature, column.iv)]
            if self.features % blocks.lanes:
                b.masked_store(value, out, at, b.mask(b.sub(features, column.iv), blocks.lanes))
            else:
                b.vstore(value, out, at)
