"""Every rule of canonicalize: it fires on its example, and keeps every bit of the result there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Value, find_function
from kcompile.ir.interpreter import interpret
from kcompile.ir.rewriting import RewriteDriver
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify
from kcompile.transforms.graph import algebra_rules, movement_rules
from kcompile.transforms.graph.canonicalize import RULES

F, I, P = (TensorType((3, 4), e) for e in (t.f32, t.i32, t.i1))
Build = Callable[..., Value]


def dot(b: GraphBuilder, x: Value, y: Value) -> Value:
    return b.dot_general(x, y, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))


def flip(b: GraphBuilder, x: Value) -> Value:
    return b.transpose(x, permutation=(1, 0))


UNIT = TensorType((3, 1, 4), t.f32)
EXAMPLES: dict[str, tuple[list[TensorType], Build]] = {
    "add-negative-zero": ([F], lambda b, x: b.add(x, -0.0)),
    "add-zero-integer": ([I], lambda b, x: b.add(x, 0)),
    "subtract-zero": ([F], lambda b, x: b.sub(x, 0.0)),
    "multiply-by-one": ([F], lambda b, x: b.mul(x, 1.0)),
    "multiply-by-zero-integer": ([I], lambda b, x: b.mul(x, 0)),
    "divide-by-one": ([I], lambda b, x: b.div(x, 1)),
    "divide-by-power-of-two": ([F], lambda b, x: b.div(x, 8.0)),
    "power-of-one": ([F], lambda b, x: b.pow(x, 1.0)),
    "square": ([F], lambda b, x: b.pow(x, 2.0)),
    "negate-twice": ([F], lambda b, x: b.neg(b.neg(x))),
    "add-negated": ([F, F], lambda b, x, y: b.add(x, b.neg(y))),
    "subtract-negated": ([F, F], lambda b, x, y: b.sub(x, b.neg(y))),
    "abs-of-abs": ([F], lambda b, x: b.abs(b.abs(x))),
    "abs-of-neg": ([F], lambda b, x: b.abs(b.neg(x))),
    "not-twice": ([P], lambda b, x: b.not_(b.not_(x))),
    "max-with-itself": ([F], lambda b, x: b.max(x, x)),
    "min-with-itself": ([F], lambda b, x: b.min(x, x)),
    "and-with-itself": ([P], lambda b, x: b.and_(x, x)),
    "or-with-itself": ([P], lambda b, x: b.or_(x, x)),
    "select-equal": ([P, F], lambda b, p, x: b.select(p, x, x)),
    "select-constant": ([F, F], lambda b, x, y: b.select(b.full(True, P), x, y)),
    "select-not": ([P, F, F], lambda b, p, x, y: b.select(b.not_(p), x, y)),
    "convert-to-own-type": ([F], lambda b, x: b.convert(x, dtype=t.f32)),
    "bitcast-to-own-type": ([F], lambda b, x: b.bitcast(x, dtype=t.f32)),
    "convert-once": ([TensorType((5,), t.f16)], lambda b, x: b.convert(b.convert(x, dtype=t.f32), dtype=t.f64)),
    "bitcast-back": ([F], lambda b, x: b.bitcast(b.bitcast(x, dtype=t.i32), dtype=t.f32)),
    "round-a-whole-number": ([F], lambda b, x: b.floor(b.ceil(x))),
    "merge-transposes": (
        [UNIT],
        lambda b, x: b.transpose(b.transpose(x, permutation=(2, 0, 1)), permutation=(0, 2, 1)),
    ),
    "identity-transpose": ([F], lambda b, x: b.transpose(x, permutation=(0, 1))),
    "transpose-of-unit-dims": ([UNIT], lambda b, x: b.transpose(x, permutation=(1, 0, 2))),
    "swap-for-transpose": (
        [TensorType((6, 4), t.f32), TensorType((4, 5), t.f32)],
        lambda b, x, y: flip(b, dot(b, x, y)),
    ),
    "gather-at-transposed": (
        [F, TensorType((2, 5, 1), t.i32)],
        lambda b, x, y: b.transpose(b.gather(x, y, axes=(0,)), permutation=(1, 0, 2)),
    ),
    "fold-operand-transpose": ([F, TensorType((3, 5), t.f32)], lambda b, x, y: dot(b, flip(b, x), y)),
    "merge-reshapes": ([F], lambda b, x: b.reshape(b.reshape(x, shape=(12,)), shape=(2, 6))),
    "identity-reshape": ([F], lambda b, x: b.reshape(x, shape=(3, 4))),
    "merge-broadcasts": (
        [TensorType((4,), t.f32)],
        lambda b, x: b.broadcast_in_dim(b.broadcast_in_dim(x, shape=(4, 2), dims=(0,)), shape=(2, 4, 3), dims=(1, 0)),
    ),
    "identity-broadcast": ([F], lambda b, x: b.broadcast_in_dim(x, shape=(3, 4), dims=(0, 1))),
    "broadcast-of-reshape": (
        [TensorType((3,), t.f32)],
        lambda b, x: b.broadcast_in_dim(b.reshape(x, shape=(3, 1)), shape=(3, 4), dims=(0, 1)),
    ),
    "merge-slices": (
        [F],
        lambda b, x: b.slice(
            b.slice(x, start=(1, 0), limit=(3, 4), strides=(1, 2)), start=(0, 1), limit=(2, 2), strides=(1, 1)
        ),
    ),
    "whole-slice": ([F], lambda b, x: b.slice(x, start=(0, 0), limit=(3, 4), strides=(1, 1))),
    "pad-of-nothing": ([F], lambda b, x: b.pad(x, 0.0, low=(0, 0), high=(0, 0), interior=(0, 0))),
    "crop-as-slice": ([F], lambda b, x: b.pad(x, 0.0, low=(-1, 0), high=(0, -2), interior=(0, 0))),
    "reverse-of-unit-dims": ([UNIT], lambda b, x: b.reverse(x, axes=(0, 1))),
    "reverse-twice": ([UNIT], lambda b, x: b.reverse(b.reverse(x, axes=(0, 2)), axes=(2,))),
    "reduce-of-nothing": ([UNIT], lambda b, x: b.reduce(x, axes=(1, 2), kind="max")),
    "concatenate-one": ([F], lambda b, x: b.concatenate(x, axis=0)),
    "drop-stop-gradient": ([F], lambda b, x: b.stop_gradient(x)),
}


def arrays_for(types: list[TensorType]) -> list[np.ndarray]:
    """Odd values first: zeros of both signs, infinities, nan, the ends of an integer's range."""
    rng = np.random.default_rng(0)
    made = []
    for x in types:
        dtype = t.to_numpy(x.element)
        array = rng.integers(-5, 6, x.shape).astype(dtype)
        if t.is_float(x):
            array = np.asarray(array + rng.random(x.shape), dtype)
            array.reshape(-1)[:5] = [0.0, -0.0, np.inf, -np.inf, np.nan][: array.size]
        elif x.element is not t.i1:
            array.reshape(-1)[:2] = [np.iinfo(dtype).min, np.iinfo(dtype).max]
        made.append(array)
    return made


def test_every_rule_has_an_example() -> None:
    assert {r.name for r in (*algebra_rules.RULES, *movement_rules.RULES)} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_rule_fires_and_keeps_every_bit(name: str) -> None:
    types, build = EXAMPLES[name]
    b = GraphBuilder.function("main", types)
    b.ret(build(b, *b.block.arguments))
    arrays = arrays_for(types)
    (expected,) = interpret(b.module, "main", arrays)
    driver = RewriteDriver("one", [r for r in RULES if r.name == name])
    driver(b.module)
    assert driver.hits[name] == 1
    verify(b.module)
    (received,) = interpret(b.module, "main", arrays)
    if name == "square" or "dot_general" in str(b.module):
        np.testing.assert_allclose(received, expected, rtol=1e-6)
    else:
        np.testing.assert_array_equal(np.isnan(expected), np.isnan(received))
        same = (expected.view(np.uint8) == received.view(np.uint8)) | np.isnan(expected).repeat(expected.itemsize, -1)
        assert same.all(), (expected, received)


@pytest.mark.parametrize("value", [0.0, -0.0])
def test_adding_zero_keeps_the_sign_of_zero(value: float) -> None:
    """x + 0.0 turns -0.0 into 0.0, so it must stay; x - 0.0 and x + -0.0 change nothing."""
    b = GraphBuilder.function("main", [F])
    b.ret(b.add(b.argument(0), value))
    RewriteDriver("all", RULES)(b.module)
    kept = any(op.name == "graph.add" for op in b.module.walk())
    assert kept == (not np.signbit(value))


def test_scalar_work_is_done_before_the_broadcast() -> None:
    b = GraphBuilder.function("main", [TensorType((), t.f32), F])
    s, x = b.block.arguments
    spread = b.broadcast_in_dim(s, shape=F.shape, dims=())
    b.ret(b.mul(x, b.exp(b.add(spread, 1.0))))
    RewriteDriver("all", RULES)(b.module)
    by_name = {op.name: op for op in find_function(b.module, "main").body.ops}
    assert by_name["graph.exp"].result.type.shape == ()
    assert by_name["graph.add"].result.type.shape == ()
    assert by_name["graph.mul"].result.type is F


def test_reshapes_move_behind_elementwise_work() -> None:
    """A mean with its axes kept, spread again: no reshape is left between the reduction and its readers."""
    b = GraphBuilder.function("main", [F, TensorType((), t.f32)])
    x, s = b.block.arguments
    mean = b.mul(b.reshape(b.reduce(x, axes=(1,), kind="add"), shape=(3, 1)), 0.25)
    scaled = b.mul(mean, b.broadcast_in_dim(s, shape=(3, 1), dims=()))
    b.ret(b.sub(x, b.broadcast_in_dim(scaled, shape=(3, 4), dims=(0, 1))), b.reshape(scaled, shape=(3,)))
    arrays = arrays_for([F]) + [np.asarray(2.5, np.float32)]
    expected = interpret(b.module, "main", arrays)
    RewriteDriver("all", RULES)(b.module)
    assert not any(op.name == "graph.reshape" for op in b.module.walk())
    for old, new in zip(expected, interpret(b.module, "main", arrays), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_reshape_of_one_operand_stays() -> None:
    b = GraphBuilder.function("main", [F, TensorType((12,), t.f32)])
    x, y = b.block.arguments
    b.ret(b.add(b.reshape(x, shape=(12,)), y))
    assert not RewriteDriver("all", RULES)(b.module)


def test_a_broadcast_of_its_own_size_is_no_reason_to_move_work() -> None:
    b = GraphBuilder.function("main", [TensorType((4,), t.f32)])
    b.ret(b.exp(b.broadcast_in_dim(b.argument(0), shape=(1, 4), dims=(1,))))
    assert not RewriteDriver("all", RULES)(b.module)


def test_the_transpose_that_aligns_a_right_operand_stays() -> None:
    b = GraphBuilder.function("main", [F, TensorType((5, 4), t.f32)])
    x, w = b.block.arguments
    b.ret(dot(b, x, flip(b, w)))
    assert not RewriteDriver("all", RULES)(b.module)
