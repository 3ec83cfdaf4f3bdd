"""scalar_loops: the strategy that takes every reduction that no other one takes: plain loops, one element at a time.

for point in this worker's share of the parallel dims:
    running = init; for the reduction dims: running = body(operands, running)
    epilogue(running) -> store
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, Value
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.placement import placed, whole_of
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic
from kcompile.strategies.parts.tile_choice import results_fit


@dataclass(frozen=True, slots=True)
class Nothing(Parameters):
    """No parameters."""


def match(kernel: Kernel, target: Target) -> Nothing | None:
    """One reduction, or several that make up one result."""
    if not kernel.roots or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    views = [generic(op) for op in kernel.roots]
    if len(views) > 1 and len({whole_of(v.op.results[0]) for v in views}) > 1:
        return None
    for view in views:
        out = view.output_maps[0]
        if any(m is not out for m in view.output_maps) or any(e.dim is None for e in out.results):
            return None
    return Nothing() if all(results_fit(kernel, view) for view in views) else None


def emit(kernel: Kernel, params: Nothing, target: Target) -> Operation:
    frame = Frame(kernel)
    for root in kernel.roots:
        _nest(frame, kernel, generic(root))
    return frame.finish("scalar_loops{}")


def _nest(frame: Frame, kernel: Kernel, view: Generic) -> None:
    extents = view.extents()
    order = [e.dim for e in view.output_maps[0].results]
    with frame.parallel([extents[d] for d in order if d is not None]) as at:
        indices = [LaneIndex(i) for i in at]
        known = {d: i for d, i in zip(order, indices, strict=True) if d is not None}
        start = [Points(frame, 1).value(init, indices) for init in view.inits]
        totals = _reduce(frame, view, list(view.reductions), known, start)
        bound = dict(zip(view.op.results, totals, strict=True))
        if len(totals) == 1:
            shaped, indices = placed(frame, view.op.results[0], indices)
            bound = {shaped: totals[0]}
        points = Points(frame, 1, None, bound)
        for value, memref in zip(kernel.outputs, frame.outputs, strict=True):
            points.store(points.value(value, indices), memref, indices)


def _reduce(
    frame: Frame, view: Generic, dims: list[int], known: dict[int, LaneIndex], running: list[Value]
) -> list[Value]:
    if not dims:
        at = [known[d] for d in range(view.dims)]
        return Points(frame, 1).generic_body(view.op, at, running)
    b = frame.b
    with b.for_(b.index(0), frame.size(view.extents()[dims[0]]), 1, running) as loop:
        loop.yield_(_reduce(frame, view, dims[1:], {**known, dims[0]: LaneIndex(loop.iv)}, list(loop.args)))
    return list(loop.results)
