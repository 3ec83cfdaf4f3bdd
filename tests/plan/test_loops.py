"""Random scans of kernels that do nothing: every kernel of the plan finds its values, and no two race.

A value is the name of what made it, from which operands. The scans run on names; their plans run on a memory of names,
in which an element is ITEM bytes. Between two barriers, no kernel touches what another one writes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.entry_text import COPY_GRAIN
from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView, create_scan, sequence_type, step_type
from kcompile.dialects.plan import one_dim
from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, IntArrayAttr
from kcompile.ir.core import Block, Operation, Value, find_function
from kcompile.ir.dims import evaluate, symbol
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify
from kcompile.transforms.plan.insert_barriers import EVERY_RUN, barriers_of, insert_barriers
from kcompile.transforms.plan.order_kernels import order_kernels
from kcompile.transforms.plan.plan_memory import plan_memory
from tests.plan.modules import Choose, declare_kernel

FIRST_WORKER = 0  # whose small copies are: they never race with one another
ITEM = 32  # bytes of a step: eight floats
STEP = TensorType((8,), t.f32)
SIZES = {"b": 2, "T": 3}
LENGTHS = (1, 2, 3, symbol("T"))
Names = list[str]


class Maker:
    """A function of scans, chosen at random."""

    def __init__(self, choose: Choose):
        self.choose = choose
        self.kernels = 0
        sequences = [TensorType((n, 8), t.f32) for n in LENGTHS]
        self.b = GraphBuilder.function("main", [STEP, STEP, *sequences])
        known = list(self.b.block.arguments)
        for _ in range(choose(1, 3)):
            self.kernel(self.b, known)
            self.scan(self.b, known, 1)
        returned = [known[choose(0, len(known) - 1)] for _ in range(choose(1, 3))]
        function = self.b.ret(*returned)
        function["arg_attrs"] = tuple({"kernel.role": "input", "kernel.name": f"a{i}"} for i in range(6))
        function["res_attrs"] = tuple({"kernel.name": f"out{i}"} for i in range(len(returned)))

    def pick(self, known: list[Value], wanted: t.Type | None = None) -> Value:
        fitting = [v for v in known if wanted is None or v.type is wanted]
        return fitting[self.choose(max(0, len(fitting) - 6), len(fitting) - 1)]

    def kernel(self, b: GraphBuilder, known: list[Value]) -> None:
        operands = [self.pick(known) for _ in range(self.choose(1, 3))]
        kind = operands[0].type if self.choose(0, 2) == 0 else STEP
        results = [kind] * self.choose(1, 2)
        call = b.create("kernel.call", operands, {}, results)
        call.attributes.update(declare_kernel(self.b.module, f"k{self.kernels}", [v.type for v in operands], results))
        same = tuple(i for i, v in enumerate(operands) if v.type is kind and self.choose(0, 1))
        call.attributes["kernel.in_place"] = ArrayAttr(tuple(IntArrayAttr(same) for _ in results))
        self.kernels += 1
        known += call.results

    def scan(self, b: GraphBuilder, known: list[Value], depth: int) -> None:
        length = LENGTHS[self.choose(0, len(LENGTHS) - 1)]
        carries = [self.pick(known, STEP) for _ in range(self.choose(0, 3))]
        sequences = [v for v in known if t.shape_of(v.type)[:1] == (length,) and len(t.shape_of(v.type)) > 1]
        xs = [self.pick(sequences) for _ in range(self.choose(0, 2))] if sequences else []
        consts = [self.pick(known) for _ in range(self.choose(1, 2))]
        body = Block([*(v.type for v in carries), *(step_type(v.type) for v in xs), *(v.type for v in consts)])
        inner, inside = GraphBuilder(body), [*body.arguments]
        if not any(v.type is STEP for v in inside):
            return
        for _ in range(self.choose(1, 4)):
            self.kernel(inner, inside)
        if depth and self.choose(0, 2) == 0:
            self.scan(inner, inside, depth - 1)
        yielded = [self.pick(inside, STEP) for _ in carries]
        yielded += [self.pick(inside) for _ in range(self.choose(0, 2))]
        inner.create("graph.yield", yielded, None, ())
        known += create_scan(b, body, carries, xs, consts, length, bool(self.choose(0, 1))).results


class EqualMaker(Maker):
    """Loops, one in another now and then, in which every buffer could serve for every other one.

    All values are a step; kernels may overwrite whatever they read, carries may stay, swap or join, and most results
    are not used: a buffer that the plan forgets to keep for the next step is written over.
    """

    def __init__(self, choose: Choose):
        self.choose = choose
        self.kernels = 0
        self.b = GraphBuilder.function("main", [STEP, STEP])
        known = list(self.b.block.arguments)
        for _ in range(choose(1, 3)):
            self.kernel(self.b, known)
        for _ in range(choose(1, 2)):
            self.scan(self.b, known, 1)
            for _ in range(choose(0, 2)):
                self.kernel(self.b, known)
        returned = [known[choose(0, len(known) - 1)] for _ in range(choose(1, 2))]
        function = self.b.ret(*returned)
        function["arg_attrs"] = tuple({"kernel.role": "input", "kernel.name": f"a{i}"} for i in range(2))
        function["res_attrs"] = tuple({"kernel.name": f"out{i}"} for i in range(len(returned)))

    def pick(self, known: list[Value], wanted: t.Type | None = None) -> Value:
        fitting = [v for v in known if v.type is STEP]
        return fitting[self.choose(0, len(fitting) - 1)]

    def kernel(self, b: GraphBuilder, known: list[Value]) -> None:
        operands = [self.pick(known) for _ in range(self.choose(1, 2))]
        results = [STEP] * self.choose(1, 2)
        call = b.create("kernel.call", operands, {}, results)
        call.attributes.update(declare_kernel(self.b.module, f"k{self.kernels}", [v.type for v in operands], results))
        every = IntArrayAttr(tuple(range(len(operands))))
        call.attributes["kernel.in_place"] = ArrayAttr((every,) * len(results))
        self.kernels += 1
        known += call.results

    def scan(self, b: GraphBuilder, known: list[Value], depth: int) -> None:
        length = LENGTHS[self.choose(1, len(LENGTHS) - 1)]
        carries = [self.pick(known) for _ in range(self.choose(2, 4))]
        consts = [self.pick(known) for _ in range(self.choose(0, 1))]
        body = Block([v.type for v in (*carries, *consts)])
        inner, inside = GraphBuilder(body), [*body.arguments]
        for _ in range(self.choose(1, 3)):
            self.kernel(inner, inside)
        if depth and self.choose(0, 3) == 0:
            self.scan(inner, inside, depth - 1)
            self.kernel(inner, inside)
        yielded = [self.pick(inside) for _ in range(len(carries) + self.choose(0, 1))]
        inner.create("graph.yield", yielded, None, ())
        known += create_scan(b, body, carries, [], consts, length, bool(self.choose(0, 1))).results


def count(type: Any) -> int:
    """The steps that a tensor holds."""
    shape = t.shape_of(type)
    total = 1
    for dim in shape[:-1]:
        total *= evaluate(dim, SIZES)
    return total


def run_names(block: Block, names: dict[Value, Names]) -> list[Names]:
    """What a block of scans and kernels yields, as names."""
    for op in block.ops:
        if op.name == "kernel.call":
            read = [names[v] for v in op.operands]
            for i, result in enumerate(op.results):
                names[result] = made(op["callee"], i, read, count(result.type))
        elif op.name == "graph.scan":
            view = ScanView(op)
            length = evaluate(view.length, SIZES)
            carried = [names[v] for v in view.carries]
            stacks: list[list[Names]] = [[[]] * length for _ in view.stacks]
            for step in reversed(range(length)) if view.reverse else range(length):
                part = [
                    names[x][step * count(a.type) : (step + 1) * count(a.type)] for x, a in zip(view.xs, view.steps)
                ]
                consts = [names[v] for v in view.consts]
                inside = dict(zip(view.body.arguments, [*carried, *part, *consts], strict=True))
                found = run_names(view.body, inside)
                carried = found[: len(carried)]
                for stack, value in zip(stacks, found[len(carried) :], strict=True):
                    stack[step] = value
            names.update(zip(view.finals, carried, strict=True))
            names.update((r, [n for s in stack for n in s]) for r, stack in zip(view.stacks, stacks, strict=True))
    return [names[v] for v in block.terminator.operands]


def made(kernel: str, result: int, read: list[Names], size: int) -> Names:
    return [f"{kernel}.{result}.{i}({hash(tuple(map(tuple, read)))})" for i in range(size)]


@dataclass
class Memory:
    """Names by place, and what was touched since the last barrier: (place, who reads, who writes)."""

    names: dict[tuple[Any, int], str] = field(default_factory=dict)
    reads: dict[tuple[Any, int], int] = field(default_factory=dict)
    writes: dict[tuple[Any, int], int] = field(default_factory=dict)
    turn: int = 0
    barriers: int = 0

    def barrier(self) -> None:
        self.barriers += 1
        self.reads, self.writes = {}, {}

    def get(self, places: list[tuple[Any, int]]) -> Names:
        for place in places:
            assert self.writes.get(place, self.turn) == self.turn, f"a race at {place}: reads what is being written"
            self.reads[place] = self.turn if self.reads.get(place, self.turn) == self.turn else -1
        return [self.names.get(place, "nothing") for place in places]

    def put(self, places: list[tuple[Any, int]], names: Names) -> None:
        for place, name in zip(places, names, strict=True):
            assert self.writes.get(place, self.turn) == self.turn, f"a race at {place}: two write"
            assert self.reads.get(place, self.turn) == self.turn, f"a race at {place}: writes what is being read"
            self.writes[place] = self.turn
            self.names[place] = name


class Machine:
    """Runs a plan on a memory of names."""

    def __init__(self, in_place: dict[str, tuple[int, ...]]):
        self.memory = Memory()
        self.in_place = in_place
        self.address: dict[Value, tuple[Any, int]] = {}
        self.outputs: dict[int, list[tuple[Any, int]]] = {}

    def places(self, buffer: Value) -> list[tuple[Any, int]]:
        space, start = self.address[buffer]
        sizes = [evaluate(symbol("T"), SIZES) if d == t.DYNAMIC else d for d in buffer.type.shape]  # type: ignore[attr-defined]
        size = 4
        for n in sizes:
            size *= n
        return [(space, start + i) for i in range(0, size, ITEM)]

    def run(self, block: Block, step: int = 0, left: int = 0) -> None:
        for op in block.ops:
            self.memory.turn += 1
            if op.name == "plan.call":
                split = len(op.operands) - op["outputs"]
                read = [self.memory.get(self.places(v)) for v in op.operands[:split]]
                for i, result in enumerate(op.operands[split:]):
                    places = self.places(result)
                    for k, operand in enumerate(op.operands[:split]):
                        if set(places) & set(self.places(operand)):
                            assert k in self.in_place[op["callee"]], f"{op['callee']} overwrites operand {k}"
                    self.memory.put(places, made(op["callee"], i, read, len(places)))
            elif op.name == "plan.copy":
                size = evaluate(one_dim(op["bytes"]), SIZES) // ITEM
                source, target = (self.places(v)[:size] for v in op.operands)
                assert not set(source) & set(target)
                turn = self.memory.turn
                if isinstance(one_dim(op["bytes"]), int) and one_dim(op["bytes"]) <= COPY_GRAIN:
                    self.memory.turn = FIRST_WORKER
                self.memory.put(target, self.memory.get(source))
                self.memory.turn = turn
            elif op.name == "plan.barrier":
                self.memory.barrier()
            elif op.name == "plan.loop":
                length = evaluate(one_dim(op["length"]), SIZES)
                for k in range(length):
                    self.run(op.body, length - 1 - k if op["reverse"] else k, length - k)
            elif op.results:
                self.address[op.result] = self.locate(op, step, left)
                if op.name == "plan.output":
                    self.outputs[op["index"]] = self.places(op.result)

    def locate(self, op: Operation, step: int, left: int) -> tuple[Any, int]:
        if op.name == "plan.input":
            return ("input", op["index"]), 0
        if op.name == "plan.output":
            return ("output", op["index"]), 0
        if op.name == "plan.arena":
            return "arena", evaluate(one_dim(op["offset"]), SIZES)
        space, start = self.address[op.operands[0]]
        if op.name == "plan.part":
            start += evaluate(one_dim(op["offset"]), SIZES)
            return space, start + step * evaluate(one_dim(op.get("stride", 0)), SIZES)
        if op.name == "plan.turn":
            return space, start + ((left + op["phase"]) & 1) * evaluate(one_dim(op["bytes"]), SIZES)
        return space, start


@settings(max_examples=200)
@given(st.data(), st.booleans())
def test_every_kernel_of_a_loop_finds_its_operands_and_nothing_races(data: st.DataObject, order: bool) -> None:
    check(Maker(lambda low, high: data.draw(st.integers(low, high))).b.module, order)


@settings(max_examples=200)
@given(st.integers(0, 1 << 32), st.booleans())
def test_what_the_next_step_reads_is_not_overwritten_in_this_one(seed: int, order: bool) -> None:
    """Chosen evenly: small choices first, as above, seldom make many buffers that compete."""
    check(EqualMaker(random.Random(seed).randint).b.module, order)


def check(module: Operation, order: bool) -> None:
    """The plan of a function gives the names that the function gives."""
    verify(module)
    main = find_function(module, "main")
    arguments = [[f"argument {i}.{k}" for k in range(count(a.type))] for i, a in enumerate(main.body.arguments)]
    expected = run_names(main.body, dict(zip(main.body.arguments, arguments, strict=True)))
    in_place = {op["callee"]: op["kernel.in_place"][0] for op in module.walk() if op.name == "kernel.call"}
    if order:
        order_kernels(module)
    plan_memory(module)
    insert_barriers(module)
    verify(module)
    text = print_operation(module)
    assert print_operation(parse_module(text)) == text
    machine = Machine(in_place)
    for i, names in enumerate(arguments):
        machine.memory.names.update(((("input", i), k * ITEM), name) for k, name in enumerate(names))
    plan = find_function(module, "main").body
    machine.run(plan)
    counted = barriers_of(plan).get(EVERY_RUN, 0)  # the price of a team, in codegen/entry.py
    assert evaluate(counted, SIZES) == machine.memory.barriers
    for i, names in enumerate(expected):
        assert [machine.memory.names.get(place) for place in machine.outputs[i]] == names, f"output {i}"


@pytest.mark.parametrize("length", [2, symbol("T")], ids=str)
def test_a_carry_that_is_overwritten_in_place_needs_one_buffer(length: Any) -> None:
    b = GraphBuilder.function("main", [STEP, sequence_type(STEP, length)])
    body = Block([STEP, STEP])
    inner = GraphBuilder(body)
    call = inner.create("kernel.call", body.arguments, {}, [STEP])
    call.attributes.update(declare_kernel(b.module, "k", [STEP, STEP], [STEP]))
    call.attributes["kernel.in_place"] = ArrayAttr((IntArrayAttr((0,)),))
    inner.create("graph.yield", call.results, None, ())
    b.ret(create_scan(b, body, [b.argument(0)], [b.argument(1)], [], length).result)
    module = b.module
    plan_memory(module)
    assert one_dim(find_function(module, "main")["plan.arena"]) == 0  # it lives in the result
