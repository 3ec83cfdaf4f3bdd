"""transpose: an elementwise kernel of one operand whose contiguous axis is not the result's: squares in registers.

    for (outer axes, square of lanes x lanes) in this worker's share:
        load `lanes` rows along the operand's last axis
        for d in 1, 2, 4 ..: swap bit d of the row number with bit d of the lane number, by two shuffles a pair of rows
        store `lanes` rows along the result's last axis
    what is left at the two edges: element by element

Traffic: operand and result once, both in whole vectors. Source: the recursive transpose of Eklundh, 1972.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic


@dataclass(frozen=True, slots=True)
class Square(Parameters):
    """lanes: side of a square; row_dim: the dim that is contiguous in the operand."""

    lanes: int
    row_dim: int


def match(kernel: Kernel, target: Target) -> Square | None:
    view = only_operation(kernel)
    if view is None or len(view.operands_read) != 1 or not view.output_maps[0].is_identity or view.dims < 2:
        return None
    value, map_ = view.operands_read[0]
    last = view.dims - 1
    if value not in kernel.inputs or not map_.results or any(op.name == "linalg.index" for op in view.body.ops):
        return None
    row = map_.results[-1].dim
    uses = [e.coefficient(last) for e in map_.results]
    if row is None or row == last or not any(uses) or any(e.coefficient(row) for e in map_.results[:-1]):
        return None
    element = t.element_of(value.type)
    lanes = target.lanes(element)
    sizes = [view.extents()[d] for d in (row, last)]
    if t.element_of(kernel.outputs[0].type) is not element or element is t.i1 or lanes < 2:
        return None
    if any(not isinstance(s, int) or s < lanes for s in sizes):
        return None
    return Square(lanes, row)


def only_operation(kernel: Kernel) -> Generic | None:
    """The one generic that gives the kernel's one result, without reductions; else None."""
    made = kernel.outputs[0].defining_op
    if kernel.roots or len(kernel.outputs) != 1 or made is None or made.name != "linalg.generic":
        return None
    return generic(made) if len(made.results) == 1 else None


def emit(kernel: Kernel, params: Square, target: Target) -> Operation:
    frame = Frame(kernel)
    view = only_operation(kernel)
    assert view is not None
    b, lanes = frame.b, params.lanes
    row_dim, lane_dim = params.row_dim, view.dims - 1
    extents = view.extents()
    rows, columns = extents[row_dim], extents[lane_dim]
    assert isinstance(rows, int) and isinstance(columns, int)
    outer = [d for d in range(view.dims) if d not in (row_dim, lane_dim)]

    def place(at: list[Value], row: LaneIndex, column: LaneIndex) -> list[LaneIndex]:
        known = {**{d: LaneIndex(i) for d, i in zip(outer, at, strict=True)}, row_dim: row, lane_dim: column}
        return [known[d] for d in range(view.dims)]

    with frame.parallel([*[extents[d] for d in outer], rows // lanes, columns // lanes]) as at:
        row, column = (b.mul(i, b.index(lanes)) for i in at[-2:])
        sources = [place(at[:-2], LaneIndex(row, 1), LaneIndex(b.add(column, i))) for i in range(lanes)]
        places = [place(at[:-2], LaneIndex(b.add(row, i)), LaneIndex(column, 1)) for i in range(lanes)]
        square(frame, view, sources, places, lanes)
    whole_rows, whole_columns = rows // lanes * lanes, columns // lanes * lanes
    for first_row, first_column in ((0, whole_columns), (whole_rows, 0)):
        end_column = columns if first_column else whole_columns
        count = (rows - first_row) * (end_column - first_column)
        if not count:
            continue
        with frame.parallel([*[extents[d] for d in outer], rows - first_row, end_column - first_column]) as at:
            dims = place(at[:-2], LaneIndex(b.add(at[-2], first_row)), LaneIndex(b.add(at[-1], first_column)))
            points = Points(frame, 1)
            points.store(points.value(kernel.outputs[0], dims), frame.outputs[0], dims)
    return frame.finish(f"transpose{{{params}}}")


def square(
    frame: Frame, view: Generic, sources: list[list[LaneIndex]], places: list[list[LaneIndex]], lanes: int
) -> None:
    """One square: loaded at `sources`, turned, put through the body, stored at `places`."""
    value, map_ = view.operands_read[0]
    points = Points(frame, lanes)
    rows = turn(frame, [points.value(value, points.map(map_, at)) for at in sources], lanes)
    argument = next(a for a in view.body.arguments if a.uses)
    for row, at in zip(rows, places, strict=True):
        points.store(points.vector(points.inline(view.body, {argument: row}, at)[0]), frame.outputs[0], at)


def turn(frame: Frame, rows: list[Value], lanes: int) -> list[Value]:
    """The transpose of a square: row i, lane j becomes row j, lane i."""
    b = frame.b
    distance = 1
    while distance < lanes:
        low = [j if not j & distance else lanes + j - distance for j in range(lanes)]
        high = [j + distance if not j & distance else lanes + j for j in range(lanes)]
        for i in range(lanes):
            if not i & distance:
                first, second = rows[i], rows[i | distance]
                rows[i], rows[i | distance] = b.shuffle(first, second, low), b.shuffle(first, second, high)
        distance *= 2
    return rows
