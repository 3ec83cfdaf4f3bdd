"""Where the elements of a root's result end up: groups of channels are collapsed, phases stored in steps, after it."""

from __future__ import annotations

from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex


def whole_of(root: Value) -> Value:
    """The result of a root as its readers see it."""
    value = root
    while (move := _move(value)) is not None:
        value = move.result
    return value


def _move(value: Value) -> Operation | None:
    """The only user, if it puts every element of `value` in a place of its own."""
    users = value.users
    if len(users) != 1:
        return None
    return users[0] if users[0].name == "tensor.collapse_shape" or _is_part(users[0]) else None


def _is_part(op: Operation) -> bool:
    """Whether a slice is inserted in a tensor that has nothing but such slices, the phases of one result."""
    while op.name == "tensor.insert_slice":
        maker = op.operands[1].defining_op
        if maker is None or maker.name == "tensor.empty":
            return maker is not None
        op = maker
    return False


def placed(frame: Frame, root: Value, indices: list[LaneIndex]) -> tuple[Value, list[LaneIndex]]:
    """`whole_of(root)`, and where the element of the root at `indices` is in it."""
    value, indices = root, list(indices)
    while (move := _move(value)) is not None:
        made: list[LaneIndex] = []
        if move.name == "tensor.collapse_shape":
            assert isinstance(value.type, TensorType)
            for group in move["reassociation"]:
                index = indices[group[0]]
                for d in group[1:]:
                    size = frame.size(value.type.shape[d])
                    index = LaneIndex(frame.b.add(frame.b.mul(index.base, size), indices[d].base), indices[d].stride)
                made.append(index)
        elif move.operands[0] is not value:
            made = indices  # another slice goes beside it
        else:
            for i, offset, stride in zip(indices, move["static_offsets"], move["static_strides"], strict=True):
                base = frame.b.add(frame.b.mul(i.base, frame.b.index(stride)), frame.b.index(offset))
                made.append(LaneIndex(base, i.stride * stride))
        value, indices = move.result, made
    return value, indices
