"""The affine maps of movement ops point at the very elements that the ops' references read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap, identity_map, parse_affine_map
from kcompile.ir.core import Operation
from kcompile.ir.definition import lookup
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType
from kcompile.transforms.kernel.access import is_injective, operand_map, reads, reshape_map
from tests.properties.graphs import graphs


def read(array: np.ndarray, map_: AffineMap, shape: tuple[int, ...]) -> np.ndarray:
    """The array of `shape` whose element i is array[map(i)]."""
    index = np.indices(shape) if shape else ()
    at = [sum((index[d] * c for d, c in e.terms), np.full(shape, e.constant)) for e in map_.results]
    return array[tuple(at)] if at else np.full(shape, array)


@pytest.mark.parametrize("name", ["broadcast_in_dim", "transpose", "slice", "reverse", "reshape"])
def test_a_map_reads_what_the_op_reads(name: str) -> None:
    definition = lookup(f"graph.{name}")
    assert definition is not None
    found = 0
    for trial in range(60):
        case = definition.samples.draw(np.random.default_rng(trial), t.i32)
        b = GraphBuilder.function("main", case.types)
        made = getattr(b, name)(*b.block.arguments, **case.attributes)
        map_ = operand_map(made.owner, 0)
        b.ret(made)
        if map_ is None:
            assert name == "reshape"  # one that splits a dim
            continue
        found += 1
        (expected,) = interpret(b.module, "main", case.arrays)
        np.testing.assert_array_equal(read(case.arrays[0], map_, expected.shape), expected)
    assert found > 10


@given(st.lists(st.integers(1, 4), max_size=5), st.data())
@settings(max_examples=100)
def test_reshape_map_merges_neighbouring_dims(result: list[int], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(result) - 1)), max_size=3))) if len(result) > 1 else []
    groups = [result[i:j] for i, j in zip([0, *cuts], [*cuts, len(result)], strict=True)]
    operand = tuple(math.prod(g) for g in groups)
    map_ = reshape_map(tuple(result), operand)
    assert map_ is not None
    array = np.arange(math.prod(result)).reshape(operand)
    np.testing.assert_array_equal(read(array, map_, tuple(result)), array.reshape(result))


def test_reshape_map_with_a_symbol() -> None:
    b = symbol("b")
    assert reshape_map((b, 2, 3), (b, 6)) == parse_affine_map("(d0, d1, d2) -> (d0, d1 * 3 + d2)")
    assert reshape_map((b, 2, 3), (6 * b,)) == parse_affine_map("(d0, d1, d2) -> (d0 * 6 + d1 * 3 + d2)")
    assert reshape_map((2, b), (2 * b,)) is None  # the stride of d0 is b
    assert reshape_map((b, 6), (b, 2, 3)) is None  # needs a division


@given(graphs(max_ops=20))
@settings(max_examples=40)
def test_a_permutation_is_injective_and_a_broadcast_is_not(graph: object) -> None:
    for op in graph.module.walk():  # type: ignore[attr-defined]
        if op.name == "graph.transpose":
            assert is_injective(operand_map(op, 0))  # type: ignore[arg-type]
        if op.name == "graph.broadcast_in_dim" and op.result.type.size != op.operands[0].type.size:
            map_ = operand_map(op, 0)
            assert map_ is not None
            spread = [n for i, n in enumerate(op.result.type.shape) if i not in map_.used_dims()]
            assert not is_injective(map_) or all(n == 1 for n in spread)


def test_reads_composes_through_a_chain() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 6), t.f32), TensorType((3,), t.f32)])
    x, c = b.block.arguments
    moved = b.reverse(b.slice(x, start=(1, 0), limit=(3, 6), strides=(1, 2)), axes=(1,))  # [2, 3]
    y = b.add(b.exp(moved), b.broadcast_in_dim(c, shape=(2, 3), dims=(1,)))
    found = reads([y], b.block)
    assert found == {
        x: {parse_affine_map("(d0, d1) -> (d0 + 1, d1 * -2 + 4)")},
        c: {parse_affine_map("(d0, d1) -> (d1)")},
    }
    assert reads([x], b.block) == {x: {identity_map(2)}}


def test_reads_stops_at_roots() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 6), t.f32)])
    total = b.reduce(b.argument(0), axes=(1,), kind="add")
    root: Operation = total.owner
    assert reads([b.exp(total)], b.block) == {root.results[0]: {identity_map(1)}}
