"""Where the carries and sequences of a graph.scan live in memory.

A step of a sequence is a part of it; kernels of the body read and write it there. A carry lives in one of three ways:

stacked    where the body emits it: a buffer of length + 1 steps, the first carry at one end, the last at the other.
           What a step reads and what it writes are neighbours in it, and both stacks are parts of it.
in place   the kernel that makes the next carry may overwrite this one: one buffer.
in turn    otherwise: a buffer of two halves. (Where the length is symbolic, stacked: the last half would be unknown.)

The first carry is written straight into its place by the kernel that makes it, where nothing else reads it; else it is
copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcompile.dialects.graph.control import ScanView
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import TensorType
from kcompile.transforms.plan.annotate_calls import item_bytes, tensor_bytes

if TYPE_CHECKING:
    from kcompile.transforms.plan.liveness import Cell, Cells


@dataclass(frozen=True, slots=True)
class Part:
    """A place in the memory of `base`: `offset` bytes from its start, `stride` more at every step of the loop.

    phase   of a carry that lives in turn in two halves of `base`, of `stride` bytes each
    scan    whose steps these are
    """

    base: Cell
    offset: Dim = 0
    stride: Dim | None = None
    phase: int | None = None
    scan: Operation | None = None

    def is_whole(self, size: Dim) -> bool:
        """Whether `size` bytes here are all of the base."""
        return self.offset == 0 and self.stride is None and self.base.size == size


@dataclass(slots=True)
class Loop:
    """A scan in the plan. `before`: copies (source, target) before the first step; `after`: at the end of each step."""

    view: ScanView
    entry: int
    exit: int = -1
    before: list[tuple[Cell, Cell]] = field(default_factory=list)
    after: list[tuple[Cell, Cell]] = field(default_factory=list)


def enter(cells: Cells, op: Operation) -> Loop:
    """Cells for the arguments of the body; carries get their places in `leave`."""
    from kcompile.transforms.plan.liveness import Cell

    view = ScanView(op)
    loop = Loop(view, cells.next_step(op))
    for value in view.carries:
        cells.of[value].reads.append(loop.entry)
    for inner in view.carried:
        size, item = tensor_bytes(inner.type), item_bytes(inner.type)
        cells.of[inner] = Cell(size, item, "part", born=loop.entry, type=inner.type)
    for outer, inner in zip(view.xs, view.steps, strict=True):
        size = tensor_bytes(inner.type)
        place = Part(cells.of[outer], 0, size, scan=op)
        cells.of[inner] = Cell(size, item_bytes(inner.type), "part", born=loop.entry, part=place)
    for outer, inner in zip(view.consts, view.inner, strict=True):
        cells.of[inner] = cells.of[outer]
    return loop


def leave(cells: Cells, loop: Loop) -> None:
    """Places for the carries, for what the body yields, and for the results."""
    loop.exit = cells.next_step(None)
    view = loop.view
    for value in (*view.xs, *view.consts):
        cells.of[value].reads.append(loop.exit)
    claimed: set[Cell] = set()
    stacks: dict[Cell, Cell] = {}  # what is emitted, by the cell of a step
    for i in range(len(view.carries)):
        _place_carry(cells, loop, i, claimed, stacks)
    for value, result in zip(view.emitted, view.stacks, strict=True):
        cells.of[result] = _stack(cells, loop, value, result, claimed, stacks)


def _place_carry(cells: Cells, loop: Loop, i: int, claimed: set[Cell], stacks: dict[Cell, Cell]) -> None:
    from kcompile.transforms.plan.liveness import Cell

    view, of = loop.view, cells.of
    init, now, after = of[view.carries[i]], of[view.carried[i]], of[view.next[i]]
    if after is now:  # never changes
        now.part = Part(init)
        init.reads.append(loop.exit)
        of[view.finals[i]] = init
        return
    size: Dim = now.size
    fresh = is_fresh(cells, loop, view.next[i]) and after not in claimed
    emitted = any(of[v] is now or (fresh and of[v] is after) for v in view.emitted)
    length = view.length
    if not emitted and fresh and _in_place(cells, loop, i):
        claimed.add(after)
        home = _home(loop, size, now.item, view.carries[i].type)
        if _is_ours(cells, loop, i):
            home = init
            home.fixed = True
        else:
            loop.before.append((init, home))
        now.part = after.part = Part(home)
        after.place = "part"
        home.reads.append(loop.exit)
        of[view.finals[i]] = home
        return
    if emitted or isinstance(length, SymbolicDim):
        home = _home(loop, size * (length + 1), now.item, _longer(view.carries[i].type, length + 1))
        first, last = (size * length, 0) if view.reverse else (0, size * length)
        ahead, behind = (0, size) if view.reverse else (size, 0)
        now.part = Part(home, behind, size, scan=view.op)
        place = Part(home, ahead, size, scan=view.op)
    else:
        home = _home(loop, size * 2, now.item, _longer(view.carries[i].type, 2))
        first, last = size * (length % 2), 0
        now.part = Part(home, 0, size, 0, view.op)
        place = Part(home, 0, size, 1, view.op)
    home.reads.append(loop.exit)
    if _is_ours(cells, loop, i):
        init.place, init.part = "part", Part(home, first)
        home.born = init.born
    else:
        start = Cell(size, now.item, "part", part=Part(home, first), born=loop.entry, type=now.type)
        loop.before.append((init, start))
    if fresh:
        claimed.add(after)
        after.place, after.part = "part", place
    else:
        target = Cell(size, now.item, "part", part=place, born=loop.exit, type=now.type)
        after.reads.append(loop.exit)
        loop.after.append((after, target))
    if emitted:
        for step, offset in ((now, behind), (after, ahead)):
            if step is now or fresh:
                stacks[step] = Cell(size * length, now.item, "part", part=Part(home, offset), born=loop.entry)
    of[view.finals[i]] = Cell(size, now.item, "part", part=Part(home, last), born=loop.exit)


def _stack(cells: Cells, loop: Loop, value: Value, result: Value, claimed: set[Cell], stacks: dict[Cell, Cell]) -> Cell:
    """The cell of a stacked result."""
    from kcompile.transforms.plan.liveness import Cell

    step = cells.of[value]
    if step in stacks:
        return stacks[step]
    whole = _home(loop, tensor_bytes(result.type), item_bytes(result.type), result.type)
    whole.reads.append(loop.exit)
    place = Part(whole, 0, step.size, scan=loop.view.op)
    if is_fresh(cells, loop, value) and step not in claimed:
        claimed.add(step)
        step.place, step.part = "part", place
    else:
        step.reads.append(loop.exit)
        loop.after.append((step, Cell(step.size, step.item, "part", part=place, born=loop.exit, type=value.type)))
    stacks[step] = whole
    return whole


def _home(loop: Loop, size: Dim, item: int, type: object) -> Cell:
    """Memory for the whole loop."""
    from kcompile.transforms.plan.liveness import Cell

    return Cell(size, item, born=loop.entry, type=type, fixed=True)


def _longer(type: object, length: Dim) -> TensorType:
    assert isinstance(type, TensorType)
    return TensorType((length, *type.shape), type.element)


def source_of(value: Value) -> Value:
    """The value whose reshape this is."""
    op = value.defining_op
    while op is not None and op.name == "graph.reshape":
        value = op.operands[0]
        op = value.defining_op
    return value


def is_fresh(cells: Cells, loop: Loop, value: Value) -> bool:
    """Whether a kernel of this body makes the value, in memory that can still be anywhere."""
    cell, maker = cells.of[value], source_of(value).defining_op
    made_here = maker is not None and maker.name == "kernel.call" and maker.parent is loop.view.body
    return made_here and cell.place == "arena" and not cell.fixed


def _is_ours(cells: Cells, loop: Loop, i: int) -> bool:
    """Whether a kernel beside the loop makes the first carry, for this loop alone."""
    value, cell = loop.view.carries[i], cells.of[loop.view.carries[i]]
    while value.has_one_use and value.defining_op is not None and value.defining_op.name == "graph.reshape":
        value = value.defining_op.operands[0]
    maker = value.defining_op
    made_here = maker is not None and maker.name == "kernel.call" and maker.parent is loop.view.op.parent
    return made_here and value.has_one_use and cell.place == "arena" and not cell.fixed and cell.host is None


def _in_place(cells: Cells, loop: Loop, i: int) -> bool:
    """Whether the kernel that makes the next carry may write it over this one."""
    view, of = loop.view, cells.of
    now, after = of[view.carried[i]], of[view.next[i]]
    others = [*(v for j, v in enumerate(view.next) if j != i), *view.emitted]
    if any(of[v] in (now, after) for v in others):
        return False
    born = after.born
    if any(read > born for read in now.reads):
        return False
    maker = cells.steps[born]
    assert maker is not None
    result = source_of(view.next[i])
    return cells.may_overwrite(maker, result, now)
