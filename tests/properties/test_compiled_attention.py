"""Attention at random sizes, with masks and without: one kernel, and what the ops give one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kcompile import keras
from kcompile.ir.core import module_functions
from kcompile.pipeline import compile_module
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import TensorSpec, trace_function
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
