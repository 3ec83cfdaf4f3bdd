"""plan-memory, insert-barriers, order-kernels on random kernel lists: every kernel gets the right values."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.entry_text import COPY_GRAIN
from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.plan import one_dim
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import evaluate
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify
from kcompile.transforms.plan.insert_barriers import insert_barriers, touched
from kcompile.transforms.plan.order_kernels import order_kernels
from kcompile.transforms.plan.plan_memory import plan_memory
from tests.plan.modules import Program, declare_kernel, random_program, run_plan


@st.composite
def programs(draw: st.DrawFn) -> Program:
    return random_program(lambda low, high: draw(st.integers(low, high)))


def planned(program: Program, freeze: bool = True, order: bool = True) -> Operation:
    module = program.module.clone()
    if order:
        order_kernels(module)
    plan_memory(module, freeze=freeze)
    insert_barriers(module)
    return module


@settings(max_examples=150)
@given(programs(), st.booleans(), st.booleans(), st.integers(1, 40))
def test_every_kernel_finds_its_operands(program: Program, freeze: bool, order: bool, batch: int) -> None:
    run_plan(program, planned(program, freeze, order), batch)


@settings(max_examples=60)
@given(programs())
def test_plans_verify_and_read_back(program: Program) -> None:
    module = planned(program)
    verify(module)
    text = print_operation(module)
    assert print_operation(parse_module(text)) == text


def is_small_copy(op: Operation) -> bool:
    """One that the first worker does alone."""
    size = one_dim(op["bytes"]) if op.name == "plan.copy" else None
    return isinstance(size, int) and size <= COPY_GRAIN


@settings(max_examples=60)
@given(programs())
def test_between_two_barriers_no_kernel_touches_what_another_writes(program: Program) -> None:
    section: list[Operation] = []
    for op in find_function(planned(program), "main").body.ops:
        if op.name == "plan.barrier":
            section = []
        if op.name not in ("plan.call", "plan.copy"):
            continue
        reads, writes = touched(op)
        for before in section:
            if is_small_copy(op) and is_small_copy(before):
                continue
            old_reads, old_writes = touched(before)
            for mine in writes:
                assert not any(mine.overlaps(other) for other in (*old_reads, *old_writes))
            for mine in reads:
                assert not any(mine.overlaps(other) for other in old_writes)
        section.append(op)


@settings(max_examples=60)
@given(programs())
def test_a_new_order_keeps_the_kernels_and_their_dependences(program: Program) -> None:
    module = program.module.clone()
    before = sorted(op["callee"] for op in module.walk() if op.name == "kernel.call")
    order_kernels(module)
    verify(module)
    assert sorted(op["callee"] for op in module.walk() if op.name == "kernel.call") == before


def test_a_new_order_frees_early() -> None:
    """Four large values, each summed to a small one: one large buffer at a time instead of four."""
    large, small = TensorType((64, 64), t.f32), TensorType((), t.f32)
    b = GraphBuilder.function("main", [large])
    bigs = [call(b, f"big{i}", [b.argument(0)], large) for i in range(4)]
    sums = [call(b, f"sum{i}", [big], small) for i, big in enumerate(bigs)]
    b.ret(call(b, "join", sums, small))
    assert arena_of(b.module, order=False) >= 4 * 64 * 64 * 4
    assert arena_of(b.module, order=True) <= 64 * 64 * 4 + 4 * 64


def test_states_that_swap_are_saved_first() -> None:
    kind = TensorType((8,), t.f32)
    b = GraphBuilder.function("main", [kind, kind])
    one, two = b.block.arguments
    function = b.ret(two, one)
    function["arg_attrs"] = tuple({"kernel.role": "state", "kernel.name": f"a{i}"} for i in range(2))
    function["res_attrs"] = tuple({"kernel.name": f"a{i}", "kernel.donates": i} for i in range(2))
    program = Program(b.module, {}, {}, ["argument 1", "argument 0"], [0, 1], roles=["state", "state"])
    run_plan(program, planned(program), 1)


def call(b: GraphBuilder, name: str, operands: list[Value], result: TensorType) -> Value:
    made = b.create("kernel.call", operands, {}, [result])
    made.attributes.update(declare_kernel(b.module, name, [v.type for v in operands], [result]))
    return made.result


def arena_of(module: Operation, order: bool) -> int:
    program = Program(module, {}, {}, [], [])
    return evaluate(one_dim(find_function(planned(program, order=order), "main")["plan.arena"]), {"b": 32})


@settings(max_examples=40)
@given(programs())
def test_planning_is_deterministic(program: Program) -> None:
    assert print_operation(planned(program)) == print_operation(planned(program))


def test_weights_have_aligned_places_that_do_not_overlap() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    for _ in range(30):
        main = find_function(planned(random_program(lambda low, high: int(rng.integers(low, high + 1)))), "main")
        places = [(w["offset"], w["offset"] + w["bytes"]) for w in main["plan.weights"]]
        assert all(low % 64 == 0 for low, _ in places)
        assert all(a[1] <= b[0] for a, b in pairwise(places))
        assert all(high <= main["plan.weights_bytes"] for _, high in places)
