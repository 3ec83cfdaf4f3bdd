"""What the next block of long sums reads is asked for while this one is summed up, each tile a share of it.

    tiles of this block    |  tile 0  |  tile 1  |  tile 2  |           their steps read the second-level cache
    ask for                |..  the next block of each operand, from front to back  ..|

The first tile of a block would else wait for memory, and memory for the others: both took their times one after the
other (beyond L3, 24x144 sums of 25088 products 1.25 ms and so 0.7, 16x96 of 100352 2.5 and 1.55, 64x256 of 12800 2.6
and 1.7). The lines are asked for in the order of memory: a stride apart they came half as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from kcompile.codegen.target import LINE
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.dims import nominal
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic
from kcompile.strategies.parts.sum_cut import Sums
from kcompile.strategies.parts.tile_choice import reduction_order, row_stride

MOST_LINES = 2  # of an operand in a step: a tile that needs more reads most of the block anyway
Place = dict[int, LaneIndex]  # dims of the iteration space


@dataclass(frozen=True, slots=True)
class Ask:
    """At step i the elements from `start + i * share` on, as many."""

    memref: Value
    start: list[Value]
    share: int
    line: int


class NextBlock:
    """The prefetches of one root. Where it is cut into pieces, memory is in order only inside of the outer sum."""

    def __init__(self, frame: Frame, view: Generic, cut: Sums, steps_of_block: tuple[int, int]):
        self.frame, self.view, self.b, self.cut = frame, view, frame.b, cut
        self.order, self.steps_of_block = reduction_order(view), steps_of_block
        sizes = [nominal(view.extents()[d]) for d in self.order]
        self.counted = [*map(min, sizes, steps_of_block), *sizes[2:]]  # steps of a tile in a block, by dim
        self.run = 1 if cut.pieces and len(sizes) > 1 else 0  # of the sums, the outermost in the order of memory
        self.level = 1 if len(sizes) > 1 and self.counted[1] < sizes[1] else 0  # of the sums, the one that blocks end

    def asks(self, tile: Value, at: Place, starts: Sequence[Value], ends: Sequence[Value]) -> list[Ask]:
        """What a tile, by its number, asks for in the loop over the steps of `run`; `starts`, `ends`: of its block."""
        b, level = self.b, self.level
        dims = {self.order[0]: LaneIndex(starts[0]), **at, self.order[level]: LaneIndex(ends[level])}
        if self.run:
            dims = self.after(at, ends)
        place = [dims.get(d, LaneIndex(b.index(0))) for d in range(self.view.dims)]
        along, tiles = max(self.run, level), self.cut.tiles(self.view)
        found = []
        for value, map_ in self.view.operands_read:
            stride, bits = row_stride(value, map_, self.order[along]) * 8, t.bitwidth(value.type)
            of_tile = -(-self.counted[along] * stride // (bits * tiles))
            share = -(-of_tile // prod(self.counted[self.run :]))
            if value in self.frame.memref and stride > 8 and share * bits <= MOST_LINES * LINE * 8:
                *start, last = (i.base for i in Points(self.frame, self.cut.lanes).map(map_, place))
                first = b.add(last, b.mul(tile, b.index(of_tile)))
                found.append(Ask(self.frame.memref[value], [*start, first], share, LINE * 8 // bits))
        return found

    def after(self, at: Place, ends: Sequence[Value]) -> Place:
        """Where the next block begins: behind the last one of an inner sum in the next outer step or piece."""
        b, (outer, inner) = self.b, self.order
        following = b.add(at[outer].base, b.index(self.steps_of_block[0]))
        if self.level:
            within = b.cmp("lt", ends[1], self.frame.size(self.view.extents()[inner]))
            following = b.select(within, at[outer].base, b.add(at[outer].base, b.index(1)))
            first = b.select(within, ends[1], b.index(0))
        else:
            first = b.index(0)
        *_, piece = self.cut.pieces
        here = b.cmp("lt", following, self.frame.size(self.view.extents()[outer]))
        places = {outer: b.select(here, following, b.index(0)), inner: first}
        places[piece] = b.select(here, at[piece].base, b.add(at[piece].base, b.index(1)))
        return {**at, **{d: LaneIndex(place) for d, place in places.items()}}

    def ask(self, asked: Sequence[Ask], count: Value) -> None:
        """At a step, `count` of them after the first."""
        b = self.b
        for one in asked:
            *outer, first = one.start
            place = b.add(first, b.mul(count, b.index(one.share)))
            for start in range(0, one.share, one.line):
                b.prefetch(one.memref, [*outer, b.add(place, b.index(start))])
