"""Each operation's gradient in f64 on the interpreter: directional derivatives; <Ax, y> = <x, A'y> where linear."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from kcompile.autodiff import pullback
from kcompile.dialects.graph import NOT_DIFFERENTIABLE, GraphBuilder
from kcompile.dialects.graph.dialect import zero_gradient
from kcompile.dialects.graph.sampling import Case, distinct
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Definition, definitions
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType

STEP = 1e-6
CASES = 12

DIFFERENTIABLE = [
    d
    for d in definitions("graph")
    if d.vjp not in (NOT_DIFFERENTIABLE, zero_gradient) and t.f64 in d.samples.elements and d.name != "graph.bitcast"
]
REDUCE_WINDOW = next(d for d in DIFFERENTIABLE if d.name == "graph.reduce_window")


def draw(definition: Definition, seed: int) -> Case:
    """A case in f64, away from kinks: where values are picked, no two are close."""
    rng = np.random.default_rng([seed, zlib.crc32(definition.name.encode())])
    while True:
        case = definition.samples.draw(rng, t.f64)
        if case.attributes.get("dtype", t.f64) is not t.f64:
            continue
        picks = case.attributes.get("kind") in ("max", "min") or definition.name in ("graph.max", "graph.min")
        if definition.name == "graph.rem" and not _is_far_from_a_jump(*case.arrays):
            continue
        if definition.name == "graph.reduce" and any(a.size == 0 for a in case.arrays):
            continue  # the maximum of nothing is -inf
        if picks:
            count = sum(a.size for a in case.arrays)
            spread = distinct(rng, (count,), t.f64)
            parts = np.split(spread, np.cumsum([a.size for a in case.arrays])[:-1])
            pairs = zip(parts, case.arrays, strict=True)
            arrays = [p.reshape(a.shape) if a.dtype.kind == "f" else a for p, a in pairs]
            attributes = {k: v for k, v in case.attributes.items() if k != "window_dilation"}  # refused, see below
            return Case(arrays, case.types, attributes)
        return case


def _is_far_from_a_jump(x: np.ndarray, y: np.ndarray) -> bool:
    rest = np.abs(np.fmod(x, y))
    return bool(np.all((rest > 1e-3) & (rest < np.abs(y) - 1e-3)))


def function_and_gradient(definition: Definition, case: Case) -> tuple[Operation, Operation, list[int]]:
    """@main(operands..) -> result, @gradient(operands.., ct) -> cotangents of its floats, and which they are."""
    b = GraphBuilder.function("main", case.types)
    result = b.create(definition.name, b.block.arguments, case.attributes).result
    b.ret(result)
    g = GraphBuilder.function("gradient", [*case.types, result.type], b.module)
    inputs = g.block.arguments[: len(case.types)]
    output = g.create(definition.name, inputs, case.attributes).result
    wrt = [i for i, v in enumerate(inputs) if t.is_float(v.type)]
    cts = pullback(g, [output], [g.block.arguments[-1]], [inputs[i] for i in wrt])
    found = [ct if ct is not None else g.full(0.0, inputs[i].type) for i, ct in zip(wrt, cts, strict=True)]
    g.ret(*found)
    return b.module, g.module, wrt


@pytest.mark.parametrize("definition", DIFFERENTIABLE, ids=lambda d: d.name.removeprefix("graph."))
def test_gradient_is_the_directional_derivative(definition: Definition) -> None:
    for seed in range(CASES):
        case = draw(definition, seed)
        module, _, wrt = function_and_gradient(definition, case)
        rng = np.random.default_rng(seed)
        directions = [rng.normal(size=case.arrays[i].shape) for i in wrt]

        moved = {}
        for step in (0.0, STEP, -STEP):
            arrays = list(case.arrays)
            for i, d in zip(wrt, directions, strict=True):
                arrays[i] = arrays[i] + step * d
            (moved[step],) = interpret(module, "main", arrays)
        ct = rng.normal(size=moved[0.0].shape)
        numeric = float(np.sum(ct * (moved[STEP] - moved[-STEP]))) / (2 * STEP)
        cotangents = interpret(module, "gradient", [*case.arrays, ct])
        analytic = sum(float(np.sum(c * d)) for c, d in zip(cotangents, directions, strict=True))
        # rounding of f / STEP and the third derivative times STEP^2 are both far below 1e-6 of the terms summed
        size = 1 + sum(float(np.sum(np.abs(c * d))) for c, d in zip(cotangents, directions, strict=True))
        assert abs(numeric - analytic) <= 2e-6 * size, (seed, case, numeric, analytic)


@pytest.mark.parametrize(
    "definition", [d for d in DIFFERENTIABLE if "linear" in d.traits], ids=lambda d: d.name.removeprefix("graph.")
)
def test_linear_operations_have_their_adjoint(definition: Definition) -> None:
    for seed in range(CASES):
        case = draw(definition, seed)
        module, _, wrt = function_and_gradient(definition, case)
        assert wrt == list(range(len(case.arrays)))
        (y,) = interpret(module, "main", case.arrays)
        ct = np.random.default_rng(seed).normal(size=y.shape)
        cotangents = interpret(module, "gradient", [*case.arrays, ct])
        terms = [x * c for x, c in zip(case.arrays, cotangents, strict=True)]
        left, right = float(np.sum(ct * y)), sum(float(np.sum(v)) for v in terms)
        size = float(np.sum(np.abs(ct * y))) + sum(float(np.sum(np.abs(v))) for v in terms)
        assert abs(left - right) <= 1e-13 * (1 + size), (seed, case)


def test_there_is_something_to_check() -> None:
    names = {d.name for d in DIFFERENTIABLE}
    assert {"graph.convolution", "graph.dot_general", "graph.reduce_window", "graph.pow", "graph.pad"} <= names


def test_dilated_maximum_is_refused_by_name() -> None:
    x = TensorType((5,), t.f64)
    window = {"window": (2,), "strides": (1,), "padding_low": (0,), "padding_high": (0,), "window_dilation": (2,)}
    with pytest.raises(UnsupportedError, match="dilation 1"):
        function_and_gradient(REDUCE_WINDOW, Case([np.zeros(5)], [x], {**window, "kind": "max"}))
