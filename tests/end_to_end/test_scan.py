"""Scans compiled: the interpreter on the graph is the meaning; any team gives the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

from kcompile.codegen import entry
from kcompile.ir.core import Operation, find_function
from kcompile.ir.interpreter import interpret
from kcompile.ir.verifier import verify
from kcompile.keras import ops
from kcompile.tracing import TensorSpec, scan, trace_function
from tests.autodiff import test_scan as gradients
from tests.properties.compiled import run_compiled

Model = Callable[..., Any]


def time_first(x: Any) -> Any:
    return ops.transpose(x, (1, 0, 2))


def last_and_all(x: Any, w: Any, reverse: bool = False) -> Any:
    """The carry is what is stacked."""

    def body(h: Any, x: Any) -> Any:
        h = ops.tanh(ops.matmul(h, w) + x)
        return h, h

    return scan(body, ops.zeros_like(x[:, 0, :]), time_first(x), reverse=reverse)


def backwards(x: Any, w: Any) -> Any:
    return last_and_all(x, w, reverse=True)


def last_only(x: Any, w: Any) -> Any:
    """The carry lives in turn in two halves: a dot reads all of it."""
    return scan(lambda h, x: (ops.tanh(ops.matmul(h, w) + x), None), x[:, 0, :] * 2, time_first(x))[0]


def in_place(x: Any, w: Any) -> Any:
    """The carry is updated where it is."""
    return scan(lambda c, x: (c * 0.5 + x, None), ops.ones_like(x[:, 0, :]), time_first(x))[0]


def before_each_step(x: Any, w: Any) -> Any:
    """What a step found is stacked, not what it made."""
    return scan(lambda h, x: (ops.matmul(h, w) - x, h), x[:, 1, :], time_first(x))


def before_and_after(x: Any, w: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        after = ops.matmul(h, w) - x
        return after, (h, after, after * 2)

    return scan(body, x[:, 1, :], time_first(x), reverse=True)


def rotation(x: Any, w: Any) -> Any:
    """A carry becomes another one unchanged; one never changes; one is a constant of the body."""

    def body(c: Any, x: Any) -> Any:
        a, b, kept, _ = c
        return (b, ops.matmul(a, w) + x, kept, x0), (a, kept, x, x0)

    x0 = x[:, 0, :]
    return scan(body, (x0, x0 * 2, x0 * 3, x0 * 4), time_first(x))


def twice(x: Any, w: Any) -> Any:
    """One value is two carries and two stacks."""

    def body(c: Any, x: Any) -> Any:
        made = c[0] * c[1] + x
        return (made, made), (made, made)

    return scan(body, (x[:, 0, :], x[:, 1, :]), time_first(x))


def nested(x: Any, w: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        def inner(c: Any, row: Any) -> Any:
            c = c + h[:, 0] * row[0]
            return c, c

        total, rows = scan(inner, x[:, 0], w)
        return ops.matmul(h, w) + ops.expand_dims(total, 1), (ops.transpose(rows), h)

    return scan(body, x[:, 0, :], time_first(x))


def nothing_carried(x: Any, w: Any) -> Any:
    return scan(lambda c, x: (c, ops.matmul(x, w)), None, time_first(x))[1]


def counter(x: Any, w: Any) -> Any:
    """Integers, of no axis."""

    def body(c: Any, x: Any) -> Any:
        return c + 1, x * ops.cast(c, "float32")

    return scan(body, ops.convert_to_tensor(0), time_first(x))


def two_loops(x: Any, w: Any) -> Any:
    """The second reads what the first stacked; the first state is read again after the loop."""
    first = ops.sin(x[:, 0, :])
    h, hs = scan(lambda h, x: ((h := ops.tanh(ops.matmul(h, w) + x)), h), first, time_first(x))
    g, gs = scan(lambda g, h: ((g := ops.tanh(ops.matmul(g, w) + h)), g), h, hs, reverse=True)
    return g + first, ops.transpose(gs, (1, 0, 2))


def gates(x: Any, w: Any) -> Any:
    """A cell with two states and gates that are parts of one product."""
    wide = ops.concatenate([w, w * 0.5, w - 0.1, w + 0.1], axis=1)

    def body(c: Any, x: Any) -> Any:
        h, c = c
        z = ops.reshape(ops.matmul(h, wide) + ops.tile(x, (1, 4)), (-1, 4, x.shape[-1]))
        i, f, g, o = (ops.sigmoid(z[:, k, :]) for k in range(4))
        c = f * c + i * g
        h = o * ops.tanh(c)
        return (h, c), h

    zero = ops.zeros_like(x[:, 0, :])
    return scan(body, (zero, zero), time_first(x))


MODELS = [
    last_and_all, backwards, last_only, in_place, before_each_step, before_and_after, rotation, twice, nested,
    nothing_carried, counter, two_loops, gates,
]  # fmt: skip
SHAPES = [(2, 5, 4), (1, 1, 20), (None, 3, 16), (None, None, 7)]


def traced(model: Model, shape: Any) -> Operation:
    features = shape[-1]
    specs = [TensorSpec(shape, "float32", "x"), TensorSpec((features, features), "float32", "w")]
    module = trace_function(model, specs).module
    verify(module)
    return module


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_compiled_scans_equal_the_interpreter(model: Model, shape: Any) -> None:
    if model in (before_and_after, before_each_step, twice) and shape[1] == 1:
        shape = (shape[0], 2, shape[2])
    rng = np.random.default_rng(1)
    actual = [3 if d is None else d for d in shape]
    arrays = [rng.normal(size=actual), rng.normal(size=(actual[2], actual[2])) * 0.3]
    check(traced(model, shape), arrays, (1, 2, 3) if model in (gates, two_loops) else (1, 3))


@pytest.mark.parametrize("length", [4, None], ids=str)
@pytest.mark.parametrize("model", gradients.MODELS, ids=lambda m: m.__name__)
def test_compiled_gradients_equal_the_interpreter(model: Model, length: int | None) -> None:
    module = gradients.value_and_gradient(model, length, "float32")
    rng = np.random.default_rng(2)
    types = [a.type for a in find_function(module, "main").body.arguments]
    shapes = [tuple(d if isinstance(d, int) else 3 for d in type.shape) for type in types]  # type: ignore[attr-defined]
    check(module, [rng.normal(size=s) * 0.3 for s in shapes], (1, 2))


def check(module: Operation, inputs: list[np.ndarray], teams: tuple[int, ...]) -> None:
    arrays = [a.astype(np.float32) for a in inputs]
    expected = interpret(module, "main", arrays)
    with mock.patch.object(entry, "team_cost", lambda interface: 0):  # every call, however small, is for the whole team
        results = [run_compiled(module, arrays, threads=team) for team in teams]
    for want, *found in zip(expected, *results, strict=True):
        np.testing.assert_allclose(found[0], want, rtol=2e-5, atol=2e-5)
        assert {f.tobytes() for f in found} == {found[0].tobytes()}
