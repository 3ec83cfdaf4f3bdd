"""Attention at random sizes, with masks and without: one kernel, and what the ops give one by one; so its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kcompile import keras
from kcompile.autodiff import gradients
from kcompile.ir.core import module_functions
from kcompile.ir.interpreter import interpret
from kcompile.pipeline import compile_module
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import TensorSpec, current_trace, trace_function
from kcompile.tracing.trace import Tracer
from tests.properties.effort import examples


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Sizes around vectors and blocks; groups of heads; which masks there are."""
    groups = draw(st.integers(1, 2))
    return {
        "batch": draw(st.integers(1, 3)), "t": draw(st.integers(4, 70)), "s": draw(st.integers(2, 40)),
        "heads": groups * draw(st.integers(1, 2)), "groups": groups, "d": draw(st.integers(1, 35)),
        "v": draw(st.integers(1, 35)), "causal": draw(st.booleans()),
        "mask": draw(st.sampled_from([None, "keys", "rows", "all"])), "seed": draw(st.integers(0, 99)),
    }  # fmt: skip


@given(case=cases())
@examples(12)
def test_attention_is_one_kernel_and_right(case: dict[str, Any]) -> None:
    rng = np.random.default_rng(case["seed"])
    b, t, s = case["batch"], case["t"], case["s"]
    shapes = [(b, t, case["heads"], case["d"]), (b, s, case["groups"], case["d"]), (b, s, case["groups"], case["v"])]
    arrays: list[Any] = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    masks = {"keys": (b, 1, 1, s), "rows": (1, 1, t, s), "all": (b, case["heads"], t, s)}
    if case["mask"]:
        arrays.append(rng.random(masks[case["mask"]]) < 0.6)

    def attend(*xs: Any) -> Any:
        mask = xs[3] if len(xs) > 3 else None
        return keras.ops.dot_product_attention(*xs[:3], mask=mask, is_causal=case["causal"])

    specs = [TensorSpec((None if x.shape[0] == b else 1, *x.shape[1:]), x.dtype.name) for x in arrays]
    traced = trace_function(attend, specs)
    kernels = module_functions(compile_module(traced.module).module("kernel"))
    assert [f["kernel.root"] for f in kernels if "kernel.root" in f.attributes].count("attention") == 1
    made = CompiledFunction(traced)(*arrays)[0]
    # sums of up to 40 products of order 1, in f32; weights add up to 1
    np.testing.assert_allclose(made, attend(*arrays).numpy(), rtol=1e-5, atol=1e-5)


@given(case=cases(), wanted=st.sets(st.integers(0, 2), min_size=1))
@examples(10)
def test_its_gradient_is_one_kernel_and_right(case: dict[str, Any], wanted: set[int]) -> None:
    rng = np.random.default_rng(case["seed"])
    b, t, s, h = case["batch"], case["t"], case["s"], case["heads"]
    shapes = [(b, t, h, case["d"]), (b, s, h, case["d"]), (b, s, h, case["v"]), (b, t, h, case["v"])]
    arrays: list[Any] = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    masks = {"keys": (b, 1, 1, s), "rows": (1, 1, t, s), "all": (b, h, t, s)}
    if case["mask"]:
        arrays.append(rng.random(masks[case["mask"]]) < 0.6)

    def attend(*xs: Any) -> Any:
        mask = xs[4] if len(xs) > 4 else None
        y = keras.ops.dot_product_attention(*xs[:3], mask=mask, is_causal=case["causal"])
        trace = current_trace()
        assert trace is not None
        loss = trace.value_of(keras.ops.sum(y * xs[3]))
        found = gradients(trace.builder, loss, [trace.value_of(xs[i]) for i in sorted(wanted)])
        return [y, *(Tracer(trace, g) for g in found if g is not None)]

    specs = [TensorSpec((None if x.shape[0] == b else 1, *x.shape[1:]), x.dtype.name) for x in arrays]
    traced = trace_function(attend, specs)
    kernels = module_functions(compile_module(traced.module).module("kernel"))
    assert [f["kernel.root"] for f in kernels if "kernel.root" in f.attributes].count("attention") == 2
    expected = interpret(traced.module, "main", arrays)
    for one, other in zip(CompiledFunction(traced)(*arrays), expected, strict=True):
        # sums of up to 70 products of order 1, each with its own rounding, in f32
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


@given(lengths=st.lists(st.integers(1, 150), min_size=2, max_size=3), heads=st.integers(1, 2), seed=st.integers(0, 9))
@examples(4)
def test_sequences_of_any_length_have_products_in_tiles(lengths: list[int], heads: int, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def attend(q: Any, k: Any, v: Any) -> Any:
        y = keras.ops.dot_product_attention(q, k, v)
        trace = current_trace()
        assert trace is not None
        found = gradients(trace.builder, trace.value_of(keras.ops.sum(y * y)), [trace.value_of(x) for x in (q, k, v)])
        return [y, *(Tracer(trace, g) for g in found if g is not None)]

    traced = trace_function(attend, [TensorSpec((None, None, heads, size), "float32") for size in (5, 5, 20)])
    loops = module_functions(compile_module(traced.module).module("loops"))
    used = [f["kernel.strategy"].partition("{")[0] for f in loops if f.get("kernel.root") == "graph.dot_general"]
    assert set(used) <= {"contraction", "open_columns"}
    made = CompiledFunction(traced)
    for length in lengths:
        arrays = [rng.normal(size=(2, length, heads, size)).astype(np.float32) for size in (5, 5, 20)]
        for one, other in zip(made(*arrays), interpret(traced.module, "main", arrays), strict=True):
            # sums of up to 150 products of order 1, each with its own rounding, in f32
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=5e-5)
