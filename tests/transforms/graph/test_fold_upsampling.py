"""fold-upsampling keeps what is computed, gradients too, and leaves no upsampled tensor where it has fewer products."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.autodiff import gradients
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType, f32, shape_of
from kcompile.pipeline import compile_module

BATCH = symbol("b")


def upsample(b: Any, x: Value, factor: int, axis: int) -> Value:
    shape = list(shape_of(x.type))
    spread = (*shape[: axis + 1], factor, *shape[axis + 1 :])
    dims = tuple(d for d in range(len(shape) + 1) if d != axis + 1)
    shape[axis] = shape[axis] * factor
    made: Value = b.reshape(b.broadcast_in_dim(x, shape=spread, dims=dims), shape=tuple(shape))
    return made


def model(
    space: tuple[int, int], features: tuple[int, int], window: tuple[int, int], factors: tuple[int, int],
    low: tuple[int, int], high: tuple[int, int],
) -> Operation:  # fmt: skip
    """y = convolution(upsample(x), w), and the gradients of sum(y * c) by x and w."""
    out = [n * f + lo + hi - k + 1 for n, f, lo, hi, k in zip(space, factors, low, high, window, strict=True)]
    shapes = [(BATCH, *space, features[0]), (*window, *features), (BATCH, *out, features[1])]
    b: Any = GraphBuilder.function("main", [TensorType(s, f32) for s in shapes])
    x, w, c = (b.argument(i) for i in range(3))
    y = b.convolution(
        upsample(b, upsample(b, x, factors[0], 1), factors[1], 2), w, strides=(1, 1), padding_low=low,
        padding_high=high, lhs_dilation=(1, 1), rhs_dilation=(1, 1), feature_groups=1, batch_groups=1,
        lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
    )  # fmt: skip
    total = b.reduce(b.mul(y, c), axes=(0, 1, 2, 3), kind="add")
    b.ret(y, *gradients(b, total, [x, w]))
    module: Operation = b.module
    return module


def arguments(module: Operation, batch: int) -> list[np.ndarray]:
    rng = np.random.default_rng(batch)
    types = [a.type for a in find_function(module, "main").body.arguments]
    return [rng.integers(-8, 9, [n if isinstance(n, int) else batch for n in shape_of(x)]) / 8 for x in types]


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_nothing_else_is_computed(data: st.DataObject) -> None:
    pair = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))
    window, factors = data.draw(pair(1, 4)), data.draw(pair(1, 3))
    case = data.draw(pair(2, 4)), data.draw(pair(1, 3)), window, factors, data.draw(pair(0, 2)), data.draw(pair(0, 2))
    module = model(*case)
    arrays = [a.astype(np.float32) for a in arguments(module, 2)]
    expected = interpret(module, "main", arrays)
    run_pipeline(module, "canonicalize,fold-upsampling,canonicalize,dce")
    for made, wanted in zip(interpret(module, "main", arrays), expected, strict=True):
        # sums of eighths and their products are exact in f32 until they have 24 bits
        np.testing.assert_allclose(made, wanted, rtol=1e-6, atol=1e-6)
    pays = np.prod([k + f - 1 for k, f in zip(window, factors, strict=True)]) < np.prod(window) * np.prod(factors)
    if pays:
        dilated = [tuple(op["lhs_dilation"]) for op in module.walk() if op.name == "graph.convolution"]
        assert factors in dilated
        assert not any(op.name in ("graph.broadcast_in_dim", "graph.reduce") and len(shape_of(op.result.type)) == 5
                       for op in module.walk())  # fmt: skip


def test_the_machine_code_agrees_with_the_graph() -> None:
    module = model((3, 5), (4, 18), (3, 3), (2, 2), (1, 1), (1, 1))
    arrays = [a.astype(np.float32) for a in arguments(module, 3)]
    loops = compile_module(module, "upsampled").module("loops")
    for made, wanted in zip(interpret(loops, "main", arrays), interpret(module, "main", arrays), strict=True):
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-5)
