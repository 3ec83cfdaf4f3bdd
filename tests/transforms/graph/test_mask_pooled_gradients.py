"""The relu's gradient on pooled values: the same bits, on a quarter of the elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType


def relu_and_gradient(style: str, window: dict[str, object], shape: tuple[int, ...]) -> Operation:
    """@main(z, weight of the pooled values) -> the gradient wrt z of sum(weight * pool(relu(z)))."""
    probe = GraphBuilder.function("main", [TensorType(shape, t.f32)])
    pooled_type = probe.reduce_window(probe.argument(0), **window).type
    b = GraphBuilder.function("main", [TensorType(shape, t.f32), pooled_type])
    z, weight = b.block.arguments
    chosen = b.compare(z, 0.0, direction="gt" if style == "gt" else "le")

    def keep(x: Value) -> Value:
        return b.select(chosen, x, 0.0) if style == "gt" else b.select(chosen, b.full(0.0, x.type), x)

    y = keep(z)
    pooled = b.reduce_window(y, **window)
    spread = b.reduce_window_grad(y, weight, **{k: v for k, v in window.items() if k != "window_dilation"})
    b.ret(keep(spread), pooled)
    return b.module


WINDOWS = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 1))


@pytest.mark.parametrize("style", ["gt", "le"])
@settings(max_examples=30)
@given(WINDOWS, WINDOWS, st.integers(0, 10**6))
def test_the_gradient_keeps_every_bit(
    style: str, rows: tuple[int, int, int], columns: tuple[int, int, int], seed: int
) -> None:
    dims = [(w, s, min(p, w - 1)) for w, s, p in (rows, columns)]
    names = zip(("window", "strides", "padding_low"), zip(*dims, strict=True), strict=True)
    window = {name: tuple(values) for name, values in names}
    module = relu_and_gradient(style, {**window, "padding_high": window["padding_low"], "kind": "max"}, (6, 7))
    rng = np.random.default_rng(seed)
    z = rng.integers(-2, 3, (6, 7)).astype(np.float32)  # many ties and zeros
    z[rng.random(z.shape) < 0.05] = np.nan
    arguments = module.body.first.body.arguments  # type: ignore[union-attr]
    weight = rng.standard_normal(arguments[1].type.shape).astype(np.float32)  # type: ignore[attr-defined]
    expected = interpret(module, "main", [z, weight])
    fewer = 2 * weight.size <= z.size
    assert run_pipeline(module, "mask-pooled-gradients", verify_each=True) == fewer
    received = interpret(module, "main", [z, weight])
    for x, y in zip(expected, received, strict=True):
        np.testing.assert_array_equal(x, y)
    large = [op for op in module.walk() if op.name == "graph.select" and op.result.type.shape == (6, 7)]
    assert len(large) == (1 if fewer else 2)  # the forward one stays


def test_another_mask_is_left_alone() -> None:
    """Only the relu's own comparison allows it."""
    two = {"window": (2,), "strides": (2,), "padding_low": (0,), "padding_high": (0,), "kind": "max"}
    b = GraphBuilder.function("main", [TensorType((6,), t.f32), TensorType((3,), t.f32), TensorType((6,), t.f32)])
    z, weight, other = b.block.arguments
    y = b.select(b.compare(z, 0.0, direction="gt"), z, 0.0)
    spread = b.reduce_window_grad(y, weight, **two)
    b.ret(b.select(b.compare(other, 0.0, direction="gt"), spread, 0.0), b.reduce_window(y, **two))
    assert not run_pipeline(b.module, "mask-pooled-gradients")
