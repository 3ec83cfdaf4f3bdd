"""The two transforms of a Winograd convolution, and how they reach memory.

    gather:   for tile: for vector of channels:     n x n elements of the image  ->  B' d B  ->  V[point][tile][channel]
    scatter:  for tile: for vector of features:     M[point][tile][feature]  ->  A' m A  ->  epilogue  ->  m x m results

A tile that lies whole inside the image is read straight into registers; one at the border is first copied, without what
is outside, into a patch of zeros. Tiles that stick out of the result store only what exists.
Traffic: each element of the image is read (n / m)^2 times, from the first-level cache; V and M stay in the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kcompile.dialects.graph.winograd import PAIRS
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.frame import Frame
from kcompile.strategies.lanes import LaneIndex
from kcompile.strategies.points import Points
from kcompile.strategies.structured import Kernel

UNROLLED_EPILOGUE = 12  # operations an element; a longer epilogue is a loop over the tile instead of m x m copies

OneDimension = Callable[[LoopBuilder, Sequence[Value], Sequence[float]], list[Value]]


def transform_inputs(b: LoopBuilder, d: Sequence[Value], pairs: Sequence[float]) -> list[Value]:
    """B' d along one axis; what two points +-p share is computed once."""
    size = len(d)
    squares = [p * p for p in pairs]
    if len(pairs) == 1:
        (a,) = squares
        zero, even, odd, end = b.fma(d[0], -a, d[2]), [d[2]], [d[1]], b.fma(d[1], -a, d[3])
    else:
        first, second = squares
        zero, end = (b.fma(d[i], first * second, b.fma(d[i + 2], -(first + second), d[i + 4])) for i in (0, size - 5))
        even = [b.fma(d[2], -other, d[4]) for other in (second, first)]
        odd = [b.fma(d[1], -other, d[3]) for other in (second, first)]
    made = [zero]
    for p, e, o in zip(pairs, even, odd, strict=True):
        made += [b.fma(o, p, e), b.fma(o, -p, e)]
    return [*made, end]


def transform_outputs(b: LoopBuilder, m: Sequence[Value], pairs: Sequence[float]) -> list[Value]:
    """A' m along one axis."""
    sums = [b.add(m[2 * i + 1], m[2 * i + 2]) for i in range(len(pairs))]
    differences = [b.sub(m[2 * i + 1], m[2 * i + 2]) for i in range(len(pairs))]
    tile = len(m) - 2
    made = []
    for row in range(tile):
        total = m[0] if row == 0 else m[-1] if row == tile - 1 else None
        for p, term in zip(pairs, differences if row % 2 else sums, strict=True):
            factor = p**row
            if total is None:
                total = term if factor == 1.0 else b.mul(term, factor)
            else:
                total = b.add(total, term) if factor == 1.0 else b.fma(term, factor, total)
        assert total is not None
        made.append(total)
    return made


def transform_tile(b: LoopBuilder, rows: list[list[Value]], one: OneDimension, pairs: Sequence[float]) -> list[Value]:
    """Along the columns, then along the rows; gives the elements row by row."""
    columns = [one(b, column, pairs) for column in zip(*rows, strict=True)]
    return [value for row in zip(*columns, strict=True) for value in one(b, row, pairs)]


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the transforms need to know of a winograd_convolution."""

    op: Operation
    tile: int
    lanes: int

    @property
    def image(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self._sizes(self.op.operands[0])

    @property
    def result(self) -> tuple[int, int, int]:
        """Height, width, features."""
        return self._sizes(self.op.result)

    def _sizes(self, value: Value) -> tuple[int, int, int]:
        assert isinstance(value.type, TensorType)
        height, width, last = value.type.shape[1:]
        assert isinstance(height, int) and isinstance(width, int) and isinstance(last, int)
        return height, width, last

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles of an image: down, across."""
        height, width, _ = self.result
        return -(-height // self.tile), -(-width // self.tile)

    @property
    def points(self) -> int:
        return (self.tile + 2) ** 2

    @property
    def pairs(self) -> tuple[float, ...]:
        return PAIRS[self.tile]

    @property
    def padded_channels(self) -> int:
        return -(-self.image[2] // self.lanes) * self.lanes

    def is_inside(self) -> bool:
        """Whether no tile reads beyond the image."""
        low = self.op["padding_low"]
        return all(
            p <= 0 and (n - 1) * self.tile - p + self.tile + 2 <= size
            for n, p, size in zip(self.grid, low, self.image[:2], strict=True)
        )

    def is_whole(self) -> bool:
        """Whether no tile sticks out of the result."""
        return all(size % self.tile == 0 for size in self.result[:2])


class Transforms:
    """Emits both transforms into a frame. V and M are two-dimensional: [points, tile * features + feature]."""

    def __init__(self, frame: Frame, kernel: Kernel, geometry: Geometry):
        self.frame, self.kernel, self.geometry = frame, kernel, geometry
        self.b = frame.b
        self.vector = VectorType((geometry.lanes,), t.element_of(geometry.op.result.type))

    def place(self, tile: Value) -> tuple[Value, Value, Value]:
        """Image, and the first row and column of the result, of a tile by its number."""
        b, (down, across) = self.b, self.geometry.grid
        image = b.floordiv(tile, down * across)
        inside = b.mod(tile, down * across)
        row, column = b.floordiv(inside, across), b.mod(inside, across)
        return image, b.mul(row, self.geometry.tile), b.mul(column, self.geometry.tile)

    # -- from the image
    def gather(self, first: Value, tiles: Value, rows: Value, v: Value) -> None:
        """V of tiles first .. first + tiles; the rows up to `rows` that have no tile are zero."""
        b, g = self.b, self.geometry
        patch = (
            None if g.is_inside() and g.image[2] % g.lanes == 0 else b.alloca((g.points, g.lanes), self.vector.element)
        )
        with b.for_(0, tiles) as loop:
            base = b.mul(loop.iv, g.padded_channels)
            self.gather_tile(self.place(b.add(first, loop.iv)), v, base, patch)
        zero = b.constant(0.0, self.vector)
        with b.for_(tiles, rows) as loop:
            base = b.mul(loop.iv, g.padded_channels)
            with b.for_(0, g.points) as point, b.for_(0, g.padded_channels, g.lanes) as channel:
                b.vstore(zero, v, [point.iv, b.add(base, channel.iv)])

    def gather_tile(self, place: tuple[Value, Value, Value], v: Value, base: Value, patch: Value | None) -> None:
        b, g = self.b, self.geometry
        height, width, channels = g.image
        size = g.tile + 2
        low = g.op["padding_low"]
        image, row, column = place[0], b.sub(place[1], low[0]), b.sub(place[2], low[1])
        full = channels // g.lanes * g.lanes

        def straight() -> None:
            with b.for_(0, full, g.lanes) as loop:
                points = Points(self.frame, g.lanes)
                at = [
                    [[LaneIndex(image), LaneIndex(b.add(row, i)), LaneIndex(b.add(column, j)), LaneIndex(loop.iv, 1)]
                     for j in range(size)] for i in range(size)
                ]  # fmt: skip
                rows = [[points.vector(points.value(g.op.operands[0], x)) for x in line] for line in at]
                self.store_points(rows, v, b.add(base, loop.iv))

        if patch is None:
            straight()
            return
        inside = b.constant(1, t.i1)
        for start, extent in ((row, height), (column, width)):
            inside = b.and_(inside, b.cmp("ge", start, b.index(0)))
            inside = b.and_(inside, b.cmp("le", b.add(start, size), b.index(extent)))
        if full:
            with b.if_(inside):
                straight()
        begin = b.select(inside, b.index(full), b.index(0))
        if full == g.padded_channels:
            with b.if_(b.not_(inside)):
                self.gather_border(image, row, column, begin, v, base, patch)
        else:
            self.gather_border(image, row, column, begin, v, base, patch)

    def gather_border(
        self, image: Value, row: Value, column: Value, begin: Value, v: Value, base: Value, patch: Value
    ) -> None:
        """The channels from `begin`, by way of a patch that is zero where the tile is outside of the image."""
        b, g = self.b, self.geometry
        height, width, channels = g.image
        size = g.tile + 2
        zero = b.constant(0.0, self.vector)
        for i in range(g.points):
            b.vstore(zero, patch, [i, 0])
        bounds = [
            (b.max(b.sub(0, start), b.index(0)), b.min(b.sub(extent, start), b.index(size)))
            for start, extent in ((row, height), (column, width))
        ]
        with b.for_(begin, g.padded_channels, g.lanes) as loop:
            mask = b.mask(b.sub(channels, loop.iv), g.lanes) if channels % g.lanes else None
            with b.for_(*bounds[0]) as down, b.for_(*bounds[1]) as across:
                points = Points(self.frame, g.lanes, mask)
                place = [image, b.add(row, down.iv), b.add(column, across.iv)]
                at = [*map(LaneIndex, place), LaneIndex(loop.iv, 1)]
                value = points.vector(points.value(g.op.operands[0], at))
                b.vstore(value, patch, [b.add(b.mul(down.iv, size), across.iv), 0])
            rows = [[b.vload(patch, [i * size + j, 0], g.lanes) for j in range(size)] for i in range(size)]
            self.store_points(rows, v, b.add(base, loop.iv))

    def store_points(self, rows: list[list[Value]], v: Value, at: Value) -> None:
        for point, value in enumerate(transform_tile(self.b, rows, transform_inputs, self.geometry.pairs)):
            self.b.vstore(value, v, [point, at])

    # -- to the results
    def scatter(self, first: Value, tiles: Value, m: Value, stride: int, start: Value) -> None:
        """The results of tiles first .. first + tiles for the features from `start`; M has `stride` of them a tile."""
        b, g = self.b, self.geometry
        features = g.result[2]
        until = b.min(b.sub(features, start), b.index(stride))
        patch = b.alloca((g.tile**2, g.lanes), self.vector.element)
        with b.for_(0, tiles) as loop:
            place = self.place(b.add(first, loop.iv))
            base = b.mul(loop.iv, stride)
            with b.for_(0, until, g.lanes) as feature:
                at = b.add(base, feature.iv)
                size = g.tile + 2
                rows = [[b.vload(m, [i * size + j, at], g.lanes) for j in range(size)] for i in range(size)]
                made = transform_tile(b, rows, transform_outputs, g.pairs)
                self.store_tile(place, b.add(start, feature.iv), made, patch)

    def store_tile(self, place: tuple[Value, Value, Value], feature: Value, made: list[Value], patch: Value) -> None:
        b, g = self.b, self.geometry
        height, width, features = g.result
        unrolled = self.epilogue_work() <= UNROLLED_EPILOGUE
        certain = unrolled and g.is_whole() and features % g.lanes == 0
        bounds = [b.min(b.sub(n, start), b.index(g.tile)) for n, start in zip((height, width), place[1:], strict=True)]

        def straight() -> None:
            cache: dict[object, Value] = {}
            rows = [LaneIndex(b.add(place[1], i)) for i in range(g.tile)]
            columns = [LaneIndex(b.add(place[2], j)) for j in range(g.tile)]
            for number, value in enumerate(made):
                at = [LaneIndex(place[0]), rows[number // g.tile], columns[number % g.tile], LaneIndex(feature, 1)]
                self.finish(value, at, None, cache)

        def one_by_one() -> None:
            for i, value in enumerate(made):
                b.vstore(value, patch, [i, 0])
            mask = b.mask(b.sub(features, feature), g.lanes) if features % g.lanes else None
            with b.for_(0, bounds[0]) as down, b.for_(0, bounds[1]) as across:
                value = b.vload(patch, [b.add(b.mul(down.iv, g.tile), across.iv), 0], g.lanes)
                space = [place[0], b.add(place[1], down.iv), b.add(place[2], across.iv)]
                self.finish(value, [*map(LaneIndex, space), LaneIndex(feature, 1)], mask, {})

        if certain:
            straight()
            return
        if not unrolled:
            one_by_one()
            return
        whole = b.cmp("le", b.add(feature, g.lanes), b.index(features))
        for bound in bounds:
            whole = b.and_(whole, b.cmp("eq", bound, b.index(g.tile)))
        with b.if_(whole) as branch:
            straight()
            branch.yield_([])
            with branch.else_():
                one_by_one()

    def finish(self, value: Value, at: list[LaneIndex], mask: Value | None, cache: dict[object, Value]) -> None:
        """The epilogue, and the store of every result of the kernel."""
        points = Points(self.frame, self.geometry.lanes, mask, {self.geometry.op.result: value}, cache)
        values = [points.value(result, at) for result in self.kernel.outputs]
        for result, memref in zip(values, self.frame.outputs, strict=True):  # a result may replace an operand
            points.store(result, memref, at)

    def epilogue_work(self) -> int:
        """Operations an element of the result."""
        generics = [op for op in self.kernel.function.body.ops if op.name == "linalg.generic"]
        return sum(1 + 8 * (op.dialect == "math") for generic in generics for op in generic.body.ops)
