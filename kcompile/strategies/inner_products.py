"""inner_products: sums of products for a few features, with the lanes along what is summed.

    y[p, f] = epilogue(sum_{.., k} x[p, .., k] * w[f, .., k])      f up to 4: one channel of a mask, three of a picture

    for tile of `lanes` positions p in this worker's share:
        for `rows` of them at a time:
            accumulator[rows][f] += x[p, .., k .. k + lanes) * w[f, .., k .. k + lanes)
            fold: the lanes of `rows` accumulators are added in pairs, which leaves one vector
        fold further: a vector whose lane i is the sum for position i of the tile, for each f
        epilogue(vector) -> store, lane by lane where the features lie between them

With the lanes along the features 12 to 15 of 16 would be idle. Adding lanes in pairs while transposing takes 3
operations a sum; the order is the same for every position. Traffic: x once, w from the first-level cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import VectorType
from kcompile.strategies.contraction import products_of_one_whole
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.placement import placed
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic, is_static
from kcompile.strategies.parts.tile_choice import least

MOST_FEATURES = 4
UNROLLED_STEPS = 8  # steps of the sum that have no loop
Place = dict[int, LaneIndex]  # dims of the iteration space


@dataclass(frozen=True, slots=True)
class Folded:
    """rows: positions at a time; lanes: elements of a vector; roots: phases of one result."""

    rows: int
    lanes: int
    roots: int


def match(kernel: Kernel, target: Target) -> Folded | None:
    views = products_of_one_whole(kernel)
    if not views:
        return None
    values = [v for view in views for v in (*(x for x, _ in view.operands_read), view.op.result)]
    lanes = target.lanes(max((t.element_of(v.type) for v in values), key=t.bitwidth))
    if lanes < 2 or not all(_fits(view, lanes) for view in views):
        return None
    features = views[0].extents()[_dims(views[0])[1]]
    assert isinstance(features, int)
    # accumulators, the vectors of all rows and features, and one more
    held = next(r for r in (8, 4, 2, 1) if r == 1 or r * features + r + features < target.registers)
    return Folded(min(held, lanes), lanes, len(views))


def _dims(view: Generic) -> tuple[int, int]:
    """The dims of the positions and of the features; -1 where the result does not end in them."""
    out = [e.dim for e in view.output_maps[0].results]
    if len(out) < 2 or None in out:
        return -1, -1
    return out[-2], out[-1]  # type: ignore[return-value]


def _fits(view: Generic, lanes: int) -> bool:
    row, feature = _dims(view)
    if row < 0 or len(view.operands_read) != 2:
        return False
    extents, inner = view.extents(), view.reductions[-1]
    few, long = extents[feature], extents[inner]
    if not isinstance(few, int) or not 0 < few <= MOST_FEATURES or not isinstance(long, int) or long < lanes:
        return False
    if least(extents[row]) < lanes or not is_static([extents[d] for d in view.reductions]):
        return False
    uses = [map_.used_dims() for _, map_ in view.operands_read]
    weights = [used for used in uses if feature in used]
    if len(weights) != 1 or not weights[0] <= {feature, *view.reductions}:
        return False  # both depend on the feature, or the weights on the position
    for _, map_ in view.operands_read:
        strides = [e.coefficient(inner) for e in map_.results]
        if any(strides[:-1]) or strides[-1:] != [1]:
            return False
    return True


def emit(kernel: Kernel, parameters: Folded, target: Target) -> Operation:
    frame = Frame(kernel)
    for root in kernel.roots:
        _Emitter(frame, kernel, generic(root), parameters).run()
    counts = [generic(root).extents()[_dims(generic(root))[0]] for root in kernel.roots]
    if all(isinstance(n, int) and n % parameters.lanes == 0 for n in counts):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"inner_products{{rows={parameters.rows}, lanes={parameters.lanes}, roots={parameters.roots}}}")


class Folding:
    """Sums with the lanes along the innermost dim of what is summed, and the addition of their lanes."""

    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, lanes: int):
        self.frame, self.kernel, self.view = frame, kernel, view
        self.b, self.lanes = frame.b, lanes
        self.extents = view.extents()

    def sums(self, points: list[Place]) -> list[Value]:
        """The lanes of the sums at some points."""
        element = t.element_of(self.view.op.result.type)
        zero = self.b.constant(0.0 if t.is_float(element) else 0, VectorType((self.lanes,), element))
        return self.reduce(list(self.view.reductions), {}, points, [zero] * len(points))

    def reduce(self, dims: list[int], at: Place, points: list[Place], sums: list[Value]) -> list[Value]:
        b, dim, rest = self.b, dims[0], dims[1:]
        size = self.extents[dim]
        assert isinstance(size, int)
        counts = [n for n in (self.extents[d] for d in dims) if isinstance(n, int)]
        steps = prod(counts[:-1]) * -(-counts[-1] // self.lanes)
        if not rest:
            whole = size // self.lanes * self.lanes
            if steps <= UNROLLED_STEPS:
                for start in range(0, whole, self.lanes):
                    sums = self.step({**at, dim: LaneIndex(b.index(start), 1)}, points, None, sums)
            else:
                with b.for_(b.index(0), b.index(whole), self.lanes, sums) as loop:
                    loop.yield_(self.step({**at, dim: LaneIndex(loop.iv, 1)}, points, None, list(loop.args)))
                sums = list(loop.results)
            if whole < size:
                mask = b.mask(b.index(size - whole), self.lanes)
                sums = self.step({**at, dim: LaneIndex(b.index(whole), 1)}, points, mask, sums)
            return sums
        if steps <= UNROLLED_STEPS:
            for i in range(size):
                sums = self.reduce(rest, {**at, dim: LaneIndex(b.index(i))}, points, sums)
            return sums
        with b.for_(b.index(0), b.index(size), 1, sums) as loop:
            loop.yield_(self.reduce(rest, {**at, dim: LaneIndex(loop.iv)}, points, list(loop.args)))
        return list(loop.results)

    def step(self, at: Place, points: list[Place], mask: Value | None, sums: list[Value]) -> list[Value]:
        """One vector of the reduction for every sum; lanes past the end are zero times zero."""
        cache: dict[object, Value] = {}
        made = []
        for point, total in zip(points, sums, strict=True):
            evaluator = Points(self.frame, self.lanes, mask, cache=cache)
            dims = [at[d] if d in at else point[d] for d in range(self.view.dims)]
            new = evaluator.vector(evaluator.generic_body(self.view.op, dims, [total])[0])
            made.append(new if mask is None else self.b.select(mask, new, total))
        return made

    def fold(self, vectors: list[Value], distance: int) -> list[Value]:
        """Add lanes `distance`, 2 `distance`, .. apart, two vectors to one, until one is left."""
        b, lanes = self.b, self.lanes
        while len(vectors) > 1:
            low = [j if not j & distance else lanes + j - distance for j in range(lanes)]
            high = [j + distance if not j & distance else lanes + j for j in range(lanes)]
            vectors = [
                b.add(b.shuffle(x, y, low), b.shuffle(x, y, high))
                for x, y in zip(vectors[::2], vectors[1::2], strict=True)
            ]
            distance *= 2
        return vectors


class _Emitter(Folding):
    def __init__(self, frame: Frame, kernel: Kernel, view: Generic, parameters: Folded):
        super().__init__(frame, kernel, view, parameters.lanes)
        self.rows = parameters.rows
        self.row, self.feature = _dims(view)
        features = self.extents[self.feature]
        assert isinstance(features, int)
        self.features = [LaneIndex(self.b.index(i)) for i in range(features)]
        self.outer = [d for d in view.parallel if d not in (self.row, self.feature)]

    def run(self) -> None:
        b, lanes = self.b, self.lanes
        size = self.frame.size(self.extents[self.row])
        tiles = b.floordiv(b.add(size, b.index(lanes - 1)), b.index(lanes))
        with self.frame.parallel([*(self.extents[d] for d in self.outer), tiles]) as at:
            outer: Place = {d: LaneIndex(i) for d, i in zip(self.outer, at[:-1], strict=True)}
            first = b.min(b.mul(at[-1], b.index(lanes)), b.sub(size, b.index(lanes)))
            parts: list[list[Value]] = [[] for _ in self.features]
            for start in range(0, lanes, self.rows):
                rows = [LaneIndex(b.add(first, b.index(start + i))) for i in range(self.rows)]
                sums = self.sums([{**outer, self.row: r, self.feature: f} for r in rows for f in self.features])
                for f, part in enumerate(parts):
                    part += self.fold(sums[f :: len(parts)], 1)
            totals = [self.fold(part, self.rows)[0] for part in parts]
            self.finish({**outer, self.row: LaneIndex(first, 1)}, totals)

    def finish(self, place: Place, totals: list[Value]) -> None:
        """The epilogue along the positions, and the store of every result of the kernel."""
        b = self.b
        cache: dict[object, Value] = {}
        stores = []
        for feature, total in zip(self.features, totals, strict=True):
            at: Place = {**place, self.feature: feature}
            where = [at[e.dim] for e in self.view.output_maps[0].results]  # type: ignore[index]
            start = Points(self.frame, self.lanes, cache=cache)
            total = b.add(start.vector(start.value(self.view.inits[0], where)), total)
            whole, indices = placed(self.frame, self.view.op.result, where)
            points = Points(self.frame, self.lanes, None, {whole: total}, {})
            stores += [(points.vector(points.value(result, indices)), indices) for result in self.kernel.outputs]
        outputs = [*self.frame.outputs] * len(totals)
        for lane, ((value, indices), memref) in product(range(self.lanes), zip(stores, outputs, strict=True)):
            spots = [LaneIndex(b.add(i.base, b.index(i.stride * lane))) for i in indices]
            Points(self.frame, 1).store(b.extract(value, lane), memref, spots)
