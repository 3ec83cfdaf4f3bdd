"""keras.ops: loops and choices, at once, in a trace and as nodes of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import IRError, ShapeError, UnsupportedError
from kcompile.ir.interpreter import interpret
from kcompile.keras import ops
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import EagerTensor, TensorSpec, trace_function
from kcompile.tracing.structure import flatten

X = np.linspace(-2, 3, 12, dtype="float32").reshape(4, 3)


def halved(x: Any) -> Any:
    return ops.while_loop(lambda x, n: ops.max(x) > 0.1, lambda x, n: (x * 0.5, n + 1), (x, 0), maximum_iterations=20)


def recurrence() -> list[Any]:
    """Products from the right, and y = y * x + 2 x, whose pairs (x, 2 x) combine in any grouping."""
    products, sums = np.zeros_like(X), np.zeros_like(X)
    p, y = np.ones(4, "float32"), np.zeros(4, "float32")
    for i in (2, 1, 0):
        p, y = p * X[:, i], y * X[:, i] + 2 * X[:, i]
        products[:, i], sums[:, i] = p, y
    return [products, sums]


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[], list[Any]]]] = {
    "scan": (lambda x: ops.scan(lambda c, x: (c + x, c), ops.zeros((3,)), x), lambda: [X.sum(0), X.cumsum(0) - X]),
    "scan from a number": (lambda x: ops.scan(lambda c, x: (c + x[0], None), 0.0, x)[0], lambda: [X[:, 0].sum()]),
    "scan reversed": (
        lambda x: ops.scan(lambda c, x: (c + x, c), ops.zeros((3,)), x, reverse=True)[1],
        lambda: [X[::-1].cumsum(0)[::-1] - X],
    ),
    "map": (lambda x: ops.map(lambda x: x * x, x), lambda: [X * X]),
    "vectorized_map": (lambda x: ops.vectorized_map(lambda x: (x * x, x[0]), x), lambda: [X * X, X[:, 0]]),
    "associative_scan": (lambda x: ops.associative_scan(ops.add, x), lambda: [X.cumsum(0)]),
    "associative_scan of pairs": (
        lambda x: ops.associative_scan(
            lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (x, x * 2), reverse=True, axis=-1
        ),
        lambda: recurrence(),
    ),
    "fori_loop": (lambda x: ops.fori_loop(2, 5, lambda i, v: v * ops.cast(i, "float32"), x), lambda: [X * 24]),
    "fori_loop of nothing": (lambda x: ops.fori_loop(2, 2, lambda i, v: v * 0, x), lambda: [X]),
    "while_loop": (halved, lambda: [X / 32, np.int32(5)]),
    "while_loop of one": (
        lambda x: ops.while_loop(lambda x: x[0, 0] < 10, lambda x: x + 4, x, maximum_iterations=2), lambda: [X + 8]
    ),
    "cond": (lambda x: ops.cond(x[0, 0] < 0, lambda: (x, x + 1), lambda: (-x, x)), lambda: [X, X + 1]),
    "cond, no": (lambda x: ops.cond(x[3, 0] < 0, lambda: x, lambda: -x), lambda: [-X]),
    "switch": (
        lambda x: [
            ops.switch(ops.cast(x[k, k], "int32"), [lambda x: x, lambda x: x * 2, lambda x: x * 3], x) for k in range(3)
        ],
        lambda: [X, X, X * 2],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_at_once_in_a_trace_and_in_a_model(name: str) -> None:
    function, expected = CASES[name]
    for got, want in zip(flatten(function(EagerTensor(X))), expected(), strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6, atol=1e-6)
    traced = trace_function(function, [TensorSpec(X.shape, "float32", "x")])
    for got, want in zip(interpret(traced.module, "main", [X]), expected(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_a_loop_is_a_node_of_a_model() -> None:
    x = keras.Input((4, 3))
    total, _ = ops.scan(lambda c, x: (c + x, c), ops.zeros_like(x[:, 0, :]), ops.transpose(x, (1, 0, 2)))
    model = keras.Model(x, total)
    assert model.output.shape == (None, 3)
    batch = np.stack([X, X * 2])
    np.testing.assert_allclose(model.predict(batch, verbose=0), batch.sum(1), rtol=1e-5)


def test_a_choice_assigns_the_variables_of_one_side() -> None:
    v, w = keras.Variable(1.0, name="v"), keras.Variable(1.0, name="w")

    def side(factor: float, variable: Any) -> Callable[[], Any]:
        def run() -> Any:
            variable.assign(variable * factor)
            v.assign_add(1.0)
            return v + 0.0

        return run

    def step(x: Any) -> Any:
        v.assign_add(10.0)
        return ops.cond(x[0, 0] < 0, side(2.0, v), side(3.0, w))

    run = CompiledFunction(
        trace_function(step, [TensorSpec(X.shape, "float32", "x")]), Options.of(engine="interpreter")
    )
    assert run(X)[0] == 23 and float(v) == 23 and float(w) == 1
    assert run(-X)[0] == 34 and float(v) == 34 and float(w) == 3


@pytest.mark.parametrize(
    ("run", "error", "text"),
    [
        (lambda x: ops.while_loop(lambda x: x[0, 0] < 0, lambda x: x, x), UnsupportedError, "needs maximum_iterations"),
        (lambda x: ops.fori_loop(0, ops.cast(x[0, 0], "int32"), lambda i, v: v, x), UnsupportedError, "that is known"),
        (lambda x: ops.cond(x < 0, lambda: x, lambda: x), ShapeError, "one truth value"),
        (lambda x: ops.cond(x[0, 0] < 0, lambda: x, lambda: x[0]), ShapeError, "one shape and dtype"),
        (lambda x: ops.cond(x[0, 0] < 0, lambda: x, lambda: (x, x)), IRError, "the same structure"),
    ],
)
def test_what_a_model_cannot_do_is_named(run: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        trace_function(run, [TensorSpec(X.shape, "float32", "x")])
