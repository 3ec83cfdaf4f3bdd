"""LoopBuilder: index arithmetic done while building, operand types, casts, the partition of work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.upstream.builder import LoopBuilder, constant_value
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import MemRefType, VectorType
from kcompile.ir.verifier import verify


def builder(*types: t.Type) -> LoopBuilder:
    return LoopBuilder.function("f", types)


def module_of(b: LoopBuilder) -> Operation:
    module = b.ret().parent_op
    assert module is not None
    return module


INDEX_METHODS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "floordiv": lambda x, y: x // y if y else 0,
    "ceildiv": lambda x, y: -(-x // y) if y else 0,
    "mod": lambda x, y: x % y if y else x,
    "max": max,
    "min": min,
}


@given(st.sampled_from(sorted(INDEX_METHODS)), st.integers(-50, 50), st.integers(-8, 8))
def test_arithmetic_of_constants_is_done_while_building(name: str, x: int, y: int) -> None:
    """Folded, interpreted and computed in Python: one number."""
    expected = INDEX_METHODS[name](x, y)
    b = builder()
    assert constant_value(getattr(b, name)(b.index(x), y)) == expected
    b = builder(MemRefType((1,), t.index), t.index, t.index)
    out, vx, vy = b.block.arguments
    b.store(getattr(b, name)(vx, vy), out, [0])
    made = np.zeros(1, np.int64)
    interpret(module_of(b), "f", [made, x, y])
    assert made[0] == expected


def test_neutral_operands_leave_no_operation() -> None:
    b = builder(t.index, t.f32)
    x, y = b.block.arguments
    assert b.add(x, 0) is x and b.add(0, x) is x and b.sub(x, 0) is x and b.mul(x, 1) is x and b.mul(1, x) is x
    assert constant_value(b.mul(x, 0)) == 0 and b.floordiv(x, 1) is x and constant_value(b.mod(x, 1)) == 0
    assert b.cast(y, t.f32) is y
    assert b.add(y, 0.0) is not y  # -0.0 + 0.0 is 0.0


def test_constants_are_shared_where_they_are_seen() -> None:
    b = builder(t.index)
    outside = b.constant(1.0, t.f32)
    assert b.constant(1.0, t.f32) is outside and b.constant(1.0, t.f64) is not outside
    with b.for_(0, b.argument(0)):
        assert b.constant(1.0, t.f32) is outside
        inside = b.constant(2.0, t.f32)
    assert b.constant(2.0, t.f32) is not inside
    with b.for_(0, b.block.arguments[0]):
        assert b.constant(2.0, t.f32) is not inside
    verify(module_of(b))


def test_numbers_and_scalars_take_the_type_of_the_vector() -> None:
    v8 = VectorType((8,), t.f32)
    b = builder(v8, t.f32)
    v, s = b.block.arguments
    for made in (b.add(v, 1.0), b.add(1, v), b.mul(s, v), b.fma(v, s, 1.0), b.select(b.cmp("lt", v, s), v, 0.0)):
        assert made.type is v8
    assert b.add(s, 1).type is t.f32
    assert b.cmp("lt", v, 0.0).type is VectorType((8,), t.i1)
    assert constant_value(b.constant(0xFFFFFFFF, t.i32)) == -1
    with pytest.raises(IRError, match="needs integers"):
        b.and_(s, s)
    with pytest.raises(IRError, match="one type"):
        b.add(v, b.constant(1, t.i32))


@pytest.mark.parametrize(
    ("source", "target", "unsigned", "name"),
    [
        (t.f32, t.f64, False, "arith.extf"), (t.f64, t.f16, False, "arith.truncf"),
        (t.i32, t.f32, False, "arith.sitofp"),
        (t.i32, t.f32, True, "arith.uitofp"), (t.i1, t.f32, False, "arith.uitofp"),
        (t.f32, t.i8, False, "arith.fptosi"),
        (t.f32, t.ui8, False, "arith.fptoui"), (t.f32, t.i1, False, "arith.cmpf"), (t.i32, t.i1, False, "arith.cmpi"),
        (t.i8, t.i32, False, "arith.extsi"), (t.i8, t.i32, True, "arith.extui"), (t.i1, t.i32, False, "arith.extui"),
        (t.i64, t.i8, False, "arith.trunci"), (t.index, t.i32, False, "arith.index_cast"),
        (t.i32, t.index, True, "arith.index_castui"), (t.index, t.f32, False, "arith.sitofp"),
        (t.f16, t.bf16, False, "arith.truncf"),
    ],
)  # fmt: skip
def test_cast_picks_the_operation(source: t.Type, target: t.Type, unsigned: bool, name: str) -> None:
    b = builder(source)
    made = b.cast(b.argument(0), target, unsigned)
    assert made.defining_op is not None and made.defining_op.name == name
    assert t.bitwidth(made.type) == t.bitwidth(target) and not getattr(made.type, "unsigned", False)
    verify(module_of(b))


@given(st.integers(0, 200), st.integers(1, 12), st.integers(1, 9))
def test_partition_gives_each_piece_to_one_worker(total: int, team: int, grain: int) -> None:
    b = builder(MemRefType((2,), t.index), t.index, t.index, t.index)
    out, n, tid, size = b.block.arguments
    low, high = b.partition(n, tid, size, grain)
    b.store(low, out, [0])
    b.store(high, out, [1])
    module = module_of(b)
    end = 0
    for worker in range(team):
        made = np.zeros(2, np.int64)
        interpret(module, "f", [made, total, worker, team])
        assert made[0] == end and made[1] >= made[0]
        assert made[0] % grain == 0 or made[0] == total
        end = int(made[1])
    assert end == total


def test_loops_and_branches_are_whole_after_the_with() -> None:
    b = builder(t.index, t.f32)
    n, x = b.block.arguments
    with b.for_(0, n, 1, [x]) as loop:
        with b.if_(b.cmp("lt", loop.iv, 3), [t.f32]) as branch:
            branch.yield_([loop.args[0]])
        with branch.else_():
            branch.yield_([b.mul(loop.args[0], 2.0)])
        loop.yield_([branch.results[0]])
    assert loop.results[0].type is t.f32
    with b.if_(b.cmp("eq", n, 0)):
        pass
    verify(module_of(b))


def test_the_interpreter_checks_bounds() -> None:
    for place in (-1, 3):
        b = builder(MemRefType((3,), t.f32), t.index)
        b.store(b.constant(1.0, t.f32), b.argument(0), [b.argument(1)])
        with pytest.raises(IRError, match="outside the buffer"):
            interpret(module_of(b), "f", [np.zeros(3, np.float32), place])
    b = builder(MemRefType((10,), t.f32), t.index)
    b.vload(b.argument(0), [b.argument(1)], 8)
    with pytest.raises(IRError, match="outside the buffer"):
        interpret(module_of(b), "f", [np.zeros(10, np.float32), 3])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b, m, v: b.create("vector.load", [m, b.index(0)], None, [VectorType((4,), t.f64)]), "does not fit"),
        (lambda b, m, v: b.create("vector.reduction", [v], {"kind": b.constant(0, t.i32)}, [t.f32]), "no attribute"),
        (lambda b, m, v: b.reduce("middle", v), "reduction is one of"),
        (lambda b, m, v: b.create("arith.cmpf", [v, v], {"predicate": 16}), "predicate"),
        (lambda b, m, v: b.shuffle(v, v, [0, 99]), "lanes below"),
        (lambda b, m, v: b.load(m, [b.index(0), b.index(1)]), "needs 1 indices"),
        (lambda b, m, v: b.store(v, m, [0]), "does not fit"),
        (lambda b, m, v: b.broadcast(1.0, 4), "needs a value"),
    ],
)
def test_what_does_not_fit_is_refused(build: Any, message: str) -> None:
    b = builder(MemRefType((8,), t.f32), VectorType((4,), t.f32))
    with pytest.raises(IRError, match=message):
        build(b, *b.block.arguments)
        verify(module_of(b))
