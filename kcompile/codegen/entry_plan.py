"""The operations of a plan as LLVM text: calls, copies, barriers, pointers to buffers, and loops around them.

%k = phi i64 ..                 plan.loop
%s = mul i64 %k, stride         plan.part: a step of a buffer
%p = getelementptr i8, ..
call void @kernel(ptr %p, ..)
call void @barrier(..)
"""

from __future__ import annotations

from kcompile.codegen.entry_text import Text, string_constant
from kcompile.codegen.interface import stored_bytes
from kcompile.codegen.text import symbol_name
from kcompile.dialects.plan import BarrierKey, barrier_key, one_dim
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, find_function


class PlanPrinter:
    """Prints the blocks of a plan into `text`, the body function of target number `index` of the model `name`."""

    def __init__(self, module: Operation, name: str, index: int, text: Text):
        self.module = module
        self.name = name
        self.index = index
        self.text = text
        self.constants: list[str] = []
        self.pointers: dict[Value, str] = {}
        self.turns: list[tuple[str, str]] = []  # of each loop around: the step's number, and how many are left
        self.teams: dict[BarrierKey, str] = {}  # whom a barrier is for: one worker waits for nobody

    def plan(self, function: Operation) -> None:
        """The whole plan; what barriers depend on is computed first."""
        for op in function.walk():
            if op.name == "plan.barrier" and "unless" in op.attributes and barrier_key(op) not in self.teams:
                self.teams[barrier_key(op)] = self.waiting(op)
        self.block(function.body)

    def waiting(self, barrier: Operation) -> str:
        """The number of workers that wait at a barrier: the team, or 1 if it divides all that the barrier names."""
        even = self.text.divides_all("%team", *barrier_key(barrier))
        return self.text.new(f"select i1 {even}, i32 1, i32 %team32")

    def block(self, block: Block) -> None:
        for op in block.ops:
            self.operation(op)

    def operation(self, op: Operation) -> None:
        text, pointers = self.text, self.pointers
        if op.name == "plan.call":
            symbols = find_function(self.module, op["callee"]).get("kernel.symbols", ())
            arguments = [f"ptr {pointers[v]}" for v in op.operands]
            arguments += [f"i64 {text.symbols[s]}" for s in symbols] + ["i64 %tid", "i64 %team"]
            text.line(f"call void @{symbol_name(op['callee'], f'.{self.index}')}({', '.join(arguments)})")
        elif op.name == "plan.copy":
            source, target = (pointers[v] for v in op.operands)
            nbytes = text.dim(one_dim(op["bytes"]))
            arguments = [f"ptr {target}", f"ptr {source}", f"i64 {nbytes}", "i64 %tid", "i64 %team"]
            text.line(f"call void @{self.name}_copy_{self.index}({', '.join(arguments)})")
        elif op.name == "plan.barrier":
            team = self.teams.get(barrier_key(op), "%team32")
            text.line(f"call void @{self.name}_barrier_{self.index}(ptr %arena, ptr %env, i32 %tid32, i32 {team})")
        elif op.name == "plan.loop":
            self.loop(op)
        elif op.name == "plan.return":
            text.line("ret void")
        elif op.name != "plan.next":
            pointers[op.result] = self.pointer(op)

    def loop(self, op: Operation) -> None:
        """The body between the labels of a counting loop."""
        text = self.text
        length = text.dim(one_dim(op["length"]))
        number = text.name().removeprefix("%")
        before = text.current()
        text.line(f"br label %turn_{number}")
        text.enter(f"turn_{number}")
        end = len(text.lines)  # the phi is completed when the body's last label is known
        text.line("; phi")
        more = text.new(f"icmp slt i64 %k_{number}, {length}")
        text.line(f"br i1 {more}, label %step_{number}, label %done_{number}")
        text.enter(f"step_{number}")
        known = text.known()
        left = text.new(f"sub i64 {length}, %k_{number}")
        step = text.new(f"sub i64 {left}, 1") if op["reverse"] else f"%k_{number}"
        self.turns.append((step, left))
        self.block(op.body)
        self.turns.pop()
        following = text.new(f"add i64 %k_{number}, 1")
        text.lines[end] = f"  %k_{number} = phi i64 [ 0, %{before} ], [ {following}, %{text.current()} ]"
        text.line(f"br label %turn_{number}")
        text.enter(f"done_{number}")
        text.restore(known)

    def pointer(self, op: Operation) -> str:
        """Where a buffer starts."""
        text = self.text
        if op.name == "plan.view":
            return self.pointers[op.operands[0]]
        if op.name in ("plan.input", "plan.output"):
            table = "%in" if op.name == "plan.input" else "%out"
            return text.new(f"load ptr, ptr {text.offset(table, 8 * op['index'])}")
        if op.name == "plan.weight":
            return text.offset("%weights", op["offset"])
        if op.name == "plan.arena":
            return text.new(f"getelementptr i8, ptr %base, i64 {text.dim(one_dim(op['offset']))}")
        if op.name == "plan.scratch":
            return text.offset("%scratch", op["offset"])
        if op.name in ("plan.part", "plan.turn"):
            return self.part(op)
        if op.name == "plan.constant":
            symbol = f"@{self.name}_constant_{self.index}_{len(self.constants)}"
            data = stored_bytes(op["value"], t.element_of(op.attributes["value"].type))  # type: ignore[attr-defined]
            self.constants.append(f"{symbol} = internal constant [{len(data)} x i8] {string_constant(data)}, align 64")
            return symbol
        raise IRError(f"{op.name} has no place in a plan", str(op.location))

    def part(self, op: Operation) -> str:
        """A pointer into another buffer."""
        text, pointer = self.text, self.pointers[op.operands[0]]
        if op.name == "plan.turn":
            _, left = self.turns[-1]
            sum_ = text.new(f"add i64 {left}, {op['phase']}")
            half = text.new(f"and i64 {sum_}, 1")
            skip = text.new(f"mul i64 {half}, {text.dim(one_dim(op['bytes']))}")
            return text.new(f"getelementptr i8, ptr {pointer}, i64 {skip}")
        offset = one_dim(op["offset"])
        if offset != 0:
            pointer = text.new(f"getelementptr i8, ptr {pointer}, i64 {text.dim(offset)}")
        if "stride" in op.attributes:
            step, _ = self.turns[-1]
            skip = text.new(f"mul i64 {step}, {text.dim(one_dim(op['stride']))}")
            pointer = text.new(f"getelementptr i8, ptr {pointer}, i64 {skip}")
        return pointer
