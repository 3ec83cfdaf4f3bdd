"""Rows of a large table at places that indices tell: asked for some rows before they are copied.

No hardware foresees them, and a row is as many instructions as a core looks ahead: each row of an embedding waited for
memory (3200 rows of 50000 x 256: 395 us, asked for 167).
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.codegen.target import LINE
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points, is_position
from kcompile.strategies.parts.structured import Kernel

AHEAD = 8  # rows
LARGE = 1 << 20  # elements of a table of which little is in the third-level cache when other tensors were used


def reads_table(kernel: Kernel) -> bool:
    """Whether rows of a large operand are read at places that other operands tell."""
    found = [op for op in kernel.function.walk() if op.name == "tensor.extract" and op.operands[1:]]
    rows = [op.operands[0].type for op in found if is_position(op.operands[-1])]
    return any(isinstance(x, TensorType) and (not isinstance(x.size, int) or x.size >= LARGE) for x in rows)


def ask_for_later_row(frame: Frame, values: Sequence[Value], row: Sequence[Value], shape: Sequence[Dim]) -> None:
    """Ask for what `values`, of that shape, look up some rows behind `row`; at the end for the last row again."""
    b, (*outer, inner) = frame.b, row
    size = frame.size(shape[-2])
    later = b.add(inner, b.index(AHEAD))
    if outer:
        over = b.cmp("ge", later, size)
        following = b.min(b.add(outer[-1], b.index(1)), b.sub(frame.size(shape[-3]), b.index(1)))
        later = b.select(over, b.sub(later, size), later)
        outer[-1] = b.select(over, following, outer[-1])
    at = [LaneIndex(i) for i in (*outer, b.min(later, b.sub(size, b.index(1))))]
    step = LINE * 8 // max(t.bitwidth(v.type) for v in values)
    with b.for_(b.index(0), frame.size(shape[-1]), step) as loop:
        asking = Asking(frame, step)
        for value in values:
            asking.value(value, [*at, LaneIndex(loop.iv, 1)])
        loop.yield_()


class Asking(Points):
    """Asks for what would be looked up; of what differs from lane to lane nothing is read."""

    def _load(self, tensor: Value, indices: list[LaneIndex]) -> Value:
        return self.nothing(tensor) if any(i.stride for i in indices) else super()._load(tensor, indices)

    def _read(self, tensor: Value, at: Sequence[LaneIndex | Value]) -> Value:
        whole = [i for i in at if isinstance(i, LaneIndex)]
        if len(whole) == len(at) and not any(i.stride for i in whole[:-1]):
            self.b.prefetch(self.frame.memref[tensor], self.frame.source(tensor, [i.base for i in whole]), level=1)
            if whole[-1].stride == 0:
                return super()._read(tensor, at)
        return self.nothing(tensor)

    def nothing(self, tensor: Value) -> Value:
        zeros = VectorType((self.lanes,), t.element_of(self.frame.memref[tensor].type))
        assert isinstance(tensor.type, TensorType)
        return self._from_storage(self.b.constant(0, zeros), tensor.type)
