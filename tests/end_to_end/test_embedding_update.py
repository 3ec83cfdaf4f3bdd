"""A table of rows and its update: as one kernel, a block of rows at a time, the same bits for every team."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.builder import Value
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.transforms.kernel import cost_model
from tests.end_to_end.traced import traced

B = symbol("b")
ROWS, WIDTH, PLACES = 20_011, 33, 700  # 2.6 MB: six blocks of half an L2


def updated(team: int) -> tuple[np.ndarray, int]:
    """w - 0.1 * g and the kernels it took; g has `values` at `places`."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((ROWS, WIDTH), np.float32)
    values = rng.standard_normal((PLACES, WIDTH), np.float32)
    places = np.minimum(rng.zipf(1.3, (PLACES, 1)), ROWS + 3).astype(np.int32)  # some often, some outside
    kinds = [TensorType((ROWS, WIDTH), t.f32), TensorType((B, 1), t.i32), TensorType((B, WIDTH), t.f32)]
    b = GraphBuilder.function("main", kinds)
    table, where, changes = b.block.arguments
    g: Value = b.scatter(b.full(0.0, table.type), where, changes, kind="add", axes=(0,), clamp=False)
    b.ret(b.sub(table, b.mul(g, 0.1)))
    function = CompiledFunction(traced(b.module, ["input"] * 3, [None] * 3, {}), Options.of(threads=team))
    made = np.array(function(w, places, values)[0])
    kernels = [op for op in function.compiled.module("loops").walk() if "kernel.root" in op.attributes]
    expected = w.astype(np.float64)
    inside = places[:, 0] < ROWS
    np.subtract.at(expected, places[inside, 0], 0.1 * values[inside])
    np.testing.assert_allclose(made, expected, atol=1e-5)
    return made, len(kernels)


def test_an_update_in_blocks_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    apart, count = updated(1)
    assert count == 2
    monkeypatch.setattr(cost_model, "LARGE_TABLE", 1)
    for team in (1, 2, 3):
        made, count = updated(team)
        assert count == 1
        np.testing.assert_array_equal(made, apart)
