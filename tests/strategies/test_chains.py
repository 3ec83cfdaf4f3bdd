"""Loops cut between dear functions: the same values, by as many loops as the deepest chain has functions."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import DYNAMIC, MemRefType
from kcompile.strategies.parts.chains import split_chains

ROWS, LANES = 5, 4
BUFFER = MemRefType((DYNAMIC, LANES), t.f32)
Step = tuple[str, int, int]  # an operation and which of the values before it reads, from the last one back

steps = st.lists(
    st.tuples(st.sampled_from(["exp", "tanh", "add", "mul", "select"]), st.integers(0, 8), st.integers(0, 8)),
    min_size=1,
    max_size=14,
)
stores = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=3, unique_by=lambda s: s[1])


def rows_loop(made: list[Step], stored: list[tuple[int, int]]) -> tuple[LoopBuilder, Operation]:
    """A loop over rows of two operands, which results may replace, and a third buffer that is only written."""
    b = LoopBuilder.function("rows", [BUFFER] * 3)
    with b.for_(0, ROWS) as loop:
        at = [loop.iv, b.index(0)]
        values = [b.vload(b_argument, at, LANES) for b_argument in loop_arguments(b)[:2]]
        values.append(b.broadcast(b.constant(0.5, t.f32), LANES))
        for name, first, second in made:
            x, y = values[-1 - first % len(values)], values[-1 - second % len(values)]
            values.append(apply(b, name, x, y))
        for which, into in stored:
            b.vstore(values[-1 - which % len(values)], loop_arguments(b)[into], at)
    b.ret()
    return b, loop.op


def loop_arguments(b: LoopBuilder) -> list[Value]:
    block = b.block
    while block.parent_op is not None and block.parent_op.name != "func.func":
        assert block.parent_op.parent is not None
        block = block.parent_op.parent
    return block.arguments


def apply(b: LoopBuilder, name: str, x: Value, y: Value) -> Value:
    if name == "exp":
        return b.exp(b.neg(b.abs(x)))
    if name == "tanh":
        return b.tanh(x)
    if name == "select":
        return b.select(b.cmp("lt", x, y), x, b.neg(y))
    return b.add(x, y) if name == "add" else b.mul(x, y)


def split(b: LoopBuilder, loop: Operation) -> int:
    """Cut the loop; how many there are then."""
    first = b.block.first
    assert first is not None
    split_chains(loop, ROWS, LoopBuilder.before_op(first).alloca)
    return sum(op.name == "scf.for" for op in b.block.ops)


def run(b: LoopBuilder) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    arrays = [random.standard_normal((ROWS, LANES)).astype(np.float32) for _ in range(3)]
    function = b.block.parent_op
    assert function is not None and function.parent_op is not None
    interpret(function.parent_op, "rows", arrays)
    return arrays


@settings(deadline=None, max_examples=150)
@given(steps, stores)
def test_split_loops_compute_the_same(made: list[Step], stored: list[tuple[int, int]]) -> None:
    b, loop = rows_loop(made, stored)
    expected = run(b)
    split(b, loop)
    for got, wanted in zip(run(b), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_loop_for_each_function_of_the_deepest_chain() -> None:
    b, loop = rows_loop([("exp", 1, 0), ("add", 0, 3), ("tanh", 0, 0), ("mul", 0, 2), ("tanh", 0, 0)], [(0, 0), (4, 2)])
    assert split(b, loop) == 3


def test_functions_beside_one_another_stay_in_one_loop() -> None:
    b, loop = rows_loop([("exp", 1, 0), ("tanh", 3, 0), ("mul", 0, 1)], [(0, 2)])
    assert split(b, loop) == 1
