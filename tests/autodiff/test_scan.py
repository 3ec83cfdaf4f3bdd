"""The gradient of scans in f64 on the interpreter: directional derivatives of bodies of every form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kcompile.autodiff import pullback
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function
from kcompile.ir.interpreter import interpret
from kcompile.ir.verifier import verify
from kcompile.keras import ops
from kcompile.tracing import TensorSpec, scan, trace_function

STEP = 1e-6
Model = Callable[..., Any]


def recurrent(x: Any, w: Any, h: Any) -> Any:
    return scan(lambda h, x: ((h := ops.tanh(ops.matmul(h, w) + x)), h), h, x)


def reverse(x: Any, w: Any, h: Any) -> Any:
    return scan(lambda h, x: ((h := ops.tanh(ops.matmul(h, w) + x)), h), h, x, reverse=True)


def last_only(x: Any, w: Any, h: Any) -> Any:
    return scan(lambda h, x: (ops.sin(ops.matmul(h, w)) * x, None), h, x)[0]


def stacks_only(x: Any, w: Any, h: Any) -> Any:
    return scan(lambda h, x: (ops.sin(ops.matmul(h, w)) * x, (h, h * x)), h, x)[1]


def constant_twice(x: Any, w: Any, h: Any) -> Any:
    """Read in two products, and point by point (which needs a sum that is carried)."""

    def body(c: Any, x: Any) -> Any:
        c = ops.sin(ops.matmul(c, w)) + ops.matmul(x, ops.transpose(w)) * ops.sum(w * w) * 0.1 + w[0] * c
        return c, c

    return scan(body, h, x)


def bias(x: Any, w: Any, h: Any) -> Any:
    return scan(lambda h, x: ((h := ops.tanh(h * 0.5 + x + w[1])), h), h, x)


def part_of_a_constant(x: Any, w: Any, h: Any) -> Any:
    """A row of a constant is added: its gradient is a sum over all steps, padded after the loop."""
    return scan(lambda h, x: ((h := ops.tanh(ops.matmul(h, w[:, ::-1]) + x + w[1:2])), h), h, x)


def integer_carry(x: Any, w: Any, h: Any) -> Any:
    def body(c: Any, x: Any) -> Any:
        n, h = c
        return (n + 1, ops.tanh(h + x) * ops.cast(n, x.dtype)), (n, h)

    (_, h), (_, hs) = scan(body, (ops.convert_to_tensor(1), h), x)
    return h, hs


def carry_that_stays(x: Any, w: Any, h: Any) -> Any:
    def body(c: Any, x: Any) -> Any:
        h, kept, _ = c
        return (ops.sin(h) * kept + x, kept, h), None

    return scan(body, (h, h * 2, x[0]), x)[0]


def masked(x: Any, w: Any, h: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        new = ops.tanh(ops.matmul(h, w) + x)
        return ops.where(x > 0, new, h), new

    return scan(body, h, x)


def nested(x: Any, w: Any, h: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        total, rows = scan(lambda c, row: (ops.sin(c + h * row), c), x, w)
        return ops.tanh(total + ops.matmul(h, w)), rows

    return scan(body, h, x)


def gates(x: Any, w: Any, h: Any) -> Any:
    wide = ops.concatenate([w, w * 0.5, w - 0.1, w + 0.1], axis=1)

    def body(c: Any, x: Any) -> Any:
        h, c = c
        z = ops.reshape(ops.matmul(h, wide) + ops.tile(x, (1, 4)), (-1, 4, x.shape[-1]))
        i, f, g, o = (ops.sigmoid(z[:, k, :]) for k in range(4))
        c = f * c + i * g
        h = o * ops.tanh(c)
        return (h, c), h

    return scan(body, (h, ops.zeros_like(h)), x)


def two_loops(x: Any, w: Any, h: Any) -> Any:
    last, hs = recurrent(x, w, h)
    return recurrent(hs * hs, w * 2, last)


MODELS = [
    recurrent, reverse, last_only, stacks_only, constant_twice, bias, part_of_a_constant, integer_carry,
    carry_that_stays, masked, nested, gates, two_loops,
]  # fmt: skip


def value_and_gradient(model: Model, length: Any, dtype: str = "float64") -> Operation:
    """@main(x, w, h, cotangents..) -> (results.., cotangents of x, w, h)."""
    shapes = [(length, 2, 5), (5, 5), (2, 5)]
    specs = [TensorSpec(s, dtype, n) for s, n in zip(shapes, "xwh", strict=True)]
    module = trace_function(model, specs).module
    main = find_function(module, "main")
    results = list(main.body.terminator.operands)
    main.body.terminator.erase()
    b = GraphBuilder(main.body)
    floats = [r for r in results if t.is_float(r.type)]
    given = [main.body.add_argument(r.type) for r in floats]
    wrt = main.body.arguments[:3]
    found = pullback(b, floats, given, wrt)
    b.ret(*floats, *(g if g is not None else b.full(0.0, v.type) for g, v in zip(found, wrt, strict=True)))  # type: ignore[arg-type]
    main.attributes.pop("arg_attrs", None)
    main.attributes.pop("res_attrs", None)
    verify(module)
    return module


@pytest.mark.parametrize("length", [4, 1, None], ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_the_gradient_is_the_directional_derivative(model: Model, length: int | None) -> None:
    module = value_and_gradient(model, length)
    rng = np.random.default_rng(3)
    steps = length or 3
    arrays = [rng.normal(size=s) * 0.5 for s in ((steps, 2, 5), (5, 5), (2, 5))]
    types = [a.type for a in find_function(module, "main").body.arguments[3:]]
    shapes = [tuple(steps if not isinstance(d, int) else d for d in type.shape) for type in types]  # type: ignore[attr-defined]
    cts = [rng.normal(size=s) for s in shapes]

    def run(inputs: list[np.ndarray]) -> list[np.ndarray]:
        return interpret(module, "main", [*inputs, *cts])

    found = run(arrays)
    for k, name in enumerate("xwh"):
        direction = rng.normal(size=arrays[k].shape)
        values = []
        for sign in (1, -1):
            moved = [a + sign * STEP * direction if i == k else a for i, a in enumerate(arrays)]
            values.append(sum(float(np.sum(ct * y)) for ct, y in zip(cts, run(moved), strict=False)))
        expected = (values[0] - values[1]) / (2 * STEP)
        actual = float(np.sum(found[len(cts) + k] * direction))
        assert abs(actual - expected) <= 1e-6 * max(1.0, abs(expected)), name


def test_the_gradient_of_weights_is_one_dot_over_all_steps() -> None:
    module = value_and_gradient(recurrent, 5)
    forward, backward = [op for op in module.walk() if op.name == "graph.scan"]
    assert sum(op.name == "graph.dot_general" for op in backward.walk()) == 1  # the carry's cotangent only
    assert backward["carries"] == 1 and backward["reverse"] and not forward["reverse"]
    outside = [op for op in find_function(module, "main").body.ops if op.name == "graph.dot_general"]
    assert [op.operands[0].type.shape for op in outside] == [(10, 5)]  # type: ignore[attr-defined]


def test_the_gradient_of_a_part_of_a_constant_is_a_sum_after_the_loop() -> None:
    module = value_and_gradient(part_of_a_constant, 5)
    _, backward = [op for op in module.walk() if op.name == "graph.scan"]
    assert backward["carries"] == 1
    assert not any(op.name in ("graph.reduce", "graph.pad") for op in backward.walk())


def test_the_same_function_has_the_same_gradient_letter_by_letter() -> None:
    """Its text is the key under which what was compiled is found again: no order may come from addresses in memory."""

    def many_carries(x: Any, w: Any, h: Any) -> Any:
        def body(c: Any, x: Any) -> Any:
            mixed = c[0] * c[1] * c[2] * c[3] * c[4] * x
            return [ops.tanh(mixed * one) for one in c], mixed

        return scan(body, [h * float(i + 1) for i in range(5)], x)[1]

    kept: list[Any] = []  # so that no address is used twice
    texts = set()
    for i in range(8):
        kept.append([object() for _ in range(977 * i)])
        kept.append(value_and_gradient(many_carries, 4))
        texts.add(str(kept[-1]))
    assert len(texts) == 1
