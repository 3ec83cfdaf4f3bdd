"""Random graphs, compiled: native code gives what the interpreter gives, for any batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcompile.ir.interpreter import interpret
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from tests.end_to_end.traced import traced
from tests.properties.graphs import Graph, graphs

# sums of at most a few hundred terms near 1 in another order, through some ten smooth ops
CLOSE = {"rtol": 2e-4, "atol": 2e-4, "equal_nan": True}


@pytest.mark.parametrize("threads", [1, 3])
@settings(max_examples=40)
@given(graph=graphs(max_ops=25, smooth=True), batch=st.integers(1, 5), seed=st.integers(0, 100))
def test_native_equals_interpreter(threads: int, graph: Graph, batch: int, seed: int) -> None:
    reverses = [op for op in graph.module.walk() if op.name == "graph.reverse"]
    # a reverse along b is refused (see tests/transforms/test_meaning.py)
    assume(all(isinstance(op.operands[0].type.shape[a], int) for op in reverses for a in op["axes"]))
    arrays = graph.arrays(seed, {"b": batch})
    expected = interpret(graph.module, "main", arrays)
    function = CompiledFunction(
        traced(graph.module, ["input"] * len(arrays), [None] * len(arrays), {}),  # type: ignore[list-item]
        Options(threads=threads, cache="off"),
    )
    received = function(*arrays)
    assert len(received) == len(expected)
    for x, y in zip(expected, received, strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_allclose(y.astype(np.float64), x.astype(np.float64), **CLOSE)
