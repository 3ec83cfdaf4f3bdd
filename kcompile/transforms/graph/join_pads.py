"""join-pads: a sum of parts that zeros pad to one size, side by side, is their concatenation.

Reads graph, writes graph. The gradient of slicing is padding, so the gradient of a value that is read in slices (the
gates of a recurrent cell, the heads of an attention, the branches after a split) is such a sum: every part would be
written as large as the whole, and added.

    add(add(pad(a){high 6}, pad(b){low 2, high 4}), pad(c){low 4, high 2})    =>    concatenate(a, b, c, zeros)

Zeros stand where no part is. (Only the sign of a zero may differ: -0 + 0 is +0.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.types import TensorType
from kcompile.transforms.kernel.kinds import tensor_type


@dataclass(frozen=True, slots=True)
class Part:
    """What a pad puts between zeros along one axis: `value` begins at `start`."""

    axis: int
    start: int
    size: int
    value: Value


@pass_("join-pads", reads="graph", writes="graph", exact=True)
def join_pads(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.add" and not _is_term(op.result)]:
        parts = [_part(v) for v in _terms(op.result)]
        if len(parts) < 2 or any(p is None for p in parts):
            continue
        changed |= _join(op, sorted((p for p in parts if p is not None), key=lambda p: p.start))
    return changed


def _is_term(value: Value) -> bool:
    """Whether the only reader of a sum is another sum."""
    return len(value.uses) == 1 and value.users[0].name == "graph.add"


def _terms(value: Value) -> list[Value]:
    """The summands of a tree of additions that nothing else reads."""
    op = value.defining_op
    assert op is not None
    found = []
    for operand in op.operands:
        inner = operand.defining_op
        found += _terms(operand) if inner is not None and inner.name == "graph.add" and _is_term(operand) else [operand]
    return found


def _part(value: Value) -> Part | None:
    """The part that a zero pad along one axis of a fixed size makes of its operand; None for anything else."""
    op = value.defining_op
    if op is None or op.name != "graph.pad" or any(op["interior"]) or not _is_zero(op.operands[1]):
        return None
    axes = [i for i, (low, high) in enumerate(zip(op["low"], op["high"], strict=True)) if low != 0 or high != 0]
    if len(axes) != 1 or any(isinstance(p[axes[0]], SymbolicDim) or p[axes[0]] < 0 for p in (op["low"], op["high"])):
        return None
    size: Dim = tensor_type(op.operands[0]).shape[axes[0]]
    return Part(axes[0], op["low"][axes[0]], size, op.operands[0]) if isinstance(size, int) else None


def _is_zero(value: Value) -> bool:
    op = value.defining_op
    return op is not None and op.name == "graph.constant" and not np.any(op["value"])


def _join(op: Operation, parts: list[Part]) -> bool:
    axis = parts[0].axis
    shape = tensor_type(op.result).shape
    end = shape[axis]
    overlap = any(before.start + before.size > after.start for before, after in pairwise(parts))
    if overlap or any(p.axis != axis for p in parts) or not isinstance(end, int):
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    pieces: list[Value] = []
    at = 0
    for part in parts:
        if part.start > at:
            pieces.append(_zeros(b, op, axis, part.start - at))
        pieces.append(part.value)
        at = part.start + part.size
    if at < end:
        pieces.append(_zeros(b, op, axis, end - at))
    op.replace_by([b.concatenate(*pieces, axis=axis)])
    return True


def _zeros(b: GraphBuilder, op: Operation, axis: int, size: int) -> Value:
    type = tensor_type(op.result)
    return b.full(0, TensorType((*type.shape[:axis], size, *type.shape[axis + 1 :]), type.element))
