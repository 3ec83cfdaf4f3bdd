"""insert-barriers: a barrier where a kernel touches memory that kernels since the last barrier have written, or writes
memory that they touch. Kernels that have nothing to do with one another run without waiting.

    plan.call(%x, %h) {callee = @a, outputs = 1}      plan.call(%x, %h) ..
    plan.call(%h, %y) {callee = @b, outputs = 1}  =>  plan.barrier
                                                      plan.call(%h, %y) ..
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompile.dialects.plan import one_dim
from kcompile.errors import IRError
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim
from kcompile.ir.passes import pass_
from kcompile.transforms.plan.packing import apart


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of memory. Pieces of one kind and index overlap; those of the arena unless their ranges are apart."""

    kind: str
    index: Any = 0
    offset: Dim = 0
    size: Dim = 0

    def overlaps(self, other: Place) -> bool:
        if self.kind != other.kind or self.index != other.index:
            return False
        return self.kind != "plan.arena" or not apart(self.offset, self.size, other.offset, other.size)


def place_of(buffer: Value) -> Place:
    """The memory behind a buffer, through its views."""
    op = buffer.defining_op
    if op is None:
        raise IRError("a plan has no block arguments")
    if op.name == "plan.view":
        return place_of(op.operands[0])
    if op.name == "plan.arena":
        return Place(op.name, 0, one_dim(op["offset"]), one_dim(op["bytes"]))
    if op.name in ("plan.input", "plan.output"):
        return Place(op.name, op["index"])
    if op.name in ("plan.weight", "plan.scratch"):
        return Place(op.name, op["offset"])
    return Place(op.name, id(op))


def touched(op: Operation) -> tuple[list[Place], list[Place]]:
    """What a plan.call or plan.copy reads, and what it writes, of the memory that workers share."""
    places = [p for p in map(place_of, op.operands) if p.kind != "plan.scratch"]
    outputs = op["outputs"] if op.name == "plan.call" else 1
    split = len(places) - outputs
    return places[:split], places[split:]


@pass_("insert-barriers", reads="plan", writes="plan", exact=True)
def insert_barriers(module: Operation) -> bool:
    """Add plan.barrier operations to @main."""
    read: list[Place] = []
    written: list[Place] = []
    changed = False
    for op in find_function(module, "main").body.ops:
        if op.name == "plan.barrier":
            read, written = [], []
        if op.name not in ("plan.call", "plan.copy"):
            continue
        reads, writes = touched(op)
        waits = _meet(reads, written) or _meet(writes, written) or _meet(writes, read)
        if waits:
            Builder.before_op(op).create("plan.barrier", (), None, ())
            read, written = [], []
            changed = True
        read += reads
        written += writes
    return changed


def _meet(some: list[Place], others: list[Place]) -> bool:
    return any(a.overlaps(b) for a in some for b in others)
