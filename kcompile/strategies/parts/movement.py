"""Movement of data, evaluated point by point: slices, padding, concatenation, split and merged axes.

Each function gives the element (or the lanes) of a `tensor` operation's result at `indices`, by asking `points` for its
operand at other indices. Where a lane would leave its row it raises LaneError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.lanes import LaneError, LaneIndex

if TYPE_CHECKING:
    from kcompile.strategies.parts.points import Points


def extract_slice(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    b = points.b
    moved = [
        LaneIndex(b.add(b.mul(i.base, b.index(s)), b.index(o)), i.stride * s)
        for i, o, s in zip(indices, op["static_offsets"], op["static_strides"], strict=True)
    ]
    return points.value(op.operands[0], moved)


def pad(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    source = op.operands[0]
    assert isinstance(source.type, TensorType)
    outside = op.body.terminator.operands[0]
    value = (
        points.inline(op.body, {})
        if outside.defining_op is not None and outside.defining_op.parent is op.body
        else None
    )
    filler = value[0] if value else points.outer_scalar(outside)
    moved = [
        LaneIndex(points.b.sub(i.base, points.b.index(low)), i.stride)
        for i, low in zip(indices, op["static_low"], strict=True)
    ]
    highs = op["static_high"]
    padded = [d for d, low in enumerate(op["static_low"]) if low or highs[d]]
    return inside_or(points, source, moved, padded, [1] * len(moved), filler)


def insert_slice(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    source, into = op.operands[:2]
    assert isinstance(source.type, TensorType) and isinstance(into.type, TensorType)
    strides = op["static_strides"]
    moved = [
        LaneIndex(points.b.sub(i.base, points.b.index(o)), i.stride)
        for i, o in zip(indices, op["static_offsets"], strict=True)
    ]
    padded = [d for d, s in enumerate(strides) if s != 1 or source.type.shape[d] != into.type.shape[d]]
    return inside_or(points, source, moved, padded, strides, points.value(into, indices))


def inside_or(
    points: Points, source: Value, indices: list[LaneIndex], checked: list[int], strides: Sequence[int], outside: Value
) -> Value:
    """`source` at indices / strides where that is inside it, else `outside`; no lanes along a checked axis."""
    b = points.b
    assert isinstance(source.type, TensorType)
    inside: Value | None = None
    at = list(indices)
    for d in checked:
        if indices[d].stride:
            raise LaneError("lanes run along a padded axis; the strategy must use one lane")
        position = indices[d].base
        tests = []
        if strides[d] != 1:
            # shifted up by whole strides so that the remainder of a negative position is right
            stride = b.index(strides[d])
            tests.append(b.cmp("eq", b.mod(position, stride), b.index(0)))
            position = b.floordiv(position, stride)
        tests += [b.cmp("ge", position, b.index(0)), b.cmp("lt", position, points.frame.size(source.type.shape[d]))]
        for test in tests:
            inside = test if inside is None else b.and_(inside, test)
        at[d] = LaneIndex(position)
    if inside is None:
        return points.value(source, at)
    result = t.element_of(source.type)
    if points.lanes > 1:
        result = VectorType((points.lanes,), result)
    filler = points.vector(outside)
    with b.if_(inside, [result]) as branch:
        inner = points.in_branch()
        branch.yield_([inner.vector(inner.value(source, at))])
        with branch.else_():
            branch.yield_([filler])
    return branch.results[0]


def expand_shape(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    b = points.b
    assert isinstance(tensor.type, TensorType)
    at = []
    for group in op["reassociation"]:
        index: LaneIndex | None = None
        for d in group:
            size = (
                b.index(tensor.type.shape[d])
                if isinstance(tensor.type.shape[d], int)
                else points.frame.size(tensor.type.shape[d])
            )
            if index is None:
                index = indices[d]
            elif index.stride:
                raise LaneError("lanes run along an outer part of an expanded axis")
            else:
                index = LaneIndex(b.add(b.mul(index.base, size), indices[d].base), indices[d].stride)
        assert index is not None
        at.append(index)
    return points.value(op.operands[0], at)


def collapse_shape(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    b = points.b
    source = op.operands[0].type
    assert isinstance(source, TensorType)
    at: list[LaneIndex] = []
    for group, index in zip(op["reassociation"], indices, strict=True):
        if len(group) == 1:
            at.append(index)
            continue
        if index.stride:
            raise LaneError("lanes run along a collapsed axis; the strategy must use one lane")
        rest, parts = index.base, []
        for d in reversed(group[1:]):
            size = points.frame.size(source.shape[d])
            parts.append(LaneIndex(b.mod(rest, size)))
            rest = b.floordiv(rest, size)
        at += [LaneIndex(rest), *reversed(parts)]
    return points.value(op.operands[0], at)


def concat(points: Points, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
    b, axis = points.b, op["dim"]
    if indices[axis].stride:
        raise LaneError("lanes run along the axis of a concatenation; the strategy must use one lane")
    return concat_from(points, op, 0, indices, axis, b.index(0))


def concat_from(points: Points, op: Operation, part: int, indices: list[LaneIndex], axis: int, start: Value) -> Value:
    b = points.b
    source = op.operands[part]
    assert isinstance(source.type, TensorType)
    here = list(indices)
    here[axis] = LaneIndex(b.sub(indices[axis].base, start))
    inner = points.in_branch()
    if part == len(op.operands) - 1:
        return inner.vector(inner.value(source, here))
    end = b.add(start, points.frame.size(source.type.shape[axis]))
    result = t.element_of(source.type) if points.lanes == 1 else VectorType((points.lanes,), t.element_of(source.type))
    with b.if_(b.cmp("lt", indices[axis].base, end), [result]) as branch:
        branch.yield_([inner.vector(inner.value(source, here))])
        with branch.else_():
            branch.yield_([concat_from(points, op, part + 1, indices, axis, end)])
    return branch.results[0]


CASES: dict[str, Any] = {
    "tensor.extract_slice": extract_slice,
    "tensor.insert_slice": insert_slice,
    "tensor.pad": pad,
    "tensor.expand_shape": expand_shape,
    "tensor.collapse_shape": collapse_shape,
    "tensor.concat": concat,
}
