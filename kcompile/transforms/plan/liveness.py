"""Which memory each tensor of @main lives in, and from when to when.

Tensors that are reshapes of one another share memory: they form one `Cell`. A cell lives in an argument of `run`, in
a result of `run` (written in place), in a constant, in the arena, or in a part of another cell (the steps of a scan,
see `loop_places.py`). A new value of a state argument is written
straight into the argument's own buffer where nobody reads the old value any more; else it is made in the arena and
copied at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kcompile.dialects.upstream.func import callee_of
from kcompile.errors import IRError
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim
from kcompile.transforms.plan import loop_places
from kcompile.transforms.plan.annotate_calls import item_bytes, tensor_bytes
from kcompile.transforms.plan.loop_places import Loop, Part


@dataclass(slots=True, eq=False)
class Cell:
    """The memory of one tensor and its reshapes.

    place   "argument" | "result" | "constant" | "arena" | "part"; `index` of the argument or result
    born    the step that writes it; -1 = before the first step
    reads   the steps that read it; the end of the function counts as the step after the last
    type    of memory that was made for a loop; the tensors in it have other types
    fixed   it lives through a whole loop: nothing that dies gives it its memory
    """

    size: Dim
    item: int
    place: str = "arena"
    index: int = -1
    born: int = -1
    reads: list[int] = field(default_factory=list)
    constant: Operation | None = None
    host: Cell | None = None  # the cell whose memory this one took over
    part: Part | None = None
    type: object = None
    fixed: bool = False

    @property
    def last(self) -> int:
        return max(self.reads, default=self.born)

    def memory(self) -> Cell:
        """The cell whose memory this is."""
        cell = self
        while True:
            if cell.host is not None:
                cell = cell.host
            elif cell.part is not None and cell.part.is_whole(cell.size):
                cell = cell.part.base
            else:
                return cell

    def home(self) -> Cell:
        """The cell in whose memory this lies, as a whole or in part."""
        cell = self.memory()
        while cell.part is not None:
            cell = cell.part.base.memory()
        return cell


@dataclass(frozen=True, slots=True)
class Copy:
    """At the end: `source` goes to result `result`; through the arena first where its memory is overwritten."""

    source: Cell
    result: int
    staged: bool


@dataclass(slots=True)
class Assignment:
    """The cells of a function. `of` maps tensors to cells, `copies` come after the last step.

    steps   kernel calls in order; a scan is a step before its body, and a second one (None) after it
    """

    steps: list[Operation | None]
    of: dict[Value, Cell]
    copies: list[Copy]
    loops: dict[Operation, Loop]


def donated_argument(function: Operation, result: int) -> int | None:
    """The argument whose buffer takes result number `result`, or None for a plain result."""
    attributes = function.get("res_attrs", ())
    return attributes[result].get("kernel.donates") if result < len(attributes) else None


def assign(function: Operation) -> Assignment:
    """Cells for all tensors of @main: kernel.call, graph.reshape, graph.constant, graph.scan and func.return."""
    cells = Cells(function)
    assignment = Assignment(cells.steps, cells.of, [], cells.loops)
    end = len(assignment.steps)
    returned = function.body.terminator.operands
    for value in returned:
        assignment.of[value].reads.append(end)
    settled = _write_results_in_place(function, assignment, end)
    _share_dying_operands(assignment)
    _copy_the_rest(function, assignment, settled)
    return assignment


class Cells:
    """The cells of a function, made in one walk."""

    def __init__(self, function: Operation):
        self.of: dict[Value, Cell] = {}
        self.steps: list[Operation | None] = []
        self.loops: dict[Operation, Loop] = {}
        for i, argument in enumerate(function.body.arguments):
            self.of[argument] = Cell(tensor_bytes(argument.type), item_bytes(argument.type), "argument", i)
        self._block(function.body)

    def next_step(self, op: Operation | None) -> int:
        self.steps.append(op)
        return len(self.steps) - 1

    def may_overwrite(self, call: Operation, result: Value, cell: Cell) -> bool:
        return may_overwrite(self.of, call, result, cell)

    def _block(self, block: Block) -> None:
        of = self.of
        for op in block.ops:
            if op.name == "graph.reshape":
                of[op.result] = of[op.operands[0]]
            elif op.name == "graph.constant":
                size, item = tensor_bytes(op.result.type), item_bytes(op.result.type)
                of[op.result] = Cell(size, item, "constant", constant=op)
            elif op.name == "kernel.call":
                step = self.next_step(op)
                for operand in op.operands:
                    of[operand].reads.append(step)
                for result in op.results:
                    of[result] = Cell(tensor_bytes(result.type), item_bytes(result.type), born=step)
            elif op.name == "graph.scan":
                self.loops[op] = loop_places.enter(self, op)
                self._block(op.body)
                loop_places.leave(self, self.loops[op])
            elif op.name not in ("func.return", "graph.yield"):
                raise IRError(
                    "the plan takes kernel.call, graph.reshape, graph.constant and graph.scan. "
                    f"Received: {op.name}, outside a kernel",
                    str(op.location),
                )


def may_overwrite(of: dict[Value, Cell], call: Operation, result: Value, cell: Cell) -> bool:
    """Whether `call` may write `result` over the memory of `cell`, which it reads (or not)."""
    operands = [i for i, v in enumerate(call.operands) if of[v].memory() is cell.memory()]
    if not operands:
        return True
    allowed = call.get("kernel.in_place", ())
    if "kernel.needs_once" in call.attributes and "kernel.once" not in callee_of(call).attributes:
        return False
    return result.index < len(allowed) and all(i in allowed[result.index] for i in operands)


def _write_results_in_place(function: Operation, assignment: Assignment, end: int) -> set[int]:
    """Give cells of results the memory of that result; gives the results that need no copy."""
    settled: set[int] = set()
    arguments = function.body.arguments
    for i, value in enumerate(function.body.terminator.operands):
        cell = assignment.of[value]
        donor = donated_argument(function, i)
        if donor is not None and assignment.of[arguments[donor]] is cell:
            settled.add(i)  # the state is returned unchanged
            continue
        if cell.place != "arena" or cell.born < 0:
            continue
        if donor is None:
            cell.place, cell.index = "result", i
            settled.add(i)
            continue
        old = assignment.of[arguments[donor]]
        call = assignment.steps[cell.born]
        if call is None or call.name != "kernel.call" or cell.fixed:
            continue
        result = next(r for r in call.results if assignment.of[r] is cell)
        if old.size == cell.size and old.last <= cell.born and may_overwrite(assignment.of, call, result, old):
            cell.place, cell.index, cell.host = "argument", donor, old
            old.reads.append(end)  # a second result cannot take the same buffer
            settled.add(i)
    return settled


def _share_dying_operands(assignment: Assignment) -> None:
    """A pointwise kernel writes over an operand that nobody needs afterwards."""
    last_use: dict[Cell, int] = {}
    for cell in dict.fromkeys(assignment.of.values()):
        last_use[cell.memory()] = max(cell.last, last_use.get(cell.memory(), -1))
    for step, call in enumerate(assignment.steps):
        if call is None or call.name != "kernel.call":
            continue
        taken: set[Cell] = set()
        for result in call.results:
            cell = assignment.of[result]
            if cell.place != "arena" or cell.host is not None or cell.fixed:
                continue
            for operand in call.operands:
                dying = assignment.of[operand]
                home = dying.memory()
                if home.place != "arena" or home in taken or dying.size != cell.size or dying.item != cell.item:
                    continue
                if last_use[home] == step and may_overwrite(assignment.of, call, result, dying):
                    cell.host = home
                    taken.add(home)
                    last_use[home] = cell.last
                    break


def _copy_the_rest(function: Operation, assignment: Assignment, settled: set[int]) -> None:
    arguments = function.body.arguments
    returned = function.body.terminator.operands
    copied = [i for i in range(len(returned)) if i not in settled]
    overwritten = {
        assignment.of[arguments[donor]].memory() for i in copied if (donor := donated_argument(function, i)) is not None
    }
    for i in copied:
        source = assignment.of[returned[i]]
        # Two states that swap, and results that are the old value of a state, are saved before any copy overwrites.
        assignment.copies.append(Copy(source, i, staged=source.memory() in overwritten))
