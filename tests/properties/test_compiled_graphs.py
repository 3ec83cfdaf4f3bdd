"""Whole random graphs: native code computes what the interpreter does, on any team, for any batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kcompile.autodiff import gradients
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.interpreter import interpret
from tests.properties.compiled import compiled, run_compiled
from tests.properties.effort import examples
from tests.properties.graphs import Graph, graphs

# Rounding differs (fused multiply-adds, other orders of sums, other exponentials), and a smooth chain of some 40 ops on
# values near 1 multiplies it by less than a thousand: far from what a wrong element does.
BOUND = {np.dtype(np.float16): 3e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-12}


def assert_close(made: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert [m.shape for m in made] == [e.shape for e in expected]
    for m, e in zip(made, expected, strict=True):
        assert m.dtype == e.dtype
        worst = np.max(np.abs(m.astype(np.float64) - e) / (1 + np.abs(e)), initial=0.0)
        assert worst <= BOUND[e.dtype], worst


@examples(50)
@given(graph=graphs(max_ops=20, smooth=True), seed=st.integers(0, 99), batch=st.integers(1, 9))
def test_compiled_is_interpreted(graph: Graph, seed: int, batch: int) -> None:
    arrays = graph.arrays(seed, {"b": batch})
    assert_close(run_compiled(graph.module, arrays), interpret(graph.module, "main", arrays))


@examples(15)
@given(graph=graphs(max_ops=10, smooth=True, element=t.f16), seed=st.integers(0, 99))
def test_compiled_is_interpreted_in_half_precision(graph: Graph, seed: int) -> None:
    arrays = graph.arrays(seed)
    assert_close(run_compiled(graph.module, arrays), interpret(graph.module, "main", arrays))


@examples(25)
@given(graph=graphs(max_ops=20, smooth=True, element=t.f64), seed=st.integers(0, 99))
def test_compiled_is_interpreted_in_double_precision(graph: Graph, seed: int) -> None:
    arrays = graph.arrays(seed)
    assert_close(run_compiled(graph.module, arrays), interpret(graph.module, "main", arrays))


@examples(25)
@given(graph=graphs(max_ops=12, smooth=True, element=t.f64, scalar_result=True), seed=st.integers(0, 99))
def test_compiled_gradients(graph: Graph, seed: int) -> None:
    function = graph.module.body.first
    assert function is not None
    block = function.body
    (output,) = block.terminator.operands
    block.terminator.erase()
    b = GraphBuilder(block)
    b.ret(output, *[g for g in gradients(b, output, block.arguments) if g is not None])
    arrays = graph.arrays(seed)
    assert_close(run_compiled(graph.module, arrays), interpret(graph.module, "main", arrays))


@examples(20)
@given(graph=graphs(max_ops=15, symbolic=True), seed=st.integers(0, 99), team=st.integers(2, 3))
def test_any_team_gives_the_same_bits(graph: Graph, seed: int, team: int) -> None:
    arrays = graph.arrays(seed, {"b": 37})
    alone = run_compiled(graph.module, arrays, threads=1)
    together = run_compiled(graph.module, arrays, threads=team)
    assert [a.tobytes() for a in alone] == [a.tobytes() for a in together]


@examples(20)
@given(graph=graphs(max_ops=15, symbolic=True, rowwise=True), seed=st.integers(0, 99), batch=st.integers(2, 17))
def test_a_row_does_not_depend_on_its_batch(graph: Graph, seed: int, batch: int) -> None:
    """A batch of n gives bit for bit what n batches of 1 give."""
    arrays = graph.arrays(seed, {"b": batch})
    function = compiled(graph.module)
    whole = function(*arrays)
    for i in range(batch):
        row = [a[i : i + 1] if role == "input" else a for a, role in zip(arrays, graph.roles, strict=True)]
        for together, alone in zip(whole, function(*row), strict=True):
            assert together[i : i + 1].tobytes() == alone.tobytes()
