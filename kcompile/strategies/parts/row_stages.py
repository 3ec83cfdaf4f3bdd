"""Rows of a reduction chain that move on by one reduction a turn, where each row is straight code.

    turn n:   max of row n      |    exp(x - max), sum of row n - 1    |    divide row n - 2 by its sum, store it

A core looks ahead over some two hundred operations that wait: one row's, and all of them for the lanes of its max to be
joined. Here nothing in a turn waits for what the same turn reduces. Totals, and vectors too dear to be computed again,
go from turn to turn in registers; the row itself is loaded again from L1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kcompile.dialects.upstream.builder import constant_value
from kcompile.ir.core import Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.structured import DEAR, generic

if TYPE_CHECKING:
    from kcompile.strategies.row_reduction import Row, RowEmitter

Known = tuple[int, tuple[Value, tuple[LaneIndex, ...]], Value]  # width, tensor and place, vector


class Stages:
    """The loop of one kernel over rows; `line` is the rows that wait for the second reduction .., and to be stored."""

    def __init__(self, emitter: RowEmitter, row: type[Row], sizes: list[Value]):
        self.emitter, self.row, self.sizes, self.b = emitter, row, sizes, emitter.b

    def run(self, begin: Value, end: Value) -> None:
        b, last = self.b, self.b.sub(end, self.b.index(1))
        with b.if_(b.cmp("lt", begin, end)) as branch:
            number = begin
            line: list[Row] = []
            for _ in self.emitter.views:  # until the first row has been through all of them
                number, line = self.turn(number, line, last)
            with b.for_(begin, end, 1, [number, *carried(line)]) as loop:
                values = iter(loop.args[1:])
                number, line = self.turn(loop.args[0], [self.arrived(row, values) for row in line], last)
                loop.yield_([number, *carried(line)])
            branch.yield_()

    def turn(self, number: Value, line: list[Row], last: Value) -> tuple[Value, list[Row]]:
        """A new row enters, all move on, the oldest is stored. At the end the last one enters again, for nothing."""
        emitter, b = self.emitter, self.b
        line = [self.row(0, emitter.place(number, self.sizes)), *line]
        for view, row in zip(emitter.views, line, strict=False):
            row.totals[view.op.results[0]] = emitter.reduce(view, row)
        if len(line) > len(emitter.views):
            emitter.store(line.pop())
        emitter.columns = {}
        return b.min(b.add(number, b.index(1)), last), line

    def arrived(self, row: Row, values: Iterator[Value]) -> Row:
        """A row as the next turn knows it."""
        made = self.row(0, [LaneIndex(next(values)) for _ in row.at])
        made.totals.update({total: next(values) for total in row.totals})
        for width, (tensor, at), _ in dear(row):
            start = constant_value(at[-1].base)
            column = self.emitter.columns.setdefault(start, LaneIndex(self.b.index(start), at[-1].stride))
            made.caches.setdefault(width, {})[tensor, (*made.at, column)] = next(values)
        return made


def carried(line: list[Row]) -> list[Value]:
    """What goes on to the next turn, as `arrived` takes it."""
    values: list[Value] = []
    for row in line:
        values += [index.base for index in row.at]
        values += [total for total in row.totals.values() if isinstance(total, Value)]
        values += [vector for _, _, vector in dear(row)]
    return values


def dear(row: Row) -> list[Known]:
    """The vectors of a row that hold what takes long to compute; its points know places, too."""
    everything = ((width, key, value) for width, known in row.caches.items() for key, value in known.items())
    found = (one for one in everything if isinstance(one[1], tuple) and isinstance(one[1][0], Value))
    return [one for one in found if isinstance(one[2].type, VectorType) and _is_dear(one[1][0])]


def _is_dear(tensor: Value) -> bool:
    made = tensor.defining_op
    return made is not None and made.name == "linalg.generic" and any(op.name in DEAR for op in generic(made).body.ops)
