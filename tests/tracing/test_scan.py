"""tracing.scan: the same at once and traced; what a body reads and assigns is found; mistakes are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import IRError, KcompileError, ShapeError
from kcompile.ir.verifier import verify
from kcompile.keras import ops
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import EagerTensor, TensorSpec, scan, trace_function
from kcompile.tracing.structure import flatten

X = np.arange(24, dtype="float32").reshape(4, 2, 3) / 10
SPEC = TensorSpec((None, 2, 3), "float32", "x")


def traced_and_eager(function: Any) -> tuple[Any, Any]:
    """The results of both ways as arrays, flat; the traced module verifies."""
    traced = trace_function(function, [SPEC])
    verify(traced.module)
    results = CompiledFunction(traced, Options.of(engine="interpreter"))(X)
    return results, [x.numpy() for x in flatten(function(EagerTensor(X))) if x is not None]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_is_a_loop(reverse: bool) -> None:
    def model(x: Any) -> Any:
        return scan(lambda c, x: (c * 0.5 + x, {"sum": c, "pair": [x * c, None]}), x[0], x, reverse=reverse)

    traced, eager = traced_and_eager(model)
    carry, sums, products = X[0], np.zeros_like(X), np.zeros_like(X)
    for i in (3, 2, 1, 0) if reverse else range(4):
        sums[i], products[i] = carry, X[i] * carry
        carry = carry * np.float32(0.5) + X[i]
    for found in (traced, eager):
        for value, expected in zip(found, (carry, products, sums), strict=True):
            np.testing.assert_array_equal(value, expected)


def test_what_the_body_reads_around_it_becomes_a_constant() -> None:
    weight = keras.Variable(np.full((3, 3), 0.1, "float32"), name="weight")

    def model(x: Any) -> Any:
        bias = ops.sum(x, axis=0)

        def outer(c: Any, x: Any) -> Any:
            inner = lambda d, _: (d + weight[0] + bias, None)
            return scan(inner, ops.matmul(c, weight) + x, None, length=2)[0], None

        return scan(outer, ops.ones((2, 3)), x)[0]

    traced, eager = traced_and_eager(model)
    np.testing.assert_allclose(traced[0], eager[0], rtol=1e-6)
    scans = [op for op in trace_function(model, [SPEC]).module.walk() if op.name == "graph.scan"]
    assert [op["carries"] for op in scans] == [1, 1] and scans[1].parent_op is scans[0]


def test_variables_that_the_body_assigns_are_carried() -> None:
    count, total = keras.Variable(0, name="count"), keras.Variable(np.zeros(3, "float32"), name="total")

    def model(x: Any) -> Any:
        def body(c: Any, x: Any) -> Any:
            count.assign_add(1)
            total.assign_add(x[0])
            return c, x * ops.cast(count, "float32")

        count.assign_add(10)
        return scan(body, None, x)[1]

    traced = trace_function(model, [SPEC])
    verify(traced.module)
    (found,) = CompiledFunction(traced, Options.of(engine="interpreter"))(X)
    np.testing.assert_allclose(found, X * np.array([11, 12, 13, 14], "float32")[:, None, None], rtol=1e-6)
    assert int(count) == 14
    np.testing.assert_allclose(total.numpy(), X[:, 0].sum(0), rtol=1e-6)
    assert [a.role for a in traced.arguments] == ["input", "state", "state"]


def test_each_step_draws_its_own_random_numbers() -> None:
    seed = keras.random.SeedGenerator(3)

    def model(x: Any) -> Any:
        return scan(lambda c, x: (c, keras.random.uniform((2, 3), seed=seed)), None, x)[1]

    (found,) = CompiledFunction(trace_function(model, [SPEC]), Options.of(engine="interpreter"))(X)
    assert len({row.tobytes() for row in found}) == len(X)
    again = keras.random.SeedGenerator(3)
    np.testing.assert_array_equal(found[0], keras.random.uniform((2, 3), seed=again).numpy())


def test_only_a_length() -> None:
    carry, ys = scan(lambda c, _: (c * 2, c), ops.ones(()), None, length=5)
    assert float(carry) == 32 and ys.numpy().tolist() == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("inside", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize(
    ("run", "error", "text"),
    [
        (lambda x: scan(lambda c, x: (c, c), ops.zeros(()), None), ShapeError, "needs sequences or a length"),
        (lambda x: scan(lambda c, x: (c, c), None, (x, x[:2, :1, 0][0])), ShapeError, "have one length"),
        (lambda x: scan(lambda c, x: (c, c), None, x[0, 0, 0]), ShapeError, "goes over axis 0"),
        (lambda x: scan(lambda c, x: c, ops.zeros(()), x), IRError, "returns the pair"),
        (lambda x: scan(lambda c, x: (x, None), ops.zeros((3,)), x), ShapeError, "keeps shape and dtype"),
        (lambda x: scan(lambda c, x: (ops.cast(c, "int32"), None), x[0], x), ShapeError, "of float32, then .* int32"),
        (lambda x: scan(lambda c, x: ((c, c), None), x[0], x), IRError, "keeps its structure"),
    ],
)
def test_mistakes_are_named(run: Any, error: Any, text: str, inside: bool) -> None:
    with pytest.raises(error, match=text):
        if inside:
            trace_function(run, [TensorSpec(X.shape, "float32", "x")])
        else:
            run(EagerTensor(X))


def test_a_tensor_of_the_body_cannot_leave_it() -> None:
    kept: list[Any] = []

    def model(x: Any) -> Any:
        scan(lambda c, x: (kept.append(x * 2), (c, x))[1], x[0], x)
        return kept[0] + 1

    with pytest.raises(KcompileError, match="made is used after it"):
        trace_function(model, [SPEC])


def test_a_body_that_fails_leaves_the_trace_whole() -> None:
    def model(x: Any) -> Any:
        with pytest.raises(ShapeError):
            scan(lambda c, x: (ops.matmul(x, c), None), ops.zeros((7, 7)), x)
        return scan(lambda c, x: (c + x, None), x[0], x)[0]

    traced, eager = traced_and_eager(model)
    np.testing.assert_allclose(traced[0], eager[0], rtol=1e-6)
