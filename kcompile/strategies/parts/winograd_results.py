"""The results of Winograd convolutions: from the points back to pixels, through the epilogue of the kernel.

    for tile: for vector of features:     M[point][tile][feature]  ->  A' m A  ->  epilogue  ->  m x m results
                                                                                -> windows of them, pooled

Tiles that stick out of the result store only what exists, and are not pooled.
"""

from __future__ import annotations

from itertools import product

from kcompile.dialects.graph.winograd import PAIRS
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.winograd_transforms import Planes, Tiles, image_shape, transform_outputs

UNROLLED_EPILOGUE = 12  # operations an element; a longer epilogue is a loop over the tile instead of m x m copies


class Scatter:
    """Brings M[plane of the point, tile * width + feature] of tiles back to results, through the epilogue of a kernel.

    factors     of an upsampling, down and across: a pixel of a tile is one of so many neighbours, its phase says which
    """

    def __init__(
        self, frame: Frame, kernel: Kernel, root: Value, tiles: Tiles, lanes: int, factors: tuple[int, int] = (1, 1)
    ):
        self.frame, self.kernel, self.root, self.tiles, self.lanes = frame, kernel, root, tiles, lanes
        self.b, self.factors = frame.b, factors
        self.height, self.width, self.features = image_shape(root)
        self.vector = VectorType((lanes,), t.element_of(root.type))
        self.patch = self.b.alloca((tiles.step**2, lanes), self.vector.element)
        self.pool = generic(kernel.roots[1]) if len(kernel.roots) > 1 else None
        pairs = list(zip(kernel.outputs, frame.outputs, strict=True))
        shape = t.shape_of(root.type)
        self.outputs = [pair for pair in pairs if t.shape_of(pair[0].type) == shape]
        self.pooled = [pair for pair in pairs if t.shape_of(pair[0].type) != shape]

    def is_whole(self) -> bool:
        """Whether no tile sticks out of the result."""
        sizes = zip((self.height, self.width), self.factors, self.tiles.grid, strict=True)
        return all(size == factor * count * self.tiles.step for size, factor, count in sizes)

    def run(
        self, first: Value, tiles: Value, source: Planes, width: int, start: Value, phase: tuple[Value, Value]
    ) -> None:
        """The results of tiles first .. first + tiles for `width` features from `start`, as far as there are."""
        b, size, pairs = self.b, self.tiles.step + 2, PAIRS[self.tiles.step]
        until = b.min(b.sub(self.features, start), b.index(width))
        with b.for_(0, tiles) as loop:
            image, *corner = self.tiles.place(b.add(first, loop.iv))
            row, column = (
                b.add(b.mul(at, factor), offset) for at, factor, offset in zip(corner, self.factors, phase, strict=True)
            )
            base = b.mul(loop.iv, width)
            with b.for_(0, until, self.lanes) as feature:
                at = b.add(base, feature.iv)
                planes = [[b.add(source[1], i * size + j) for j in range(size)] for i in range(size)]
                rows = [[b.vload(source[0], [plane, at], self.lanes) for plane in line] for line in planes]
                columns = [transform_outputs(b, column, pairs) for column in zip(*rows, strict=True)]
                lines = [transform_outputs(b, row, pairs) for row in zip(*columns, strict=True)]
                made = [value for line in lines for value in line]
                self.one_tile((image, row, column), b.add(start, feature.iv), made)

    def one_tile(self, place: tuple[Value, Value, Value], feature: Value, made: list[Value]) -> None:
        b, step = self.b, self.tiles.step
        unrolled = self.pool is not None or self.epilogue_work() <= UNROLLED_EPILOGUE
        if unrolled and self.is_whole() and self.features % self.lanes == 0:
            self.straight(place, feature, made)
            return
        sizes = zip((self.height, self.width), place[1:], self.factors, strict=True)
        bounds = [b.min(b.ceildiv(b.sub(n, start), factor), b.index(step)) for n, start, factor in sizes]
        if not unrolled:
            self.one_by_one(place, feature, made, bounds)
            return
        whole = b.cmp("le", b.add(feature, self.lanes), b.index(self.features))
        for bound in bounds:
            whole = b.and_(whole, b.cmp("eq", bound, b.index(step)))
        with b.if_(whole) as branch:
            self.straight(place, feature, made)
            branch.yield_([])
            with branch.else_():
                self.one_by_one(place, feature, made, bounds)

    def straight(self, place: tuple[Value, Value, Value], feature: Value, made: list[Value]) -> None:
        """A whole tile, from registers to memory."""
        b, step = self.b, self.tiles.step
        cache: dict[object, Value] = {}
        rows, columns = (
            [LaneIndex(b.add(start, i * factor)) for i in range(step)]
            for start, factor in zip(place[1:], self.factors, strict=True)
        )
        for number, value in enumerate(made):
            at = [LaneIndex(place[0]), rows[number // step], columns[number % step], LaneIndex(feature, 1)]
            self.finish(value, at, None, cache)
        if self.pool is not None:
            self.pool_tile(self.pool, place, feature, made, (rows, columns), cache)

    def pool_tile(
        self,
        view: Generic,
        place: tuple[Value, Value, Value],
        feature: Value,
        made: list[Value],
        lines: tuple[list[LaneIndex], list[LaneIndex]],
        cache: dict[object, Value],
    ) -> None:
        """The windows of a whole tile, from the values that the epilogue gives there."""
        b, step, (rows, columns) = self.b, self.tiles.step, lines
        down, across = (view.extents()[d] for d in view.reductions)
        assert isinstance(down, int) and isinstance(across, int)
        (source, _), argument = view.operands_read[0], next(a for a in view.body.arguments if a.uses)
        for i, j in product(range(step // down), range(step // across)):
            row, column = (
                b.add(b.floordiv(at, n), k) for at, n, k in zip(place[1:], (down, across), (i, j), strict=True)
            )
            at = [LaneIndex(place[0]), LaneIndex(row), LaneIndex(column), LaneIndex(feature, 1)]
            points = Points(self.frame, self.lanes)
            total = points.vector(points.value(view.inits[0], at))
            for y, x in product(range(i * down, (i + 1) * down), range(j * across, (j + 1) * across)):
                inner = Points(self.frame, self.lanes, None, {self.root: made[y * step + x]}, cache)
                value = inner.vector(inner.value(source, [at[0], rows[y], columns[x], at[3]]))
                total = inner.inline(view.body, {argument: value, view.body.arguments[-1]: total})[0]
            points = Points(self.frame, self.lanes, None, {view.op.result: total})
            for value, memref in [(points.value(result, at), memref) for result, memref in self.pooled]:
                points.store(value, memref, at)

    def one_by_one(
        self, place: tuple[Value, Value, Value], feature: Value, made: list[Value], bounds: list[Value]
    ) -> None:
        """The rows and columns of a tile that there are, by way of a patch."""
        b, (down, across) = self.b, self.factors
        for i, value in enumerate(made):
            b.vstore(value, self.patch, [i, 0])
        mask = b.mask(b.sub(self.features, feature), self.lanes) if self.features % self.lanes else None
        with b.for_(0, bounds[0]) as row, b.for_(0, bounds[1]) as column:
            value = b.vload(self.patch, [b.add(b.mul(row.iv, self.tiles.step), column.iv), 0], self.lanes)
            at = [place[0], b.add(place[1], b.mul(row.iv, down)), b.add(place[2], b.mul(column.iv, across))]
            self.finish(value, [*map(LaneIndex, at), LaneIndex(feature, 1)], mask, {})

    def finish(self, value: Value, at: list[LaneIndex], mask: Value | None, cache: dict[object, Value]) -> None:
        """The epilogue, and the store of every result of the kernel."""
        points = Points(self.frame, self.lanes, mask, {self.root: value}, cache)
        values = [(points.value(result, at), memref) for result, memref in self.outputs]
        for value, memref in values:  # a result may replace an operand
            points.store(value, memref, at)

    def epilogue_work(self) -> int:
        """Operations an element of the result."""
        generics = [op for op in self.kernel.function.body.ops if op.name == "linalg.generic"]
        return sum(1 + 8 * (op.dialect == "math") for generic in generics for op in generic.body.ops)
