"""plan-memory: @main, a list of kernel calls on tensors, becomes a plan: kernel calls on buffers with fixed places.

    %1 = kernel.call @dispatch_0(%x, %w)          %x = plan.input {index = 0}   %w = plan.weight {offset = 0}
    func.return %1                        =>      %1 = plan.output {index = 0}
                                                  plan.call(%x, %w, %1) {callee = @dispatch_0, outputs = 1}
                                                  plan.return

Arguments of role "weight" are places in the block of weights when `freeze` is set, else inputs as all others. The
function keeps what a caller must know as attributes: plan.symbols, plan.inputs, plan.outputs, plan.weights (index of
the argument, offset, bytes), plan.weights_bytes, plan.arena (bytes), plan.scratch (bytes a worker, the most that a
kernel takes) and plan.work (picoseconds on one thread).
"""

from __future__ import annotations

from math import prod
from typing import Any

from kcompile.dialects.plan import ALIGNMENT, one_dim
from kcompile.ir import types as t
from kcompile.ir.attributes import Attribute, DimsAttr, attribute
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.dims import Dim, evaluate, symbols_of
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType, MemRefType, TensorType, Type
from kcompile.strategies.parts.frame import buffer_type
from kcompile.transforms.plan.liveness import Assignment, Cell, assign, donated_argument
from kcompile.transforms.plan.loop_places import Loop, Part
from kcompile.transforms.plan.packing import Lifetime, bound, pack


@pass_("plan-memory", reads="loops", writes="plan")
def plan_memory(module: Operation, *, freeze: bool = False) -> bool:
    """Replace @main by its plan."""
    old = find_function(module, "main")
    planner = _Planner(old, module, freeze)
    new = planner.function()
    assert old.parent is not None
    old.parent.insert_before(old, new)
    old.drop_operands()
    old.detach()
    return True


def main_symbols(function: Operation) -> tuple[str, ...]:
    """The symbols of a function: the batch `b` first, the others as they appear in its arguments."""
    names: dict[str, None] = {}
    for value in function.body.arguments:
        assert isinstance(value.type, TensorType)
        for dim in value.type.shape:
            names.update(dict.fromkeys(sorted(symbols_of(dim))))
    return tuple(sorted(names, key=lambda name: name != "b"))


def _block_of(buffer: Value) -> Block | None:
    op = buffer.defining_op
    return op.parent if op is not None else None


class _Planner:
    """One function on its way to a plan."""

    def __init__(self, old: Operation, module: Operation, freeze: bool):
        self.old = old
        self.module = module
        self.arguments: tuple[dict[str, Any], ...] = old.get("arg_attrs", ()) or tuple({} for _ in old.body.arguments)
        self.results: tuple[dict[str, Any], ...] = old.get("res_attrs", ()) or tuple(
            {} for _ in old.body.terminator.operands
        )
        self.frozen = {i for i, a in enumerate(self.arguments) if freeze and a.get("kernel.role") == "weight"}
        kept = [i for i in range(len(self.arguments)) if i not in self.frozen]
        self.input_of = {argument: index for index, argument in enumerate(kept)}
        self.assignment: Assignment = assign(old)
        self.block = Block()
        self.top = Builder(self.block, None, old.location)  # what loops use is made before them
        self.b = self.top
        self.builders: dict[Block | None, Builder] = {self.block: self.top}
        self.bodies: dict[Operation | None, Builder] = {}  # of the scans around
        self.types = {cell: value.type for value, cell in reversed(self.assignment.of.items())}
        self.places = self._pack()
        self.buffers: dict[tuple[Cell | int, Type], Value] = {}
        self.scratch_bytes = 0
        self.scratch_places: dict[tuple[int, Type], Value] = {}

    def _pack(self) -> dict[Cell | int, tuple[Dim, Dim]]:
        """Offset and bytes in the arena of every cell that is a home there, and of every staged copy (by its index)."""
        end = len(self.assignment.steps)
        spans: dict[Cell | int, list[int]] = {}
        for cell in dict.fromkeys(self.assignment.of.values()):
            home = cell.home()
            if home.place == "arena":
                span = spans.setdefault(home, [home.born, home.last])
                span[1] = max(span[1], cell.last)
        sizes: dict[Cell | int, Dim] = {key: key.size for key in spans if isinstance(key, Cell)}
        for copy in self.assignment.copies:
            if copy.staged:
                spans[copy.result] = [end, end + 1]
                sizes[copy.result] = copy.source.size
        offsets, self.arena = pack([Lifetime(sizes[k], *span) for k, span in spans.items()], ALIGNMENT)
        return {k: (offset, bound(sizes[k], ALIGNMENT)) for k, offset in zip(spans, offsets, strict=True)}

    def function(self) -> Operation:
        weights, weights_bytes = self._weights()
        total = self._block(self.old.body)
        self._copies()
        self.b.create("plan.return", (), None, ())
        new = Operation("func.func", (), (), {}, [Region([self.block])], self.old.location)
        new["sym_name"] = self.old["sym_name"]
        new["function_type"] = FunctionType((), ())
        new.attributes["plan.symbols"] = attribute([attribute(s) for s in main_symbols(self.old)])
        new.attributes["plan.inputs"] = attribute([self._input(i) for i in self.input_of])
        new.attributes["plan.outputs"] = attribute([self._output(i) for i in range(len(self.results))])
        new.attributes["plan.weights"] = attribute(weights)
        new["plan.weights_bytes"] = weights_bytes
        new.attributes["plan.arena"] = DimsAttr((self.arena,))
        new["plan.scratch"] = self.scratch_bytes
        new.attributes["plan.work"] = DimsAttr((total,))
        if "kernel.row_parallel" in self.old.attributes:
            new.attributes["kernel.row_parallel"] = self.old.attributes["kernel.row_parallel"]
        return new

    def _block(self, block: Block) -> Dim:
        """The plan of a block of @main; gives its work."""
        total: Dim = 0
        for op in block.ops:
            self.b.location = op.location
            if op.name == "kernel.call":
                operands = [self._buffer(self.assignment.of[v], formal) for v, formal in self._formals(op)]
                operands += self._scratch(op)
                attributes = {"callee": op.attributes["callee"], "outputs": len(op.results)}
                self.b.create("plan.call", operands, attributes, ())
                self._mark_aliased(op)
                total = total + one_dim(op.get("kernel.work", 0))
            elif op.name == "graph.scan":
                total = total + self._loop(self.assignment.loops[op])
        return total

    def _loop(self, loop: Loop) -> Dim:
        """A scan: copies of the first carries, then the loop."""
        for source, target in loop.before:
            self._copy_cell(source, target)
        around, known = self.b, self.buffers
        body = Block()
        self.b, self.buffers = Builder(body, None, around.location), dict(known)
        self.builders[body] = self.bodies[loop.view.op] = self.b
        work = self._block(loop.view.body)
        for source, target in loop.after:
            self._copy_cell(source, target)
        self.b.create("plan.next", (), None, ())
        made = {key: v for key, v in self.buffers.items() if _block_of(v) is not body}
        self.b, self.buffers = around, {**known, **made}
        length = loop.view.length
        attributes = {"length": DimsAttr((length,)), "reverse": loop.view.reverse}
        self.b.create("plan.loop", (), attributes, (), [Region([body])])
        return work * length

    def _copy_cell(self, source: Cell, target: Cell) -> None:
        if source.memory() is not target.memory():
            type = self._own(target)
            self._copy(self._buffer(source, type), self._buffer(target, type), target.size)

    def _mark_aliased(self, call: Operation) -> None:
        """Note on the kernel which of its buffers may be one memory: its code must not assume otherwise."""
        cells = [self.assignment.of[v].memory() for v in (*call.operands, *call.results)]
        inputs = len(call.operands)
        written = set(cells[inputs:])
        aliased = {i for i, c in enumerate(cells) if c in written and (i < inputs or c in cells[:inputs])}
        if aliased:
            function = find_function(self.module, call["callee"])
            function["kernel.aliased"] = tuple(sorted(aliased.union(function.get("kernel.aliased", ()))))

    def _formals(self, call: Operation) -> list[tuple[Value, Type]]:
        formals = find_function(self.module, call["callee"]).body.arguments
        return [(v, formals[i].type) for i, v in enumerate((*call.operands, *call.results))]

    def _scratch(self, call: Operation) -> list[Value]:
        """The scratch buffers of a kernel, one behind the other; the next kernel uses the same memory."""
        function = find_function(self.module, call["callee"])
        first = len(call.operands) + len(call.results)
        offset, places = 0, []
        for formal in function.body.arguments[first : first + function.get("kernel.scratch", 0)]:
            key = offset, formal.type
            if key not in self.scratch_places:
                made = self.top.create("plan.scratch", (), {"offset": offset}, [formal.type])
                self.scratch_places[key] = made.result
            places.append(self.scratch_places[key])
            assert isinstance(formal.type, MemRefType)
            nbytes = prod(formal.type.shape) * t.bitwidth(formal.type) // 8
            offset += -(-nbytes // ALIGNMENT) * ALIGNMENT
        self.scratch_bytes = max(self.scratch_bytes, offset)
        return places

    def _weights(self) -> tuple[list[Attribute], int]:
        described = []
        self.weight_offsets: dict[int, int] = {}
        offset = 0
        for i in sorted(self.frozen):
            size = self.assignment.of[self.old.body.arguments[i]].size
            nbytes = evaluate(size, {})
            self.weight_offsets[i] = offset
            described.append(attribute({"argument": i, "offset": offset, "bytes": nbytes}))
            offset += -(-nbytes // ALIGNMENT) * ALIGNMENT
        return described, offset

    def _input(self, argument: int) -> Attribute:
        given = self.arguments[argument]
        return attribute(
            {
                "name": given.get("kernel.name", f"arg{argument}"),
                "role": given.get("kernel.role", "input"),
                "type": self.old.body.arguments[argument].type,
            }
        )

    def _output(self, result: int) -> Attribute:
        described = {
            "name": self.results[result].get("kernel.name", f"output_{result}"),
            "type": self.old.body.terminator.operands[result].type,
        }
        donor = donated_argument(self.old, result)
        if donor is not None:
            described["donates"] = self.input_of[donor]
        return attribute(described)

    def _buffer(self, cell: Cell, wanted: Type) -> Value:
        """The buffer of a cell with the type that a kernel wants."""
        home = cell.memory()
        own = self._own(home)
        found = self.buffers.get((home, wanted))
        if found is None:
            base = self.buffers.get((home, own))
            if base is None:
                base = self.buffers[home, own] = self._make(home, own)
            b = self.builders[_block_of(base)]
            found = base if wanted is own else b.create("plan.view", [base], None, [wanted]).result
            self.buffers[home, wanted] = found
        return found

    def _own(self, cell: Cell) -> MemRefType:
        """The type of a cell's memory."""
        home = cell.memory()
        type = home.type if home.type is not None else self.types[home if home in self.types else cell]
        return buffer_type(type)  # type: ignore[arg-type]

    def _make(self, cell: Cell, type: Type) -> Value:
        if cell.part is not None:
            return self._part(cell.part, type)
        return self._root(cell, type)

    def _part(self, part: Part, type: Type) -> Value:
        base = self._buffer(part.base, self._own(part.base))
        if part.phase is not None:
            assert part.stride is not None
            attributes: dict[str, Any] = {"bytes": DimsAttr((part.stride,)), "phase": part.phase}
            return self.bodies[part.scan].create("plan.turn", [base], attributes, [type]).result
        attributes = {"offset": DimsAttr((part.offset,))}
        b = self.builders[_block_of(base)]
        if part.stride is not None:
            attributes["stride"] = DimsAttr((part.stride,))
            b = self.bodies[part.scan]
        return b.create("plan.part", [base], attributes, [type]).result

    def _root(self, cell: Cell, type: Type) -> Value:
        if cell.place == "argument":
            if cell.index in self.frozen:
                attributes: dict[str, Any] = {"offset": self.weight_offsets[cell.index]}
                return self.top.create("plan.weight", (), attributes, [type]).result
            return self.top.create("plan.input", (), {"index": self.input_of[cell.index]}, [type]).result
        if cell.place == "result":
            return self.top.create("plan.output", (), {"index": cell.index}, [type]).result
        if cell.place == "constant":
            assert cell.constant is not None
            return self.top.create("plan.constant", (), {"value": cell.constant.attributes["value"]}, [type]).result
        return self._arena(cell, type)

    def _arena(self, key: Cell | int, type: Type) -> Value:
        offset, nbytes = self.places[key]
        attributes = {"offset": DimsAttr((offset,)), "bytes": DimsAttr((nbytes,))}
        return self.top.create("plan.arena", (), attributes, [type]).result

    def _copies(self) -> None:
        self.b.location = self.old.location
        staged = []
        copies = sorted(self.assignment.copies, key=lambda c: donated_argument(self.old, c.result) is not None)
        for copy in copies:
            type = buffer_type(self.old.body.terminator.operands[copy.result].type)
            source = self._buffer(copy.source, type)
            if copy.staged and donated_argument(self.old, copy.result) is not None:
                waiting = self._arena(copy.result, type)
                self._copy(source, waiting, copy.source.size)
                staged.append((waiting, copy, type))
            else:
                self._copy(source, self._target(copy.result, type), copy.source.size)
        for waiting, copy, type in staged:
            self._copy(waiting, self._target(copy.result, type), copy.source.size)

    def _target(self, result: int, type: Type) -> Value:
        donor = donated_argument(self.old, result)
        if donor is None:
            return self.b.create("plan.output", (), {"index": result}, [type]).result
        return self._buffer(self.assignment.of[self.old.body.arguments[donor]], type)

    def _copy(self, source: Value, target: Value, size: Dim) -> None:
        self.b.create("plan.copy", [source, target], {"bytes": DimsAttr((size,))}, ())
