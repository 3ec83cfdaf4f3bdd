"""The transforms of Winograd convolutions, and how they reach memory.

    gather:   for tile: for vector of channels:     n x n elements of the image  ->  B' d B  ->  V[point][tile][channel]
                                                 or m x m elements of a gradient ->  A y A'  ->  Z[point][tile][feature]

A tile that lies whole inside the image is read straight into registers; one at the border is first copied, without what
is outside, into a patch of zeros. The way back is in winograd_results.
Traffic: each element of the image is read (n / m)^2 times, from the first-level cache; V and M stay in the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kcompile.dialects.graph.winograd import PAIRS
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points

Planes = tuple[Value, Value]  # memory [plane, tile * width + feature], and the plane of the first point
Lines = Any  # values by number: a sequence, or a Column
# A transform along one axis in groups: which of its results are made together, and how
Groups = list[tuple[tuple[int, ...], Callable[[LoopBuilder, Lines], list[Value]]]]
GroupsOf = Callable[[Sequence[float]], Groups]  # for the points that are taken with both signs


def input_groups(pairs: Sequence[float]) -> Groups:
    """B' d along one axis, for each point or pair of points +-p, whose halves are shared."""
    squares = [p * p for p in pairs]

    def lone(start: int) -> Callable[[LoopBuilder, Lines], list[Value]]:
        def make(b: LoopBuilder, d: Lines) -> list[Value]:
            if len(squares) == 1:
                return [b.fma(d[start], -squares[0], d[start + 2])]
            low = b.fma(d[start + 2], -(squares[0] + squares[1]), d[start + 4])
            return [b.fma(d[start], squares[0] * squares[1], low)]

        return make

    def pair(number: int) -> Callable[[LoopBuilder, Lines], list[Value]]:
        def make(b: LoopBuilder, d: Lines) -> list[Value]:
            others = squares[:number] + squares[number + 1 :]
            odd, even = (b.fma(d[i], -others[0], d[i + 2]) if others else d[i] for i in (1, 2))
            return [b.fma(odd, pairs[number], even), b.fma(odd, -pairs[number], even)]

        return make

    middle: Groups = [((2 * n + 1, 2 * n + 2), pair(n)) for n in range(len(pairs))]
    return [((0,), lone(0)), *middle, ((2 * len(pairs) + 1,), lone(1))]


def gradient_groups(pairs: Sequence[float]) -> Groups:
    """A y along one axis, the adjoint of `transform_outputs`."""
    last = 2 * len(pairs) - 1

    def pair(p: float) -> Callable[[LoopBuilder, Lines], list[Value]]:
        def make(b: LoopBuilder, y: Lines) -> list[Value]:
            even, odd = (b.fma(y[i + 2], p * p, y[i]) if i + 2 <= last else y[i] for i in (0, 1))
            return [b.fma(odd, p, even), b.fma(odd, -p, even)]

        return make

    middle: Groups = [((2 * n + 1, 2 * n + 2), pair(p)) for n, p in enumerate(pairs)]
    return [((0,), lambda b, y: [y[0]]), *middle, ((last + 2,), lambda b, y: [y[last]])]


class Column:
    """Values that are made when they are wanted, once."""

    def __init__(self, make: Callable[[int], Value]):
        self.make = make
        self.known: dict[int, Value] = {}

    def __getitem__(self, i: int) -> Value:
        if i not in self.known:
            self.known[i] = self.make(i)
        return self.known[i]


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


class Tiles:
    """Numbers of tiles through all images: `grid` of them, down and across, in each; `step` pixels apart."""

    def __init__(self, b: LoopBuilder, height: int, width: int, step: int):
        self.b, self.step = b, step
        self.grid = -(-height // step), -(-width // step)

    @property
    def count(self) -> int:
        """Of an image."""
        return self.grid[0] * self.grid[1]

    def place(self, tile: Value) -> tuple[Value, Value, Value]:
        """Image, and the first row and column, of a tile."""
        b, (_, across) = self.b, self.grid
        image, inside = b.div(tile, self.count), b.rem(tile, self.count)  # nothing here is negative
        return image, b.mul(b.div(inside, across), self.step), b.mul(b.rem(inside, across), self.step)


class Gather:
    """Brings tiles of `source` [b, h, w, c] to the points: target[plane of the point, tile * width + channel].

    low     how many rows and columns before the image the first tile begins
    size    of a tile, in pixels; `groups` make so many values those at the points, along one axis
    """

    def __init__(
        self, frame: Frame, source: Value, tiles: Tiles, low: Sequence[int], size: int, groups: GroupsOf, lanes: int
    ):
        self.frame, self.b = frame, frame.b
        self.source, self.tiles, self.low, self.size, self.lanes = source, tiles, low, size, lanes
        self.groups = groups(PAIRS[tiles.step])
        self.height, self.width, self.channels = image_shape(source)
        self.vector = VectorType((lanes,), t.element_of(source.type))
        self.patch: Value | None = None
        if not self.is_inside() or self.channels % lanes:
            self.patch = self.b.alloca((size * size, lanes), self.vector.element)

    def is_inside(self) -> bool:
        """Whether no tile reads beyond the image."""
        return all(
            low <= 0 and (n - 1) * self.tiles.step - low + self.size <= extent
            for n, low, extent in zip(self.tiles.grid, self.low, (self.height, self.width), strict=True)
        )

    def run(self, first: Value, tiles: Value, target: Planes, width: int, start: Value, skip: int | Value = 0) -> None:
        """Tiles first .. first + tiles, `width` channels from `start` as far as there are so many; else zeros.

        skip: how many channels of the target are left out.
        """
        b = self.b
        there = b.max(b.min(b.sub(self.channels, start), b.sub(width, skip)), b.index(0))
        full = b.mul(b.floordiv(there, self.lanes), self.lanes)
        with b.for_(0, tiles) as loop:
            image, row, column = self.tiles.place(b.add(first, loop.iv))
            corner = image, b.sub(row, self.low[0]), b.sub(column, self.low[1])
            self.one_tile(corner, target, b.add(b.mul(loop.iv, width), skip), start, full, there)

    def clear(self, first: Value, last: Value, target: Planes, width: int) -> None:
        """Zeros for the tiles first .. last of the target."""
        b = self.b
        zero = b.constant(0.0, self.vector)
        with b.for_(first, last) as loop:
            base = b.mul(loop.iv, width)
            with b.for_(0, (self.tiles.step + 2) ** 2) as point, b.for_(0, width, self.lanes) as channel:
                b.vstore(zero, target[0], [b.add(target[1], point.iv), b.add(base, channel.iv)])

    def one_tile(
        self, corner: tuple[Value, Value, Value], target: Planes, base: Value, start: Value, full: Value, there: Value
    ) -> None:
        b = self.b
        if self.patch is None:
            self.straight(corner, target, base, start, full)
            return
        inside = b.constant(1, t.i1)
        for place, extent in zip(corner[1:], (self.height, self.width), strict=True):
            inside = b.and_(inside, b.cmp("ge", place, b.index(0)))
            inside = b.and_(inside, b.cmp("le", b.add(place, self.size), b.index(extent)))
        with b.if_(inside):
            self.straight(corner, target, base, start, full)
        begin = b.select(inside, full, b.index(0))
        if self.channels % self.lanes:
            self.border(corner, target, base, start, begin, there)
        else:
            with b.if_(b.not_(inside)):
                self.border(corner, target, base, start, begin, there)

    def straight(
        self, corner: tuple[Value, Value, Value], target: Planes, base: Value, start: Value, full: Value
    ) -> None:
        """A tile that is whole inside, from memory to registers."""
        b = self.b
        with b.for_(0, full, self.lanes) as loop:
            image, channel = LaneIndex(corner[0]), LaneIndex(b.add(start, loop.iv), 1)
            down, across = ([LaneIndex(b.add(c, i)) for i in range(self.size)] for c in corner[1:])

            def load(i: int, j: int) -> Value:
                points = Points(self.frame, self.lanes)
                return points.vector(points.value(self.source, [image, down[i], across[j], channel]))

            self.transform(load, target, b.add(base, loop.iv))

    def border(
        self, corner: tuple[Value, Value, Value], target: Planes, base: Value, start: Value, begin: Value, there: Value
    ) -> None:
        """The channels from `begin`, by way of a patch that is zero where the tile is outside of the image."""
        b, size, patch = self.b, self.size, self.patch
        assert patch is not None
        zero = b.constant(0.0, self.vector)
        for i in range(size * size):
            b.vstore(zero, patch, [i, 0])
        bounds = [
            (b.max(b.sub(0, place), b.index(0)), b.min(b.sub(extent, place), b.index(size)))
            for place, extent in zip(corner[1:], (self.height, self.width), strict=True)
        ]
        with b.for_(begin, there, self.lanes) as loop:
            mask = b.mask(b.sub(there, loop.iv), self.lanes) if self.channels % self.lanes else None
            with b.for_(*bounds[0]) as down, b.for_(*bounds[1]) as across:
                points = Points(self.frame, self.lanes, mask)
                place = [corner[0], b.add(corner[1], down.iv), b.add(corner[2], across.iv)]
                at = [*map(LaneIndex, place), LaneIndex(b.add(start, loop.iv), 1)]
                value = points.vector(points.value(self.source, at))
                b.vstore(value, patch, [b.add(b.mul(down.iv, size), across.iv), 0])
            load = lambda i, j: b.vload(patch, [i * size + j, 0], self.lanes)
            self.transform(load, target, b.add(base, loop.iv))

    def transform(self, load: Callable[[int, int], Value], target: Planes, at: Value) -> None:
        """Along the columns, then along the rows, a group of rows at a time.

        The next group loads again what it needs: all together would be more values than there are registers.
        """
        b, points = self.b, self.tiles.step + 2
        for rows, make in self.groups:
            columns = [make(b, Column(partial(_exchanged, load, j))) for j in range(self.size)]
            for row, line in zip(rows, zip(*columns, strict=True), strict=True):
                made = {n: value for ns, one in self.groups for n, value in zip(ns, one(b, line), strict=True)}
                for column, value in made.items():
                    b.vstore(value, target[0], [b.add(target[1], row * points + column), at])


class GatherParts:
    """As Gather, from images that stand side by side, their channels one after the other; whole vectors of each."""

    def __init__(
        self,
        frame: Frame,
        sources: Sequence[Value],
        tiles: Tiles,
        low: Sequence[int],
        size: int,
        groups: GroupsOf,
        lanes: int,
    ):
        self.b = frame.b
        self.parts = [Gather(frame, source, tiles, low, size, groups, lanes) for source in sources]

    def run(self, first: Value, tiles: Value, target: Planes, width: int, start: Value) -> None:
        b = self.b
        before = 0
        for part in self.parts:
            inner, skip = (b.max(v, b.index(0)) for v in (b.sub(start, before), b.sub(before, start)))
            part.run(first, tiles, target, width, inner, skip)
            before += part.channels

    def clear(self, first: Value, last: Value, target: Planes, width: int) -> None:
        self.parts[0].clear(first, last, target, width)


def sources_of(image: Value, lanes: int) -> list[Value] | None:
    """The images that are one side by side, each of whole vectors; None where a part is not."""
    made = image.defining_op
    if made is None or made.name != "tensor.concat":
        return [image]
    parts = list(made.operands)
    return parts if made["dim"] == 3 and all(image_shape(v)[2] % lanes == 0 for v in parts) else None


def _exchanged(load: Callable[[int, int], Value], j: int, i: int) -> Value:
    return load(i, j)


def image_shape(value: Value) -> tuple[int, int, int]:
    """Height, width and features of a tensor [b, h, w, c]."""
    assert isinstance(value.type, TensorType)
    height, width, features = value.type.shape[1:]
    assert isinstance(height, int) and isinstance(width, int) and isinstance(features, int)
    return height, width, features
