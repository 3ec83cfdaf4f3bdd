"""Random kernel-level modules whose kernels do nothing, and a machine that checks a plan by carrying names of values.

Every kernel has its own name, so a plan.call says which kernel.call it came from. The machine keeps, for every byte
range of every memory, the name of the value that was written there last: a plan is right when every kernel finds the
values that it asked for, and every output and state holds its own at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.plan import one_dim
from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, IntArrayAttr
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.dims import evaluate, symbol
from kcompile.ir.types import FunctionType, TensorType
from kcompile.strategies.parts.frame import buffer_type
from kcompile.transforms.plan.annotate_calls import tensor_bytes
from kcompile.transforms.plan.places import Place, place_of

B = symbol("b")
Choose = Callable[[int, int], int]
SHAPES = ((B, 8), (B, 8), (B, 100), (40,), (16, 16), (B, 4, 2))


@dataclass
class Program:
    """A module before planning, with what its plan must do: the names of values by kernel, output and state."""

    module: Operation
    reads: dict[str, list[str]]
    makes: dict[str, list[str]]
    returned: list[str]
    donors: list[int | None]
    in_place: dict[str, tuple[int, ...]] = field(default_factory=dict)  # operands that the results may overwrite
    roles: list[str] = field(default_factory=list)


def random_program(choose: Choose) -> Program:
    """A few arguments of all roles, up to 14 kernels with 1 or 2 results, reshapes; any values are returned."""
    count = choose(1, 5)
    types = [TensorType(SHAPES[choose(0, len(SHAPES) - 1)], t.f32) for _ in range(count)]
    roles = [("input", "weight", "state")[choose(0, 2)] for _ in range(count)]
    roles = ["input" if r == "weight" and B in x.shape else r for r, x in zip(roles, types, strict=True)]
    b = GraphBuilder.function("main", types)
    known: list[Value] = list(b.block.arguments)
    name: dict[Value, str] = {v: f"argument {i}" for i, v in enumerate(known)}
    program = Program(b.module, {}, {}, [], [], roles=roles)
    for k in range(choose(1, 14)):
        if choose(0, 5) == 0:
            source = known[choose(0, len(known) - 1)]
            if source.type.shape[:1] == (B,) and len(source.type.shape) == 2:  # type: ignore[attr-defined]
                view = b.reshape(source, shape=(*source.type.shape, 1))  # type: ignore[attr-defined]
                name[view] = name[source]
                known.append(view)
        operands = [known[choose(max(0, len(known) - 6), len(known) - 1)] for _ in range(choose(1, 3))]
        shape = operands[0].type.shape if choose(0, 1) else SHAPES[choose(0, len(SHAPES) - 1)]  # type: ignore[attr-defined]
        results = [TensorType(shape, t.f32)] * choose(1, 2)
        call = b.create("kernel.call", operands, {}, results)
        call.attributes.update(declare_kernel(b.module, f"k{k}", [v.type for v in operands], results))
        same = tuple(i for i, v in enumerate(operands) if v.type is results[0] and choose(0, 1))
        call.attributes["kernel.in_place"] = ArrayAttr(tuple(IntArrayAttr(same) for _ in results))
        program.in_place[f"k{k}"] = same
        program.reads[f"k{k}"] = [name[v] for v in operands]
        program.makes[f"k{k}"] = [f"k{k} result {i}" for i in range(len(results))]
        for i, value in enumerate(call.results):
            name[value] = f"k{k} result {i}"
            known.append(value)
    _returns(b, choose, known, name, program)
    return program


def declare_kernel(module: Operation, name: str, inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    from kcompile.ir.attributes import SymbolRefAttr

    formals = (*(buffer_type(x) for x in (*inputs, *outputs)), t.index, t.index, t.index)
    body = Block(list(formals))
    body.append(Operation("func.return"))
    function = Operation("func.func", (), (), {}, [Region([body])])
    function["sym_name"] = name
    function["function_type"] = FunctionType(formals, ())
    function["kernel.symbols"] = ("b",)
    function["kernel.outputs"] = len(outputs)
    module.body.append(function)
    return {"callee": SymbolRefAttr(name)}


def _returns(b: GraphBuilder, choose: Choose, known: list[Value], name: dict[Value, str], program: Program) -> None:
    results: list[Value] = []
    attributes: list[dict[str, Any]] = []
    for i in range(choose(1, 3)):
        results.append(known[choose(0, len(known) - 1)])
        attributes.append({"kernel.name": f"out{i}"})
        program.donors.append(None)
    for i, argument in enumerate(list(b.block.arguments)):
        if program.roles[i] != "state":
            continue
        fitting = [v for v in known if v.type is argument.type]
        results.append(fitting[choose(0, len(fitting) - 1)])
        attributes.append({"kernel.name": f"state{i}", "kernel.donates": i})
        program.donors.append(i)
    program.returned = [name[v] for v in results]
    function = b.ret(*results)
    function["arg_attrs"] = tuple({"kernel.role": r, "kernel.name": f"a{i}"} for i, r in enumerate(program.roles))
    function["res_attrs"] = tuple(attributes)


class Machine:
    """Memories by place; each a list of (low, high, name) that never overlap."""

    def __init__(self, batch: int):
        self.sizes = {"b": batch}
        self.memory: dict[Any, list[tuple[int, int, str]]] = {}

    def range_of(self, buffer: Value) -> tuple[Any, int, int]:
        place: Place = place_of(buffer)
        tensor = TensorType(tuple(self._shape(buffer)), t.f32)
        offset = evaluate(place.offset, self.sizes) if place.kind == "plan.arena" else 0
        return (place.kind, place.index), offset, offset + evaluate(tensor_bytes(tensor), self.sizes)

    def _shape(self, buffer: Value) -> list[Any]:
        return [B if d == t.DYNAMIC else d for d in buffer.type.shape]  # type: ignore[attr-defined]

    def overlap(self, one: Value, other: Value) -> bool:
        (key, low, high), (other_key, other_low, other_high) = self.range_of(one), self.range_of(other)
        return key == other_key and low < other_high and other_low < high

    def write(self, buffer: Value, name: str) -> None:
        key, low, high = self.range_of(buffer)
        kept = [(a, z, n) for a, z, n in self.memory.get(key, []) if z <= low or a >= high]
        self.memory[key] = [*kept, (low, high, name)]

    def read(self, buffer: Value) -> str:
        key, low, high = self.range_of(buffer)
        for a, z, name in self.memory.get(key, []):
            if (a, z) == (low, high):
                return name
        return f"nothing whole at {key} {low}..{high}"


def run_plan(program: Program, planned: Operation, batch: int) -> None:
    """Carry the names of values through a plan; AssertionError where a kernel would read something else."""
    machine = Machine(batch)
    main = find_function(planned, "main")
    inputs = [p["name"] for p in main["plan.inputs"]]
    frozen = {p["offset"]: p["argument"] for p in main["plan.weights"]}
    arena = evaluate(one_dim(main["plan.arena"]), machine.sizes)
    homes: dict[tuple[str, int], Value] = {}
    for op in main.body.ops:
        if op.name == "plan.input":
            machine.write(op.result, f"argument {inputs[op['index']][1:]}")
            homes["input", op["index"]] = op.result
        elif op.name == "plan.weight":
            machine.write(op.result, f"argument {frozen[op['offset']]}")
        elif op.name == "plan.output":
            homes["output", op["index"]] = op.result
        elif op.name == "plan.arena":
            assert machine.range_of(op.result)[2] <= arena
        elif op.name == "plan.call":
            split = len(op.operands) - op["outputs"]
            found = [machine.read(v) for v in op.operands[:split]]
            assert found == program.reads[op["callee"]], op["callee"]
            for i, operand in enumerate(op.operands[:split]):
                if any(machine.overlap(operand, v) for v in op.operands[split:]):
                    assert i in program.in_place[op["callee"]], f"{op['callee']} overwrites operand {i}"
            for value, made in zip(op.operands[split:], program.makes[op["callee"]], strict=True):
                machine.write(value, made)
        elif op.name == "plan.copy":
            machine.write(op.operands[1], machine.read(op.operands[0]))
    for i, (name, donor) in enumerate(zip(program.returned, program.donors, strict=True)):
        if donor is None:
            assert machine.read(homes["output", i]) == name, f"output {i}"
        else:
            index = main["plan.outputs"][i]["donates"]
            if ("input", index) in homes:
                assert machine.read(homes["input", index]) == name, f"state {donor}"
            else:
                assert name == f"argument {donor}", f"state {donor} is not written"
