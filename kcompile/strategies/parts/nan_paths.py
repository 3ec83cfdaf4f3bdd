"""Which greatest elements of rows need not be NaN where an element is: the results are NaN then by another way.

    m = max(x); e = exp(x - m); s = sum(e); y = e / s        an x that is NaN makes s NaN, and s makes the whole row

A machine's max is one instruction if what it gives for NaN does not matter, and three if NaN must come out.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.strategies.parts.combiner import combiner
from kcompile.strategies.parts.structured import Generic, Kernel, generic

KEEPS_NAN = frozenset(
    {"arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.negf", "math.exp", "math.log", "math.fma"}
)


def forgets_nan(view: Generic, views: Sequence[Generic], kernel: Kernel) -> bool:
    """Whether one of the reductions `views` may leave NaN out: it is the greatest of a tensor's elements, and the sum
    that another one is takes NaN from there to every result. Ways through the reduction itself do not count.
    """
    join = combiner(view)
    if join is None or join.name != "arith.maximumf" or len(list(view.body.ops)) != 2 or len(view.operands_read) != 1:
        return False
    ((source, map_),) = view.operands_read
    if not map_.is_identity or not t.is_float(source.type):
        return False
    sums = {v.op for v in views if v.parallel == view.parallel and getattr(combiner(v), "name", "") == "arith.addf"}
    points, rows = {source}, set[Value]()  # what is NaN where an element is: at its place, in all of its row
    for op in kernel.function.body.ops:
        if op.name != "linalg.generic" or op is view.op:
            continue
        made = generic(op)
        if made.reductions:
            rows |= _taken(made, points) if op in sums else set()
        else:
            points |= _taken(made, points)
            rows |= _taken(made, rows, len(view.parallel))
    return all(v in rows for v in kernel.outputs)


def _taken(made: Generic, from_: set[Value], row_dims: int = -1) -> set[Value]:
    """The results that are NaN where one of these operands is, at the same point or in the same row."""
    row = list(range(row_dims))
    found: set[Value] = set()
    for argument, value, map_ in zip(made.body.arguments, made.inputs, made.input_maps, strict=False):
        if value in from_ and (map_.is_identity or (row_dims >= 0 and [e.dim for e in map_.results] == row)):
            found.add(argument)
    for op in made.body.ops:
        if op.name in KEEPS_NAN and not found.isdisjoint(op.operands):
            found.add(op.results[0])
    ends = made.body.terminator.operands
    return {result for result, value in zip(made.op.results, ends, strict=True) if value in found}
