"""Places: the memory behind a buffer of a plan, so that two of them can be told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kcompile.dialects.plan import one_dim
from kcompile.errors import IRError
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, divide
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
    those in a loop unless they are other steps of one buffer. exact: the buffer begins where the place does.
    """

    kind: str
    index: Any = 0
    offset: Dim = 0
    size: Dim = 0
    steps: tuple[Step, ...] = ()
    exact: bool = True

    def begins_with(self, other: Place) -> bool:
        """Whether the buffers of two places that overlap have their first byte in common."""
        return self.exact and other.exact and (self.offset, self.steps) == (other.offset, other.steps)

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
    vague = replace(whole, exact=False)
    if around is None or around.name != "plan.loop" or inside == id(around):
        return vague
    if op.name == "plan.turn":
        return replace(whole, steps=(*whole.steps, Step(id(around), one_dim(op["bytes"]), op["phase"], 2)))
    if "stride" not in op.attributes:
        return vague
    stride = one_dim(op["stride"])
    slot = 0 if one_dim(op["offset"]) == 0 else divide(one_dim(op["offset"]), stride)
    if not isinstance(slot, int):
        return vague
    return replace(whole, steps=(*whole.steps, Step(id(around), stride, slot)))


def touched(op: Operation) -> tuple[list[Place], list[Place]]:
    """What a plan.call or plan.copy reads, and what it writes, of the memory that workers share."""
    places = [p for p in map(place_of, op.operands) if p.kind != "plan.scratch"]
    outputs = op["outputs"] if op.name == "plan.call" else 1
    split = len(places) - outputs
    return places[:split], places[split:]


def outside(place: Place, loop: Operation) -> Place:
    """The place as code outside of the loop sees it: all steps."""
    kept = []
    for step in place.steps:
        if step.loop == id(loop):
            break
        kept.append(step)
    return place if len(kept) == len(place.steps) else replace(place, steps=tuple(kept), exact=False)


def later(place: Place, loop: Operation, turns: int) -> Place:
    """The place as a later turn of the loop sees it."""
    return replace(place, steps=tuple(s.after(turns) if s.loop == id(loop) else s for s in place.steps))
