"""Dense layers that are added up, compiled: one kernel for all of them, for any sizes, in training, too."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import kcompile
from kcompile import keras
from kcompile.autodiff import gradients
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import find_function
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType, f32
from kcompile.keras import layers
from kcompile.pipeline import compile_module

WIDTHS = st.lists(st.integers(1, 70), min_size=2, max_size=4)


def roots(module: Any) -> list[str]:
    """The roots of the kernels that are called, in order."""
    calls = [op for op in find_function(module, "main").body.ops if op.name == "kernel.call"]
    return [str(find_function(module, op["callee"])["kernel.root"]) for op in calls]


@settings(max_examples=8, deadline=None)
@given(WIDTHS, st.integers(4, 80), st.integers(1, 19))
def test_dense_layers_that_are_added_up(widths: list[int], units: int, batch: int) -> None:
    """Compiled equals eager; a row does not depend on its batch; teams agree bitwise."""
    inputs = [keras.Input((n,)) for n in widths]
    start = "random_normal"
    model = keras.Model(
        inputs, layers.ReLU()(layers.Add()([layers.Dense(units, bias_initializer=start)(x) for x in inputs]))
    )
    rng = np.random.default_rng(batch)
    xs = [rng.normal(size=(batch, n)).astype(np.float32) for n in widths]
    alone, together = (kcompile.compile(model, threads=n) for n in (1, 3))
    made = np.asarray(alone(xs))
    np.testing.assert_allclose(made, np.asarray(model(xs)), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(made, np.asarray(together(xs)))
    np.testing.assert_array_equal(made[-1:], np.asarray(alone([x[-1:] for x in xs])))


@settings(max_examples=4, deadline=None)
@given(st.integers(2, 4), st.integers(4, 40), st.integers(1, 40))
def test_gradient_of_what_several_products_read(count: int, width: int, units: int) -> None:
    """One kernel, whose sum is that of the products."""
    rows = symbol("b") * 33  # too many for lanes along the sum
    types = [TensorType((rows, width), f32), *[TensorType((width, units), f32)] * count]
    b = GraphBuilder.function("main", types)
    x, *weights = (b.argument(i) for i in range(1 + count))
    dot = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    made = [b.tanh(b.dot_general(x, w, **dot)) for w in weights]
    total = made[0]
    for value in made[1:]:
        total = b.mul(total, value)
    (dx,) = gradients(b, b.reduce(total, axes=(0, 1), kind="add"), [x])
    b.ret(dx)
    compiled = compile_module(b.module, "products")
    assert roots(compiled.module("linalg")).count("product_sums") == 1
    rng = np.random.default_rng(width)
    values = [rng.normal(size=(66, width)), *(rng.normal(size=(width, units)) for _ in weights)]
    arrays = [v.astype(np.float32) for v in values]
    (expected,) = interpret(b.module, "main", arrays)
    (found,) = interpret(compiled.module("linalg"), "main", arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))
