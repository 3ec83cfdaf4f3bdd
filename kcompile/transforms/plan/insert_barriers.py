"""insert-barriers: a barrier where a kernel touches memory that kernels since the last barrier have written, or writes
memory that they touch. Kernels that have nothing to do with one another run without waiting.
plan.barriers is how many one run meets.

Kernels that cut their points alike would need none: there are no such neighbours, as elementwise chains are one kernel
(0 of 593 barriers of a MobileNetV2 step), and a barrier takes 0.1 us where all arrive together.

Steps of one buffer in a loop are apart from one another; what a turn of the loop leaves meets the next turns.

    plan.call(%x, %h) {callee = @a, outputs = 1}      plan.call(%x, %h) ..
    plan.call(%h, %y) {callee = @b, outputs = 1}  =>  plan.barrier
                                                      plan.call(%h, %y) ..
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kcompile.dialects.plan import one_dim
from kcompile.errors import IRError
from kcompile.ir.attributes import DimsAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, Value, find_function
from kcompile.ir.dims import Dim, SymbolicDim, divide
from kcompile.ir.passes import pass_
from kcompile.transforms.plan.packing import apart


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a buffer in a loop: step t + `slot`, counted in steps of `stride` bytes; modulo `period`, if any."""

    loop: int
    stride: Dim
    slot: int
    period: int = 0

    def after(self, turns: int) -> Step:
        """The same memory as a later turn of the loop sees it."""
        slot = self.slot - turns
        return Step(self.loop, self.stride, slot % self.period if self.period else slot, self.period)


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of memory. Pieces of one kind and index overlap; those of the arena unless their ranges are apart, and
    those in a loop unless they are other steps of one buffer.
    """

    kind: str
    index: Any = 0
    offset: Dim = 0
    size: Dim = 0
    steps: tuple[Step, ...] = ()

    def overlaps(self, other: Place) -> bool:
        if self.kind != other.kind or self.index != other.index:
            return False
        if self.offset == other.offset and self.size == other.size:
            for mine, theirs in zip(self.steps, other.steps, strict=False):
                if (mine.loop, mine.stride, mine.period) != (theirs.loop, theirs.stride, theirs.period):
                    break
                if mine.slot != theirs.slot:
                    return False
        return self.kind != "plan.arena" or not apart(self.offset, self.size, other.offset, other.size)


def place_of(buffer: Value) -> Place:
    """The memory behind a buffer, through its views."""
    op = buffer.defining_op
    if op is None:
        raise IRError("a plan has no block arguments")
    if op.name == "plan.view":
        return place_of(op.operands[0])
    if op.name in ("plan.part", "plan.turn"):
        return _part_of(place_of(op.operands[0]), op)
    if op.name == "plan.arena":
        return Place(op.name, 0, one_dim(op["offset"]), one_dim(op["bytes"]))
    if op.name in ("plan.input", "plan.output"):
        return Place(op.name, op["index"])
    if op.name in ("plan.weight", "plan.scratch"):
        return Place(op.name, op["offset"])
    return Place(op.name, id(op))


def _part_of(whole: Place, op: Operation) -> Place:
    """The place of a step; all of the buffer where that is not one step of it."""
    around = op.parent_op
    inside = whole.steps[-1].loop if whole.steps else None
    if around is None or around.name != "plan.loop" or inside == id(around):
        return whole
    if op.name == "plan.turn":
        return replace(whole, steps=(*whole.steps, Step(id(around), one_dim(op["bytes"]), op["phase"], 2)))
    if "stride" not in op.attributes:
        return whole
    stride = one_dim(op["stride"])
    slot = 0 if one_dim(op["offset"]) == 0 else divide(one_dim(op["offset"]), stride)
    if not isinstance(slot, int):
        return whole
    return replace(whole, steps=(*whole.steps, Step(id(around), stride, slot)))


def touched(op: Operation) -> tuple[list[Place], list[Place]]:
    """What a plan.call or plan.copy reads, and what it writes, of the memory that workers share."""
    places = [p for p in map(place_of, op.operands) if p.kind != "plan.scratch"]
    outputs = op["outputs"] if op.name == "plan.call" else 1
    split = len(places) - outputs
    return places[:split], places[split:]


@pass_("insert-barriers", reads="plan", writes="plan", exact=True)
def insert_barriers(module: Operation) -> bool:
    """Add plan.barrier operations to @main."""
    walk, main = _Walk(), find_function(module, "main")
    walk.block(main.body)
    if walk.changed:
        main.attributes["plan.barriers"] = DimsAttr((barriers_of(main.body),))
    return walk.changed


def barriers_of(block: Block) -> Dim:
    """How many barriers one run of a plan's code meets, those of a loop in each of its turns."""
    total: Dim = 0
    for op in block.ops:
        if op.name == "plan.barrier":
            total = total + 1
        elif op.name == "plan.loop":
            total = total + one_dim(op["length"]) * barriers_of(op.body)
    return total


class _Walk:
    """What has been read and written since the last barrier."""

    def __init__(self) -> None:
        self.read: list[Place] = []
        self.written: list[Place] = []
        self.changed = False

    def block(self, block: Block) -> None:
        for op in block.ops:
            if op.name == "plan.barrier":
                self.read, self.written = [], []
            elif op.name in ("plan.call", "plan.copy"):
                self.touch(op, *touched(op))
            elif op.name == "plan.loop":
                self.loop(op)

    def touch(self, op: Operation, reads: list[Place], writes: list[Place]) -> None:
        if _meet(reads, self.written) or _meet(writes, self.written) or _meet(writes, self.read):
            Builder.before_op(op).create("plan.barrier", (), None, ())
            self.read, self.written = [], []
            self.changed = True
        self.read += reads
        self.written += writes

    def loop(self, op: Operation) -> None:
        """A barrier before the loop where any of its steps waits for what was before; then those of the body.

        The body is looked at as three turns in a row: what a turn leaves meets the next one, a buffer of two halves the
        one after that.
        """
        found = [touched(inner) for inner in op.walk() if inner.name in ("plan.call", "plan.copy")]
        reads = [outside(p, op) for r, _ in found for p in r]
        writes = [outside(p, op) for _, w in found for p in w]
        self.touch(op, reads, writes)
        before = self.read, self.written
        self.read, self.written = [], []
        turns = -1 if op["reverse"] else 1
        for _ in range(3):
            self.block(op.body)
            self.read, self.written = ([_later(p, op, turns) for p in places] for places in (self.read, self.written))
        self.read, self.written = ([outside(p, op) for p in places] for places in (self.read, self.written))
        length = one_dim(op["length"])
        if isinstance(length, SymbolicDim) or length == 0 or not _has_barrier(op):  # the body may not run
            self.read, self.written = before[0] + self.read, before[1] + self.written


def outside(place: Place, loop: Operation) -> Place:
    """The place as code outside of the loop sees it: all steps."""
    kept = []
    for step in place.steps:
        if step.loop == id(loop):
            break
        kept.append(step)
    return replace(place, steps=tuple(kept))


def _later(place: Place, loop: Operation, turns: int) -> Place:
    return replace(place, steps=tuple(s.after(turns) if s.loop == id(loop) else s for s in place.steps))


def _has_barrier(op: Operation) -> bool:
    return any(inner.name == "plan.barrier" for inner in op.walk())


def _meet(some: list[Place], others: list[Place]) -> bool:
    return any(a.overlaps(b) for a in some for b in others)
