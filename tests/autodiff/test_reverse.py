"""Reverse mode as a whole: random graphs, what is pruned, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcompile.autodiff import gradients, pullback
from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import IRError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Value
from kcompile.ir.interpreter import interpret
from kcompile.ir.location import Location
from kcompile.ir.types import TensorType
from tests.properties.graphs import Graph, graphs

VECTOR = TensorType((3,), t.f64)


def append_gradient(graph: Graph) -> list[int]:
    """Let @main return the gradients too; gives which arguments have one."""
    function = graph.module.body.first
    assert function is not None
    block = function.body
    (output,) = block.terminator.operands
    block.terminator.erase()
    b = GraphBuilder(block)
    found = gradients(b, output, block.arguments)
    b.ret(output, *[g for g in found if g is not None])
    return [i for i, g in enumerate(found) if g is not None]


@settings(max_examples=60)
@given(graph=graphs(max_ops=20, element=t.f64, smooth=True, scalar_result=True), seed=st.integers(0, 1000))
def test_gradients_of_random_graphs(graph: Graph, seed: int) -> None:
    """Central differences along a random direction, of the whole graph. Kinks are rare, and show as a large difference
    between the slopes to the left and to the right: such draws tell nothing and are left out."""
    with_gradient = append_gradient(graph)
    arrays = graph.arrays(seed)
    value, *cotangents = interpret(graph.module, "main", arrays)
    rng = np.random.default_rng(seed)
    directions = [rng.normal(size=a.shape) for a in arrays]
    step = 1e-5
    moved = [
        float(interpret(graph.module, "main", [a + s * d for a, d in zip(arrays, directions)])[0])
        for s in (step, -step)
    ]
    right, left = (moved[0] - float(value)) / step, (float(value) - moved[1]) / step
    terms = [float(np.sum(c * directions[i])) for i, c in zip(with_gradient, cotangents)]
    size = 1 + sum(abs(v) for v in terms)
    assume(abs(right - left) <= 1e-2 * size)
    assert abs((right + left) / 2 - sum(terms)) <= 1e-4 * size


@settings(max_examples=20)
@given(graph=graphs(max_ops=12, symbolic=True, smooth=True, scalar_result=True))
def test_symbolic_gradients_are_those_of_the_sizes(graph: Graph) -> None:
    """One gradient graph serves every batch size: its results have the arguments' types."""
    found = append_gradient(graph)
    for batch in (1, 4):
        arrays = graph.arrays(0, {"b": batch})
        results = interpret(graph.module, "main", arrays)[1:]
        assert [r.shape for r in results] == [arrays[i].shape for i in found]


def one_input(compute) -> tuple[GraphBuilder, Value, Value]:  # type: ignore[no-untyped-def]
    b = GraphBuilder.function("main", [VECTOR])
    x = b.argument(0)
    return b, x, b.reduce(compute(b, x), axes=(0,), kind="add")


def test_a_value_used_twice_collects_both_cotangents() -> None:
    b, x, y = one_input(lambda b, x: b.add(b.mul(x, x), x))
    (g,) = gradients(b, y, [x])
    b.ret(g)
    x0 = np.array([1.0, -2.0, 3.0])
    assert np.array_equal(interpret(b.module, "main", [x0])[0], 2 * x0 + 1)


def test_an_intermediate_value_has_a_gradient_too() -> None:
    b = GraphBuilder.function("main", [VECTOR])
    x = b.argument(0)
    middle = b.mul(x, 3.0)
    y = b.reduce(b.mul(middle, middle), axes=(0,), kind="add")
    to_x, to_middle = gradients(b, y, [x, middle])
    b.ret(to_x, to_middle)
    first, second = interpret(b.module, "main", [np.array([1.0, 2.0, 3.0])])
    assert np.array_equal(second, [6.0, 12.0, 18.0]) and np.array_equal(first, 3 * second)


@pytest.mark.parametrize(
    "compute",
    [lambda b, x: b.floor(x), lambda b, x: b.stop_gradient(b.exp(x)), lambda b, x: b.full(1.0, x.type)],
    ids=["floor", "stop_gradient", "independent"],
)
def test_no_gradient_is_none_and_leaves_no_operation(compute) -> None:  # type: ignore[no-untyped-def]
    b, x, y = one_input(compute)
    before = sum(1 for _ in b.block.ops)
    assert gradients(b, y, [x]) == [None]
    assert sum(1 for _ in b.block.ops) <= before + 1 + 1  # the seed, and what broadcasts it


def test_what_nobody_asked_for_is_not_left_behind() -> None:
    """Only dw is wanted: no operation of dx = ct w' stays."""
    b = GraphBuilder.function("main", [TensorType((4, 3), t.f32), TensorType((3, 2), t.f32)])
    x, w = b.block.arguments
    y = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    gradients(b, b.reduce(y, axes=(0, 1), kind="add"), [w])
    assert sum(op.name == "graph.dot_general" for op in b.block.ops) == 2


def test_gradient_operations_carry_the_location_of_their_operation() -> None:
    b = GraphBuilder.function("main", [VECTOR])
    b.location = Location("model/dense")
    y = b.reduce(b.tanh(b.argument(0)), axes=(0,), kind="add")
    b.location = Location("")
    (g,) = gradients(b, y, [b.argument(0)])
    assert g is not None and g.defining_op is not None
    assert g.defining_op.location is Location("model/dense/gradient")


def test_second_derivatives() -> None:
    b, x, y = one_input(lambda b, x: b.mul(x, b.mul(x, x)))
    (first,) = gradients(b, y, [x])
    assert first is not None
    (second,) = gradients(b, b.reduce(first, axes=(0,), kind="add"), [x])
    b.ret(second)
    assert np.allclose(interpret(b.module, "main", [np.array([1.0, 2.0, 3.0])])[0], [6.0, 12.0, 18.0], rtol=1e-15)


def test_refusals_name_the_reason_and_the_place() -> None:
    b = GraphBuilder.function("main", [TensorType((4,), t.f32), TensorType((4,), t.i32)])
    x, i = b.block.arguments
    with pytest.raises(ShapeError, match=r"reduce the output to shape \(\)"):
        gradients(b, x, [x])
    with pytest.raises(IRError, match="of a float"):
        gradients(b, b.reduce(i, axes=(0,), kind="add"), [i])
    with pytest.raises(ShapeError, match="type of its output"):
        pullback(b, [x], [b.constant(1.0)], [x])
    b.location = Location("model/pool")
    window = {"window": (2,), "strides": (1,), "padding_low": (0,), "padding_high": (0,), "kind": "max"}
    (g,) = gradients(b, b.reduce(b.reduce_window(x, **window), axes=(0,), kind="add"), [x])
    with pytest.raises(UnsupportedError, match=r"graph\.reduce_window_grad is not written(.|\n)*model/pool"):
        gradients(b, b.reduce(g, axes=(0,), kind="add"), [x])
