"""winograd: convolutions of 3 x 3 on transformed tiles (see dialects/graph/winograd.py).

    for block of tiles in this worker's share:
        V = B' d B of the block's tiles                                    V[point][tile][channel]
        for chunk of features in this worker's share:
            for point at which the kernel of this phase is not zero: for panel of features: for rows of tiles:
                accumulators[rows][vectors] += V[point][row][c] * U[point][panel][c][vector]   over c, in order
            results = epilogue(A' M A)                                     M[point][tile][feature]

Tiles are numbered through all images, so a block may end one image and begin the next; each tile is computed alike in
any block, and once. V and M of a block stay in the second-level cache. Where the transformed kernel does not fit there,
workers share out the features first: each then reads its part of the kernel only, and asks for what follows while it
multiplies, evenly, as that takes about as long as bringing it from memory (7x7x512: 0.98 ms to 0.58, 0.63 where the
first register tile of a block asks for all; 14x14x256: 0.76 to 0.36).
Traffic of a block: U once.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.dialects.graph.winograd import PANEL, WHOLE, panels, phases, point_range
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.structured import Kernel
from kcompile.strategies.parts.tile_choice import rows_limit
from kcompile.strategies.parts.winograd_results import Scatter
from kcompile.strategies.parts.winograd_transforms import (
    GatherParts,
    Tiles,
    image_shape,
    input_groups,
    sources_of,
)


@dataclass(frozen=True, slots=True)
class Blocks(Parameters):
    """How the work is cut.

    rows, vectors   tiles and vectors of features of a register tile
    lanes           elements of a vector
    block           register tiles, one below the other, in a block
    chunk           register tiles, side by side, whose products are transformed back together
    share_features  workers share out chunks before tiles
    """

    rows: int
    vectors: int
    lanes: int
    block: int
    chunk: int
    share_features: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """What of the kernel to bring into the cache during a sum over the channels c.

    point, panel   of the vectors that are wanted next
    first, part    the channel to bring at c is (first + c) * part, part in units of 2 ** -FRACTION
    """

    point: Value
    panel: Value
    first: Value
    part: Value


def match(kernel: Kernel, target: Target) -> Blocks | None:
    """Kernels whose root is a winograd_convolution, with results of its shape, and at most a pooling in its tiles."""
    if len(kernel.roots) not in (1, 2) or kernel.roots[0].name != "graph.winograd_convolution":
        return None
    op = kernel.roots[0]
    kind = op.result.type
    assert isinstance(kind, TensorType)
    shapes = [kind.shape, *(t.shape_of(op.result.type) for op in kernel.roots[1:])]
    if any(t.shape_of(v.type) not in shapes for v in kernel.outputs):
        return None
    batch, (height, width), features = kind.shape[0], positions(op), image_shape(op.result)[2]
    lanes, item = target.lanes(kind.element), t.bitwidth(kind) // 8
    if sources_of(op.operands[0], lanes) is None:
        return None
    needed = panels(features) * PANEL // lanes
    vectors = choose_vectors(needed)
    tiles = -(-height // op["tile"]) * -(-width // op["tile"]) * (1 if isinstance(batch, SymbolicDim) else batch)
    chunk = largest_divisor(max(1, needed // vectors), max(1, CHUNK_FEATURES // (vectors * lanes)))
    channels, points = image_shape(op.operands[0])[2], (op["tile"] + 2) ** 2
    kernel_bytes = points * features_of_all_phases(op) * channels * item
    outside = kernel_bytes > target.l2
    rows = choose_rows(tiles, rows_limit(vectors, target), by_features=outside and needed > chunk * vectors)
    row_bytes = rows * points * (padded(channels, lanes) + chunk * vectors * lanes) * item
    cached = max(1, target.l2 * 5 // 8 // row_bytes)
    sizes = {cached, *(-(-tiles // rows) for tiles in MORE_TILES)} if outside else {cached}

    def traffic(block: int) -> int:
        """Bytes for each register tile from beyond the second level: the kernel, V, and M if they do not fit."""
        spilled = row_bytes * SCATTERED if block * row_bytes > target.l2 * 3 // 4 else 0
        return kernel_bytes // block + spilled

    return Blocks(rows, vectors, lanes, min(sorted(sizes), key=traffic), chunk, outside)


FRACTION = 16  # bits
CHUNK_FEATURES = 64  # M of a chunk is written and read back at once
MORE_TILES = (24, 64)  # of a block, where the kernel comes from beyond the second level: 12 or 32 multiply-adds a byte
SCATTERED = 4  # a byte of V or M beyond the second level counts as so many of the kernel, which is read in order


def positions(op: Operation) -> tuple[int, int]:
    """How many windows there are, down and across: the size of the result of a phase."""
    height, width, _ = image_shape(op.operands[0])
    (top, left), (bottom, right) = op["padding_low"], op["padding_high"]
    return max(0, height + top + bottom - 2), max(0, width + left + right - 2)


def features_of_all_phases(op: Operation) -> int:
    _, count, _, panel = t.shape_of(op.operands[1].type)
    return count * panel


def padded(channels: int, lanes: int) -> int:
    return -(-channels // lanes) * lanes


def choose_vectors(needed: int) -> int:
    """Vectors of a register tile: they divide the features, as panels are not cut."""
    wanted = (2, 4, 3, 1)
    return next(v for v in wanted if needed % v == 0) if needed else 1


def choose_rows(tiles: int, limit: int, by_features: bool) -> int:
    """Rows of a register tile: those that do `tiles` (of an image, where the batch is symbolic) in the least time.

    Unless workers share the features, it is the time of two of them, if one alone takes at most an eighth longer. Of
    64 tiles five register tiles of 13 are three for a worker: 119 us, where six of 11 take 101, and alone as long.
    """

    def time(rows: int, team: int) -> int:
        return -(-tiles // (rows * team)) * (max(rows, 4) + 2)  # + 2: loads of a step; few rows wait for additions

    choice = range(1, min(tiles, limit) + 1)
    alone = min((time(rows, 1) for rows in choice), default=0)
    team = 1 if by_features else 2
    near = [rows for rows in choice if team == 1 or time(rows, 1) * 8 <= alone * 9]
    return min(near, key=lambda rows: (time(rows, team), time(rows, 1), -rows), default=1)


def largest_divisor(number: int, limit: int) -> int:
    return max(d for d in range(1, min(number, limit) + 1) if number % d == 0)


def emit(kernel: Kernel, blocks: Blocks, target: Target) -> Operation:
    frame = Frame(kernel)
    _Emitter(frame, kernel, blocks).run()
    frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"winograd{{{blocks}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, blocks: Blocks):
        self.frame, self.blocks, self.b = frame, blocks, frame.b
        self.op = op = kernel.roots[0]
        image, low, self.size = op.operands[0], op["padding_low"], op["tile"] + 2
        self.tiles = Tiles(frame.b, *positions(op), op["tile"])
        self.taps = [phases(op.get(name, WHOLE)) for name in ("row_taps", "column_taps")]
        factors = len(self.taps[0]), len(self.taps[1])
        sources = sources_of(image, blocks.lanes)
        assert sources is not None
        self.gather = GatherParts(frame, sources, self.tiles, low, self.size, input_groups, blocks.lanes)
        self.scatter = Scatter(frame, kernel, op.result, self.tiles, blocks.lanes, factors)
        self.points = self.size**2
        self.channels = image_shape(image)[2]
        self.width = padded(self.channels, blocks.lanes)  # of a tile in V
        self.features = blocks.vectors * blocks.lanes  # of a register tile
        self.chunk = blocks.chunk * self.features  # features
        self.chunks = panels(op["features"]) * PANEL // self.chunk  # of a phase
        self.all_chunks = self.chunks * factors[0] * factors[1]

    def run(self) -> None:
        b, blocks = self.b, self.blocks
        assert isinstance(self.op.result.type, TensorType)
        element = self.op.result.type.element
        # The tiles of a register tile stand together at each point, so what there is of a block is dense.
        # One line more than they need: points that are a power of two apart would meet in one set of the cache.
        v = self.frame.scratch((blocks.block * self.points, blocks.rows * self.width + PANEL), element)
        m = self.frame.scratch((blocks.block * self.points, blocks.rows * self.chunk + PANEL), element)
        tiles = b.mul(self.frame.size(self.op.result.type.shape[0]), b.index(self.tiles.count))
        units = b.ceildiv(tiles, blocks.rows)
        (low, high), (first_chunk, last_chunk) = self.shares(units)
        with b.for_(low, high, blocks.block) as loop:
            count = b.min(b.sub(high, loop.iv), b.index(blocks.block))
            with b.for_(0, count) as unit:
                first, present = self.tiles_of(b.add(loop.iv, unit.iv), tiles)
                planes = v, b.mul(unit.iv, self.points)
                self.gather.run(first, present, planes, self.width, b.index(0))
                self.gather.clear(present, b.index(blocks.rows), planes, self.width)
            with b.for_(first_chunk, last_chunk) as chunk:
                phase = self.phase(chunk.iv)
                self.products(phase, chunk.iv, count, v, m)
                start = b.mul(b.mod(chunk.iv, self.chunks), self.chunk)
                with b.for_(0, count) as unit:
                    first, present = self.tiles_of(b.add(loop.iv, unit.iv), tiles)
                    planes = m, b.mul(unit.iv, self.points)
                    self.scatter.run(first, present, planes, self.chunk, start, phase)

    def tiles_of(self, unit: Value, tiles: Value) -> tuple[Value, Value]:
        """The first tile of a register tile, and how many there are."""
        first = self.b.mul(unit, self.blocks.rows)
        return first, self.b.min(self.b.sub(tiles, first), self.b.index(self.blocks.rows))

    def phase(self, chunk: Value) -> tuple[Value, Value]:
        """Down and across, of the features of a chunk."""
        b, across = self.b, len(self.taps[1])
        number = b.floordiv(chunk, self.chunks) if self.all_chunks > self.chunks else b.index(0)
        return b.floordiv(number, across), b.mod(number, across)

    def shares(self, units: Value) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
        """This worker's rows of register tiles, and its chunks."""
        b, tid, team = self.b, self.frame.tid, self.frame.team
        if not self.blocks.share_features or self.all_chunks == 1:
            return b.partition(units, tid, team), (b.index(0), b.index(self.all_chunks))
        parts = b.min(team, b.index(self.all_chunks))
        chunks = b.partition(self.all_chunks, b.rem(tid, parts), parts)
        return b.partition(units, b.div(tid, parts), b.div(team, parts)), chunks

    def products(self, phase: tuple[Value, Value], chunk: Value, count: Value, v: Value, m: Value) -> None:
        """M = V U at all points; zeros where the kernel is zero."""
        b, (top, bottom) = self.b, self.range_of(0, phase[0])
        left, right = self.range_of(1, phase[1])
        with b.for_(top, bottom) as row, b.for_(left, right) as column:
            self.multiply(b.add(b.mul(row.iv, self.size), column.iv), chunk, count, v, m)
        if self.taps == [[WHOLE], [WHOLE]]:
            return
        end = b.index(self.size)
        beside = [(top, bottom, b.index(0), left), (top, bottom, right, end)]
        for area in [(b.index(0), top, b.index(0), end), (bottom, end, b.index(0), end), *beside]:
            with b.for_(0, count) as unit, b.for_(*area[:2]) as row, b.for_(*area[2:]) as column:
                point = b.add(b.mul(row.iv, self.size), column.iv)
                plane = b.add(b.mul(unit.iv, self.points), point)
                with b.for_(0, self.blocks.rows * self.chunk, self.blocks.lanes) as at:
                    zero = b.constant(0.0, VectorType((self.blocks.lanes,), t.element_of(m.type)))
                    b.vstore(zero, m, [plane, at.iv])

    def range_of(self, axis: int, phase: Value) -> tuple[Value, Value]:
        """The points along an axis at which the kernel of a phase is not zero."""
        b = self.b
        ranges = [point_range(taps, self.op["tile"]) for taps in self.taps[axis]]
        low, high = (b.index(n) for n in ranges[0])
        for number, (first, last) in enumerate(ranges[1:], start=1):
            mine = b.cmp("eq", phase, b.index(number))
            low, high = b.select(mine, b.index(first), low), b.select(mine, b.index(last), high)
        return low, high

    def multiply(self, point: Value, chunk: Value, count: Value, v: Value, m: Value) -> None:
        """M = V U at a point, for a chunk of features."""
        b, blocks = self.b, self.blocks
        with b.for_(0, blocks.chunk) as column, b.for_(0, count) as unit:
            plane = b.add(b.mul(unit.iv, self.points), point)
            feature = b.add(b.mul(chunk, self.chunk), b.mul(column.iv, self.features))
            ahead = self.ahead(point, column.iv, feature, unit.iv, count) if blocks.share_features else None
            sums = self.reduce(point, feature, plane, v, ahead)
            at = b.mul(column.iv, self.features)
            for i in range(blocks.rows):
                for j in range(blocks.vectors):
                    place = b.add(at, i * self.chunk + j * blocks.lanes)
                    b.vstore(sums[i * blocks.vectors + j], m, [plane, place])

    def ahead(self, point: Value, column: Value, feature: Value, unit: Value, units: Value) -> Ahead:
        """The kernel of the register tiles after those of a column of a chunk: the next column, then the first one at
        the next point, then at the first point of the next chunk. The units of the block bring a part each.
        """
        b = self.b
        ends = b.cmp("eq", column, b.index(self.blocks.chunk - 1))
        feature = b.sub(b.add(feature, self.features), b.select(ends, b.index(self.chunk), b.index(0)))
        point = b.add(point, b.select(ends, b.index(1), b.index(0)))
        ends = b.cmp("eq", point, b.index(self.points))
        feature = b.add(feature, b.select(ends, b.index(self.chunk), b.index(0)))
        part = b.div(b.index(1 << FRACTION), units)
        return Ahead(b.select(ends, b.index(0), point), b.floordiv(feature, PANEL), b.mul(unit, self.channels), part)

    def reduce(self, point: Value, feature: Value, plane: Value, v: Value, ahead: Ahead | None) -> list[Value]:
        """The accumulators of a register tile after all channels; meanwhile the kernel of the following ones comes."""
        b, blocks = self.b, self.blocks
        kernel_memory = self.frame.memref[self.op.operands[1]]
        zero = b.constant(0.0, VectorType((blocks.lanes,), t.element_of(v.type)))
        panel, inside = b.floordiv(feature, PANEL), b.mod(feature, PANEL)
        with b.for_(0, self.channels, 1, [zero] * (blocks.rows * blocks.vectors)) as loop:
            sums = list(loop.args)
            kernel = []
            if ahead is not None:
                channel = b.shr(b.mul(b.add(ahead.first, loop.iv), ahead.part), b.index(FRACTION))
            for j in range(blocks.vectors):
                lane = j * blocks.lanes
                at = [point, b.add(panel, lane // PANEL), loop.iv, b.add(inside, lane % PANEL)]
                kernel.append(b.vload(kernel_memory, at, blocks.lanes))
                if ahead is not None and lane % PANEL == 0:
                    b.prefetch(kernel_memory, [ahead.point, b.add(ahead.panel, lane // PANEL), channel, 0])
            for i in range(blocks.rows):
                value = b.broadcast(b.load(v, [plane, b.add(loop.iv, i * self.width)]), blocks.lanes)
                for j in range(blocks.vectors):
                    place = i * blocks.vectors + j
                    sums[place] = b.fma(value, kernel[j], sums[place])
            loop.yield_(sums)
        return list(loop.results)
