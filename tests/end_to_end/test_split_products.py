"""Long sums to few results, compiled: in pieces, the same bits for every team."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.dims import Dim, SymbolicDim, evaluate, symbol
from kcompile.ir.types import TensorType, f32
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from tests.end_to_end.traced import traced

B = symbol("b")


@pytest.mark.parametrize(
    ("sizes", "inputs", "features"),
    [((B, 24, 97), 24, 40), ((B, 9, 24, 31), 16, 33), ((B, 2, 48, 49), 7, 5), ((65600,), 17, 16)],
)
def test_gradient_of_a_narrow_layer(sizes: tuple[Dim, ...], inputs: int, features: int) -> None:
    shape = tuple(evaluate(n, {"b": 5}) if isinstance(n, SymbolicDim) else n for n in sizes)
    rng = np.random.default_rng(inputs)
    arrays = [rng.standard_normal((*shape, n), np.float32) for n in (inputs, features)]
    made = []
    for team in (1, 2, 3):
        b = GraphBuilder.function("main", [TensorType((*sizes, n), f32) for n in (inputs, features)])
        summed = tuple(range(len(sizes)))
        dot = b.dot_general(*b.block.arguments, lhs_batch=(), rhs_batch=(), lhs_contract=summed, rhs_contract=summed)
        b.ret(b.add(dot, 1.0))
        function = CompiledFunction(traced(b.module, ["input"] * 2, [None, None], {}), Options.of(threads=team))
        made.append(np.asarray(function(*arrays)[0]))
        kernels = [op for op in function.compiled.module("loops").walk() if op.name == "func.func"]
        assert len(kernels) == 3  # pieces, their sum, and @main
    x, y = (a.reshape(-1, a.shape[-1]).astype(np.float64) for a in arrays)
    np.testing.assert_allclose(
        made[0], x.T @ y + 1, atol=2e-6 * len(x) ** 0.5 * 8
    )  # a few roundings of sums of random signs
    for other in made[1:]:
        np.testing.assert_array_equal(made[0], other)
