"""column_sums: several reductions over the same axes, and elementwise results over all of them, in one sweep.

    s1[n, c], s2[n, c], y[n, h, w, c]:      for (n, tile of c) in this worker's share:
        accumulators[sums][vectors] = init
        for h, w: for vector of the tile: evaluate everything at the point; accumulate; store what has all axes
        epilogue(accumulators) -> store

The two sums of a batch norm's gradient read their operands once for both; the gradient of a bias is summed up while
what it is summed over is stored. The order of each sum is that of its own kernel. Traffic: operands and results once.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.slices import backward_slice
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import lane_dim, reduction_order

Place = dict[int, LaneIndex]  # dims of the iteration space


@dataclass(frozen=True, slots=True)
class Columns:
    """lanes: elements of a vector; vectors: of a tile."""

    lanes: int
    vectors: int


def match(kernel: Kernel, target: Target) -> Columns | None:
    """Reductions over one space that do not need each other, with more than one thing to compute."""
    if kernel.function.get("kernel.root") != "column_sums":
        return None
    views = [generic(op) for op in kernel.roots]
    first, order = views[0], axes_of(views[0])
    lane = lane_dim(first)
    if lane is None or order[-1] != lane:
        return None
    for view in views:
        plain = [e.dim for e in view.output_maps[0].results] == list(view.parallel)
        if not plain or view.iterators != first.iterators or view.extents() != first.extents():
            return None
        if lane_dim(view) != lane or any(depends(v, kernel.roots) for v in view.inputs):
            return None
    extents = first.extents()
    full, small = tuple(extents[d] for d in order), tuple(extents[d] for d in first.parallel)
    shapes = [t.shape_of(v.type) for v in kernel.outputs]
    if full == small or any(shape not in (full, small) for shape in shapes) or (len(views) == 1 and full not in shapes):
        return None
    if any(shape == full and depends(v, kernel.roots) for v, shape in zip(kernel.outputs, shapes, strict=True)):
        return None
    widest = max((t.element_of(v.type) for v in (*kernel.outputs, *kernel.inputs)), key=t.bitwidth)
    lanes, size = target.lanes(widest), extents[lane]
    assert isinstance(size, int)
    # a wide tile: rows are then read in long runs, and a row that fits one tile (two sums of 192 channels) in order
    whole, most = -(-size // lanes), max(1, target.registers * 3 // 4 // len(views))
    return Columns(lanes, -(-whole // -(-whole // most)))


def axes_of(view: Generic) -> list[int]:
    """The dims in the order of the axes: what stays, what is reduced, the lanes; so fuse-sums puts them together."""
    return [*view.parallel[:-1], *view.reductions, *view.parallel[-1:]]


def depends(value: Value, roots: tuple[Operation, ...]) -> bool:
    """Whether a value is made from the result of one of the roots."""
    return any(made.defining_op in roots for made in backward_slice([value]))


def emit(kernel: Kernel, parameters: Columns, target: Target) -> Operation:
    frame = Frame(kernel)
    _Emitter(frame, kernel, parameters).run()
    frame.function["kernel.once"] = UnitAttr()
    made = f"lanes={parameters.lanes}, vectors={parameters.vectors}, sums={len(kernel.roots)}"
    return frame.finish(f"column_sums{{{made}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, parameters: Columns):
        self.frame, self.kernel, self.b = frame, kernel, frame.b
        self.lanes, self.vectors = parameters.lanes, parameters.vectors
        self.views = [generic(op) for op in kernel.roots]
        first = self.views[0]
        order, lane = axes_of(first), lane_dim(first)
        assert lane is not None
        self.order, self.lane = order, lane
        self.extents, self.steps = first.extents(), reduction_order(first)
        self.outer = [d for d in first.parallel if d != lane]
        size = self.extents[lane]
        assert isinstance(size, int)
        self.size = size
        full = tuple(self.extents[d] for d in order)
        pairs = list(zip(kernel.outputs, frame.outputs, strict=True))
        self.wide = [pair for pair in pairs if t.shape_of(pair[0].type) == full]
        self.small = [pair for pair in pairs if t.shape_of(pair[0].type) != full]

    def run(self) -> None:
        width = self.vectors * self.lanes
        whole, rest = divmod(self.size, width)
        if whole:
            self.tiles(whole, 0, self.vectors, None)
        if rest:
            tail = rest % self.lanes
            mask = self.b.mask(self.b.index(tail), self.lanes) if tail else None
            self.tiles(1, whole * width, -(-rest // self.lanes), mask)

    def tiles(self, count: int, start: int, vectors: int, mask: Value | None) -> None:
        """`count` tiles of so many vectors, the last vector of each under the mask."""
        b = self.b
        masks: list[Value | None] = [*[None] * (vectors - 1), mask]
        with self.frame.parallel([*(self.extents[d] for d in self.outer), count]) as at:
            outer: Place = {d: LaneIndex(i) for d, i in zip(self.outer, at[:-1], strict=True)}
            first = b.add(b.mul(at[-1], b.index(vectors * self.lanes)), b.index(start))
            columns = [LaneIndex(b.add(first, b.index(j * self.lanes)), 1) for j in range(vectors)]
            places: list[Place] = [{**outer, self.lane: column} for column in columns]
            sums = [self.initial(view, place, m) for place, m in zip(places, masks, strict=True) for view in self.views]
            sums = self.reduce(self.steps, {}, places, masks, sums)
            for j, (place, m) in enumerate(zip(places, masks, strict=True)):
                self.finish(place, m, sums[j * len(self.views) : (j + 1) * len(self.views)])

    def initial(self, view: Generic, place: Place, mask: Value | None) -> Value:
        points = Points(self.frame, self.lanes, mask)
        start = points.vector(points.value(view.inits[0], [place[d] for d in view.parallel]))
        assert isinstance(start.type, VectorType) or self.lanes == 1
        return start

    def reduce(
        self, dims: list[int], at: Place, places: list[Place], masks: list[Value | None], sums: list[Value]
    ) -> list[Value]:
        if not dims:
            made = []
            for j, (place, mask) in enumerate(zip(places, masks, strict=True)):
                made += self.point({**at, **place}, mask, sums[j * len(self.views) : (j + 1) * len(self.views)])
            return made
        with self.b.for_(self.b.index(0), self.frame.size(self.extents[dims[0]]), 1, sums) as loop:
            loop.yield_(self.reduce(dims[1:], {**at, dims[0]: LaneIndex(loop.iv)}, places, masks, list(loop.args)))
        return list(loop.results)

    def point(self, place: Place, mask: Value | None, sums: list[Value]) -> list[Value]:
        """Everything at one vector; stored when all of it is read, as a result may replace an operand."""
        points = Points(self.frame, self.lanes, mask)
        dims = [place[d] for d in range(len(self.extents))]
        made = [
            points.vector(points.generic_body(view.op, dims, [total])[0])
            for view, total in zip(self.views, sums, strict=True)
        ]
        indices = [place[d] for d in self.order]
        for value, memref in [(points.value(value, indices), memref) for value, memref in self.wide]:
            points.store(value, memref, indices)
        return made

    def finish(self, place: Place, mask: Value | None, totals: list[Value]) -> None:
        """The epilogues of the sums, and their stores."""
        bound = {view.op.result: total for view, total in zip(self.views, totals, strict=True)}
        points = Points(self.frame, self.lanes, mask, bound)
        indices = [place[d] for d in self.views[0].parallel]
        for value, memref in [(points.value(value, indices), memref) for value, memref in self.small]:
            points.store(value, memref, indices)
