"""linalg and tensor: the interpreter against NumPy, and what the verifier refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.dialects.upstream import linalg, tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, dims_map, expr, identity_map
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify

P, R = linalg.PARALLEL, linalg.REDUCTION


def function(*types: t.Type) -> tuple[GraphBuilder, LoopBuilder]:
    g = GraphBuilder.function("f", types)
    return g, LoopBuilder(g.block)


def run(g: GraphBuilder, results: Any, *arrays: Any) -> list[Any]:
    g.ret(*results)
    verify(g.module)
    return interpret(g.module, "f", arrays)


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 5), st.integers(0, 99))
def test_a_contraction(m: int, n: int, k: int, seed: int) -> None:
    g, b = function(TensorType((m, k), t.f64), TensorType((k, n), t.f64))
    x, y = g.block.arguments
    zero = linalg.fill(b, b.constant(0.0, t.f64), tensor.empty(b, TensorType((m, n), t.f64)))
    maps = [dims_map(3, [0, 2]), dims_map(3, [2, 1]), dims_map(3, [0, 1])]
    result = linalg.generic(b, [x, y], [zero], maps, [P, P, R], lambda s, p, q, o: s.add(o, s.mul(p, q)))
    rng = np.random.default_rng(seed)
    a, c = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    (made,) = run(g, result, a, c)
    assert np.allclose(made, a @ c)


def test_strided_windows_reversal_and_index() -> None:
    g, b = function(TensorType((2, 9), t.f32), TensorType((3,), t.f32))
    x, window = g.block.arguments
    shape = TensorType((2, 4), t.f32)
    start = linalg.fill(b, b.constant(-np.inf, t.f32), tensor.empty(b, shape))
    maps = [affine_map(3, [expr({0: 1}), expr({1: 2, 2: 1})]), dims_map(3, [2]), dims_map(3, [0, 1])]
    pooled = linalg.generic(b, [x, window], [start], maps, [P, P, R], lambda s, p, _, o: s.max(o, p))
    back = affine_map(2, [expr({0: 1}), expr({1: -1}, 3)])
    body = lambda s, p, o: s.add(p, s.cast(s.create("linalg.index", (), {"dim": 1}).result, t.f32))
    reverse = linalg.generic(b, [pooled[0]], [tensor.empty(b, shape)], [back, identity_map(2)], [P, P], body)
    data = np.random.default_rng(0).standard_normal((2, 9)).astype(np.float32)
    made = run(g, [*pooled, *reverse], data, np.zeros(3, np.float32))
    expected = np.stack([data[:, 2 * i : 2 * i + 3].max(1) for i in range(4)], 1)
    assert np.array_equal(made[0], expected)
    assert np.array_equal(made[1], expected[:, ::-1] + np.arange(4, dtype=np.float32))


def test_two_outputs_follow_the_order_of_the_reduction() -> None:
    """The first of equal maxima wins, as each point sees what the ones before it yielded."""
    g, b = function(TensorType((3, 6), t.i32))
    kinds = [TensorType((3,), t.i32)] * 2
    outs = [linalg.fill(b, b.constant(v, t.i32), tensor.empty(b, k)) for v, k in zip((-(2**31), 0), kinds, strict=True)]

    def body(s: LoopBuilder, x: Any, best: Any, place: Any) -> Any:
        here = s.cast(s.create("linalg.index", (), {"dim": 1}).result, t.i32)
        larger = s.cmp("gt", x, best)
        return s.select(larger, x, best), s.select(larger, here, place)

    maps = [identity_map(2), dims_map(2, [0]), dims_map(2, [0])]
    results = linalg.generic(b, [g.argument(0)], outs, maps, [P, R], body)
    data = np.array([[1, 5, 2, 5, 0, 5], [0, 0, 0, 0, 0, 0], [-3, -2, -1, -1, -2, -3]], np.int32)
    made = run(g, results, data)
    assert np.array_equal(made[0], data.max(1)) and np.array_equal(made[1], data.argmax(1))


@given(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 3))
def test_padding_and_slices_undo_each_other(low: int, high: int, size: int, stride: int) -> None:
    g, b = function(TensorType((size, 2), t.f32))
    x = g.argument(0)
    padded = tensor.pad(b, x, b.constant(9.0, t.f32), [low, 0], [high, 0])
    back = tensor.extract_slice(b, padded, [low, 0], [size, 2], [1, 1])
    count = -(-(size + low + high) // stride)
    some = tensor.extract_slice(b, padded, [0, 0], [count, 2], [stride, 1])
    put = tensor.insert_slice(b, some, padded, [0, 0], [stride, 1])
    joined = tensor.concat(b, [x, padded], 0)
    data = np.random.default_rng(1).standard_normal((size, 2)).astype(np.float32)
    whole = np.pad(data, [(low, high), (0, 0)], constant_values=9)
    made = run(g, [padded, back, some, put, joined], data)
    for got, expected in zip(made, [whole, data, whole[::stride], whole, np.concatenate([data, whole])], strict=True):
        assert np.array_equal(got, expected)


def test_reshapes_group_dims_and_keep_symbols() -> None:
    b4 = symbol("b") * 4
    g, b = function(TensorType((symbol("b"), 6, 4), t.f32))
    x = g.argument(0)
    split = tensor.reshape(b, x, (symbol("b"), 2, 3, 4))
    merged = tensor.reshape(b, split, (symbol("b"), 24))
    assert tensor.reshape(b, x, (symbol("b"), 6, 4)) is x
    assert split.defining_op is not None and split.defining_op.name == "tensor.expand_shape"
    assert merged.defining_op is not None and merged.defining_op["reassociation"] == ((0,), (1, 2, 3))
    with pytest.raises(IRError, match="does not split or merge"):
        tensor.reshape(b, x, (b4, 6))
    data = np.arange(48, dtype=np.float32).reshape(2, 6, 4)
    made = run(g, [split, merged], data)
    assert np.array_equal(made[0], data.reshape(2, 2, 3, 4)) and np.array_equal(made[1], data.reshape(2, 24))


def test_loop_sizes_come_from_plain_dims() -> None:
    g, b = function(TensorType((symbol("b"), 9), t.f32))
    shape = TensorType((symbol("b"), 4, 3), t.f32)
    maps = [affine_map(3, [expr({0: 1}), expr({1: 2, 2: 1})]), identity_map(3)]
    (value,) = linalg.generic(b, [g.argument(0)], [tensor.empty(b, shape)], maps, [P] * 3, lambda s, x, o: x)
    op = value.defining_op
    assert op is not None
    assert linalg.loop_sizes(op) == (symbol("b"), 4, 3)
    assert linalg.iterators_of(op) == (P, P, P) and linalg.maps_of(op)[1].is_identity
    assert len(linalg.inputs_of(op)) == len(linalg.outputs_of(op)) == 1
    data = np.arange(18, dtype=np.float32).reshape(2, 9)
    (made,) = run(g, [value], data)
    assert np.array_equal(made[:, 3], data[:, 6:9])


@pytest.mark.parametrize(
    ("maps", "iterators", "message"),
    [
        ([affine_map(1, [expr({0: 1}, 1)]), identity_map(1)], [P], "leaves"),
        ([affine_map(1, [expr({0: 2})]), identity_map(1)], [P], "leaves"),
        ([affine_map(1, [expr({0: 1}, -1)]), identity_map(1)], [P], "leaves"),
        ([identity_map(1), identity_map(1)], [R], "parallel dims only"),
        ([identity_map(1)], [P], "one map an operand"),
        ([identity_map(1), identity_map(1)], ["window"], "known iterators"),
        ([identity_map(1), dims_map(2, [0])], [P], "does not index"),
    ],
)
def test_wrong_maps_are_refused(maps: Any, iterators: list[str], message: str) -> None:
    g, b = function(TensorType((4,), t.f32), TensorType((4,), t.f32))
    x, y = g.block.arguments
    with pytest.raises(IRError, match=message):
        results = linalg.generic(b, [x], [y], maps, iterators, lambda s, p, o: p)
        g.ret(*results)
        verify(g.module)


def test_bfloat16_is_rounded_after_each_operation() -> None:
    g, b = function(TensorType((4,), t.bf16))
    one = identity_map(1)
    x = g.argument(0)
    result = linalg.generic(b, [x], [x], [one, one], [P], lambda s, p, o: s.add(s.add(p, 0.00390625), 0.00390625))
    (made,) = run(g, result, np.ones(4, np.float32))
    assert (made == 1).all()  # each half of the last place is lost on its own
