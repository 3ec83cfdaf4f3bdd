"""product_sums: matrix products that are added up, in the register tiles of one (see register_tile, contraction).

    C[m, n] = epilogue(sum_k A[m, k] * B[k, n] + sum_l D[m, l] * E[l, n] + ..)

    for tile:
        accumulator[rows][vectors] = init
        for k: accumulate A[m, k] * B[k, n]
        for l: accumulate D[m, l] * E[l, n]         -- on the same accumulators
        epilogue(accumulator) -> store

Each product goes on from the sums of the one before, its init. Traffic: that of the products, C once instead of once
for each product and twice for each addition.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import prod

from kcompile.codegen.target import Target
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.strategies.contraction import has_windows, is_multiply_add
from kcompile.strategies.parts import register_tile, tile_choice
from kcompile.strategies.parts.early_reads import streamed_operand
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.register_tile import Nest, Place
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import ALIASED, Tile


def chain(kernel: Kernel) -> list[Generic]:
    """The roots of a kernel, if there are several and each goes on from the result of the one before."""
    if len(kernel.roots) < 2 or any(op.name != "linalg.generic" or len(op.results) != 1 for op in kernel.roots):
        return []
    views = [generic(op) for op in kernel.roots]
    for before, view in pairwise(views):
        if view.inits[0] is not before.op.result or not before.op.result.has_one_use:
            return []
        if view.parallel != before.parallel or view.output_maps != before.output_maps:
            return []
    return views


def match(kernel: Kernel, target: Target) -> Tile | None:
    """The tile of the last product, in its part of the second-level cache, as far as it suits the others."""
    views = chain(kernel)
    if not views or not all(is_multiply_add(view) and not has_windows(view) for view in views):
        return None
    if not tile_choice.results_fit(kernel, views[-1]):
        return None
    steps = [prod(n for d in view.reductions if isinstance(n := view.extents()[d], int)) for view in views]
    part = replace(target, l2=target.l2 * steps[-1] // max(1, sum(steps)))
    tile = tile_choice.choose(views[-1], part, tile_choice.may_replace(kernel, views[-1]))
    if tile is None or any(tile_choice.lane_dim(view) != tile.lane_dim for view in views):
        return None
    operands = [pair for view in views for pair in view.operands_read]
    aliased = any(tile_choice.row_stride(v, m, tile.row_dim) % ALIASED == 0 for v, m in operands if tile.row_dim >= 0)
    return replace(tile, rows=min(tile.rows, 8)) if aliased else tile


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    frame = Frame(kernel)
    views = chain(kernel)
    _Nest(frame, kernel, views, tile).run()
    if register_tile.computes_once(views[-1], tile):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"product_sums{{{tile}}}")


class _Nest(Nest):
    """The loops of the last product, and in every tile those of the others before its own."""

    def __init__(self, frame: Frame, kernel: Kernel, views: list[Generic], tile: Tile):
        super().__init__(frame, kernel, views[-1], tile)
        self.products = views
        self.streams = [streamed_operand(kernel, view, tile) for view in views]

    def at(self, view: Generic) -> None:
        """Go on with the sums of one product; the other dims are the same in all."""
        self.view, self.extents = view, view.extents()
        self.streamed = self.streams[self.products.index(view)]

    def initial(self, point: Place, mask: Value | None, cache: dict[object, Value]) -> Value:
        self.at(self.products[0])
        made = super().initial(point, mask, cache)
        self.at(self.products[-1])
        return made

    def sums(self, points: list[Place], masks: list[Value | None], start: list[Value]) -> list[Value]:
        for view in self.products:
            self.at(view)
            start = super().sums(points, masks, start)
        return start
