"""What holds for every keras.ops function: eager, traced and symbolic calls agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.ir.interpreter import interpret
from kcompile.keras.tensor import KerasTensor
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import TensorSpec, trace_function
from kcompile.tracing.structure import flatten, map_structure
from tests.keras.ops.cases import CASES, OpCase, call

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def leaves_of(args: list[Any]) -> list[np.ndarray[Any, Any]]:
    return [a for a in flatten(args) if isinstance(a, np.ndarray)]


def with_leaves(args: list[Any], leaves: Any) -> list[Any]:
    items = iter(leaves)
    return [map_structure(lambda a: next(items) if isinstance(a, np.ndarray) else a, x) for x in args]


@every_case
def test_traced_is_eager(case: OpCase) -> None:
    args = case.drawn()
    eager = flatten(call(keras, case, args))
    specs = [TensorSpec(a.shape, a.dtype.name) for a in leaves_of(args)]
    traced = trace_function(lambda *xs: call(keras, case, with_leaves(args, xs)), specs)
    results = interpret(traced.module, "main", leaves_of(args))
    assert len(results) == len(eager)
    for got, expected, spec in zip(results, eager, traced.results, strict=True):
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-6, atol=1e-6)
        assert spec.type is expected.type


@every_case
def test_compiled_is_eager(case: OpCase) -> None:
    args = case.drawn()
    eager = flatten(call(keras, case, args))
    specs = [TensorSpec(a.shape, a.dtype.name) for a in leaves_of(args)]
    traced = trace_function(lambda *xs: call(keras, case, with_leaves(args, xs)), specs)
    for got, expected in zip(CompiledFunction(traced)(*leaves_of(args)), eager, strict=True):
        assert got.dtype == expected.numpy().dtype
        # short sums in another order, and polynomials of a few units in the last place
        np.testing.assert_allclose(got, expected.numpy(), rtol=2e-5, atol=2e-6)


@every_case
def test_symbolic_shape_is_that_of_values(case: OpCase) -> None:
    args = case.drawn()
    eager = flatten(call(keras, case, args))
    symbols = with_leaves(args, [KerasTensor(a.shape, a.dtype.name) for a in leaves_of(args)])
    outputs = flatten(call(keras, case, symbols))
    assert [(x.shape, x.dtype) for x in outputs] == [(x.shape, x.dtype) for x in eager]


@every_case
def test_a_node_comes_back_from_its_config(case: OpCase) -> None:
    args = case.drawn()
    if case.name in ("hstack", "vstack", "isclose"):
        pytest.skip("made of other operations")
    symbols = with_leaves(args, [keras.Input(batch_shape=a.shape, dtype=a.dtype.name) for a in leaves_of(args)])
    inputs = [x for x in flatten(symbols) if isinstance(x, KerasTensor)]
    model = keras.Model(inputs, flatten(call(keras, case, symbols)))
    again = keras.models.model_from_json(model.to_json())
    for x, y in zip(flatten(model(leaves_of(args))), flatten(again(leaves_of(args))), strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_one_hot_of_narrow_indices_has_one_hit() -> None:
    """300 classes do not fit the 8 bits of the indices (where JAX counts 34 and 34 + 256 as the same class)."""
    indices = np.array([0, 34, 255], "uint8")
    eager = keras.ops.one_hot(indices, 300).numpy()
    np.testing.assert_array_equal(eager, np.arange(300) == indices[:, None].astype(int))
    traced = trace_function(lambda x: keras.ops.one_hot(x, 300), [TensorSpec((3,), "uint8")])
    np.testing.assert_array_equal(CompiledFunction(traced)(indices)[0], eager)
