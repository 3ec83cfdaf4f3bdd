"""The product of a separable kernel for features that end in the first half of a vector: two pixels to a vector.

    d, as it is in scratch:   d[pixel, c], d[pixel + 1, c], d[pixel, c + 1], d[pixel + 1, c + 1], ..     pixel even
    the weights, as well:     u[c, o], u[c, o], u[c, o + 1], u[c, o + 1], ..

    for tile of pairs of pixels:  sums[pairs][vectors] of (y[pixel, o], y[pixel + 1, o], y[pixel, o + 1], ..)
        for c:  load the weights of c once;  for pair: broadcast its two elements, add to its sums
        for pixel: its lanes of the sums;  epilogue -> store

24 features are 1.5 vectors of 16, so that a pixel alone would take two and a pair takes three. One load brings the
elements of two pixels, so that 16 features are limited by multiply-adds, and no longer by loads. The order of a sum is
that of register_tile.
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.register_tile import Nest
from kcompile.strategies.parts.structured import Generic, Kernel
from kcompile.strategies.parts.tile_choice import rows_limit

MOST_VECTORS = 7  # of a pair: three pairs of them are 21 sums


def choose(kernel: Kernel, product: Generic, columns: int, target: Target) -> tuple[int, int] | None:
    """Pairs and vectors of a tile, or None where single pixels are as good."""
    weights, (_, features) = product.inputs[1], t.shape_of(product.op.results[0].type)[-2:]
    if columns % 2 or not isinstance(features, int) or weights not in kernel.inputs or len(product.parallel) != 4:
        return None
    if any(t.element_of(v.type) is not t.f32 for v in (*product.inputs, product.op.results[0])):
        return None
    if [e.dim for e in product.input_maps[1].results] != [*product.reductions, 3]:
        return None
    lanes = target.lanes(t.f32)
    vectors = -(-2 * features // lanes)
    halved = 0 < features % lanes <= lanes // 2
    if lanes < 4 or vectors > MOST_VECTORS or not (halved or features == lanes):
        return None
    pairs = columns // 2
    most = min(pairs, rows_limit(vectors, target))
    return min(range(1, most + 1), key=lambda n: (-(-pairs // n) * (n + 0.5), -n)), vectors


class Pairs:
    """The code of the product. `d` is [1, row, pair, two elements a channel]; `nest` has the epilogue."""

    def __init__(self, nest: Nest, d: Value, pairs: int, vectors: int, lanes: int):
        self.nest, self.d, self.pairs, self.vectors, self.lanes = nest, d, pairs, vectors, lanes
        self.frame, self.b = nest.frame, nest.b
        (reduced,) = nest.view.reductions
        self.channels = nest.fixed(reduced)
        self.weights = self.frame.scratch((self.channels, vectors * lanes), t.f32)

    def spread_weights(self) -> None:
        """Every weight twice, side by side."""
        b, half = self.b, self.lanes // 2
        source, features = self.frame.memref[self.nest.view.inputs[1]], self.nest.fixed(3)
        with b.for_(0, self.channels) as c:
            for j in range(self.vectors):
                count = min(half, features - j * half)
                place = [c.iv, b.index(j * half)]
                few = b.vload(source, place, half) if count == half else None
                if few is None:
                    zero = b.constant(0.0, VectorType((half,), t.f32))
                    few = b.masked_load(source, place, b.mask(count, half), zero)
                twice = b.shuffle(few, few, [i // 2 for i in range(self.lanes)])
                b.vstore(twice, self.weights, [c.iv, b.index(j * self.lanes)])

    def run(self, image: Value, first: Value, band: int) -> None:
        """The rows of a band of an image, from `first` on."""
        b, pairs = self.b, self.nest.fixed(2) // 2
        with b.for_(0, band) as row, b.for_(0, -(-pairs // self.pairs)) as tile:
            left = b.min(b.mul(tile.iv, b.index(self.pairs)), b.index(pairs - self.pairs))
            at = {0: LaneIndex(image), 1: LaneIndex(b.add(first, row.iv))}
            self.finish(at, left, self.sums(row.iv, left))

    def sums(self, row: Value, left: Value) -> list[Value]:
        b, lanes = self.b, self.lanes
        zero = b.constant(0.0, VectorType((lanes,), t.f32))
        with b.for_(0, self.channels, 1, [zero] * (self.pairs * self.vectors)) as c:
            weights = [b.vload(self.weights, [c.iv, b.index(j * lanes)], lanes) for j in range(self.vectors)]
            made = list(c.args)
            for p in range(self.pairs):
                two = b.vload(self.d, [b.index(0), row, b.add(left, b.index(p)), b.mul(c.iv, b.index(2))], 2)
                two = b.shuffle(two, two, [i % 2 for i in range(lanes)])
                for j, weight in enumerate(weights, start=p * self.vectors):
                    made[j] = b.fma(two, weight, made[j])
            c.yield_(made)
        return list(c.results)

    def finish(self, at: dict[int, LaneIndex], left: Value, sums: list[Value]) -> None:
        """Each pixel's own lanes, and the epilogue of them."""
        b, lanes, features = self.b, self.lanes, self.nest.fixed(3)
        cache: dict[object, Value] = {}
        for p in range(self.pairs):
            mine = sums[p * self.vectors : (p + 1) * self.vectors]
            for which in range(2):
                column = b.add(b.mul(b.add(left, b.index(p)), b.index(2)), b.index(which))
                for start in range(0, features, lanes):
                    low, high = (mine[min(j, self.vectors - 1)] for j in (2 * start // lanes, 2 * start // lanes + 1))
                    total = b.shuffle(low, high, [2 * i + which for i in range(lanes)])
                    rest = features - start
                    mask = b.mask(rest, lanes) if rest < lanes else None
                    place = {**at, 2: LaneIndex(column), 3: LaneIndex(b.index(start), 1)}
                    self.nest.finish(place, mask, [total], cache)


def interleaved(b: LoopBuilder, x: Value, y: Value) -> list[Value]:
    """x0, y0, x1, y1, .. as two vectors."""
    (lanes,) = t.shape_of(x.type)
    assert isinstance(lanes, int)
    order = [i // 2 + i % 2 * lanes for i in range(2 * lanes)]
    return [b.shuffle(x, y, order[:lanes]), b.shuffle(x, y, order[lanes:])]
