"""The border of a padded result: what a kernel stores around the inside that its strategy computes.

    for every padded axis, outermost first: the slices below and above the inside, this worker's share
        of the axes before it the inside only, of those behind it everything: no element is written twice

A convolution or pooling that reads the result then needs no tests at its edges, and no copy is made to pad it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import MemRefType, TensorType, VectorType

if TYPE_CHECKING:
    from kcompile.strategies.parts.frame import Frame

VECTOR_BYTES = 64  # the backend cuts it where vectors are shorter


def fill_border(frame: Frame, memref: Value, pad: Operation) -> None:
    """Store the pad's value around the inside."""
    whole, inner = pad.result.type, pad.operands[0].type
    assert isinstance(whole, TensorType) and isinstance(inner, TensorType) and isinstance(memref.type, MemRefType)
    low, high = pad["static_low"], pad["static_high"]
    element = memref.type.element
    number = pad.body.terminator.operands[0].defining_op["value"]  # type: ignore[index]
    filler = frame.b.constant(int(number) if not t.is_float(element) else number, element)
    last = len(low) - 1
    for axis in range(len(low)):
        if not low[axis] and not high[axis]:
            continue
        extents: list[Dim] = [*inner.shape[:axis], low[axis] + high[axis], *whole.shape[axis + 1 :]]
        starts = [*low[:axis], 0, *[0] * (last - axis)]
        with frame.parallel(extents[:last]) as at:
            here = [frame.b.add(i, frame.b.index(s)) for i, s in zip(at, starts, strict=False)]
            if axis < last:
                here[axis] = _beyond(frame, here[axis], low[axis], inner.shape[axis])
                _fill_row(frame, memref, here, extents[last], filler)
                continue
            with frame.b.for_(frame.b.index(0), frame.b.index(low[axis] + high[axis]), 1) as loop:
                frame.b.store(filler, memref, [*here, _beyond(frame, loop.iv, low[axis], inner.shape[axis])])
                loop.yield_()


def _beyond(frame: Frame, index: Value, low: int, size: Dim) -> Value:
    """The index-th slice of a border: those below the inside, then those above it."""
    b = frame.b
    if low == 0:
        return b.add(index, frame.size(size))
    return b.select(b.cmp("lt", index, b.index(low)), index, b.add(index, frame.size(size)))


def _fill_row(frame: Frame, memref: Value, at: list[Value], size: Dim, filler: Value) -> None:
    """One row of the last axis."""
    b = frame.b
    element = t.element_of(memref.type)
    lanes = VECTOR_BYTES * 8 // t.bitwidth(element)
    length = frame.size(size)
    full = b.mul(b.floordiv(length, b.index(lanes)), b.index(lanes))
    vector = VectorType((lanes,), element)
    constant = b.constant(filler.defining_op["value"], vector)  # type: ignore[index]
    with b.for_(b.index(0), full, lanes) as loop:
        b.vstore(constant, memref, [*at, loop.iv])
        loop.yield_()
    with b.for_(full, length, 1) as loop:
        b.store(filler, memref, [*at, loop.iv])
        loop.yield_()
