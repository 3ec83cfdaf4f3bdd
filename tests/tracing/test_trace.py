"""Traces: variables become arguments, what is written comes back as donated results, mistakes are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import KcompileError, ShapeError, UnsupportedError
from kcompile.ir.interpreter import interpret
from kcompile.keras import ops
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import TensorSpec, Trace, current_trace, trace_function, trace_predict

SPEC = TensorSpec((None, 3), "float32", "x")
X = np.arange(6, dtype="float32").reshape(2, 3)


def run(traced: Any, *inputs: Any) -> list[Any]:
    from kcompile.options import Options

    return CompiledFunction(traced, Options.of(engine="interpreter"))(*inputs)


def test_inputs_weights_and_state_have_roles() -> None:
    weight, count = keras.Variable(np.ones(3, "float32"), name="weight"), keras.Variable(0, name="count")

    def step(x: Any) -> Any:
        count.assign_add(1)
        return x * weight

    traced = trace_function(step, [SPEC])
    assert [(a.role, a.name) for a in traced.arguments] == [("input", "x"), ("state", "count"), ("weight", "weight")]
    assert [(r.name, r.variable) for r in traced.results] == [("output_0", None), ("count", count)]
    function = traced.module.body.first
    assert function is not None
    assert function["arg_attrs"][1] == {"kernel.role": "state", "kernel.name": "count"}
    assert function["res_attrs"] == ({"kernel.name": "output_0"}, {"kernel.name": "count", "kernel.donates": 1})
    assert "d" not in str(traced.arguments[0].type.shape[1]) and str(traced.arguments[0].type.shape[0]) == "b"
    assert int(count) == 0  # tracing changes nothing
    for _ in range(2):
        np.testing.assert_array_equal(run(traced, X)[0], X)
    assert int(count) == 2


def test_reads_see_earlier_writes() -> None:
    v = keras.Variable(np.ones(3, "float32"))

    def step(x: Any) -> Any:
        before = v + 0.0
        v.assign(v * 2.0)
        v.assign_add(x[0])
        return before + v

    traced = trace_function(step, [SPEC])
    np.testing.assert_array_equal(run(traced, X)[0], 1 + 2 + X[0])
    np.testing.assert_array_equal(v.numpy(), 2 + X[0])
    v.assign(np.ones(3))
    np.testing.assert_array_equal(np.asarray(step(ops.convert_to_tensor(X))), 1 + 2 + X[0])


def test_a_variable_written_only_is_an_argument_too() -> None:
    v = keras.Variable(np.ones(3, "float32"), name="v")
    traced = trace_function(lambda x: v.assign(ops.sum(x, axis=0)), [SPEC])
    assert [a.role for a in traced.arguments] == ["input", "state"]
    run(traced, X)
    np.testing.assert_array_equal(v.numpy(), X.sum(0))


def test_gradients_of_variables() -> None:
    w, unused = keras.Variable(np.full(3, 2.0, "float32")), keras.Variable(1.0)

    def step(x: Any) -> Any:
        trace = current_trace()
        assert trace is not None
        first, second = trace.gradients(ops.sum(ops.square(x * w)), [w, unused])
        assert second is None
        return first

    np.testing.assert_allclose(run(trace_function(step, [SPEC]), X)[0], (2 * X**2 * 2.0).sum(0))


def test_structures_of_outputs() -> None:
    traced = trace_function(lambda x: {"b": x + 1.0, "a": [x, None, 2.0]}, [SPEC])
    outputs = traced.unflatten(run(traced, X))
    np.testing.assert_array_equal(outputs["b"], X + 1)
    np.testing.assert_array_equal(outputs["a"][0], X)
    assert outputs["a"][1] is None and float(outputs["a"][2]) == 2.0


def test_locations_are_layer_paths() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax", name="head")], name="m")
    names = {op.location.name for op in trace_predict(model).module.walk()}
    assert {"m/head/matmul", "m/head/add", "m/head/softmax"} <= names


def test_one_graph_serves_every_batch() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    traced = trace_predict(model)
    for rows in (1, 5):
        x = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
        arguments = [x if a.variable is None else a.variable._array for a in traced.arguments]
        np.testing.assert_allclose(interpret(traced.module, "main", arguments)[0], model(x).numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    "function",
    [lambda x: x if ops.sum(x) > 0 else -x, np.exp, lambda x: float(x[0, 0]), lambda x: x.numpy(), lambda x: list(x)],
    ids=["if", "numpy", "float", "values", "rows"],
)
def test_values_do_not_exist_while_tracing(function: Any) -> None:
    with pytest.raises((UnsupportedError, TypeError), match=r"keras.ops|ops.shape"):
        trace_function(function, [SPEC])


def test_numpy_on_a_variable_is_refused_while_tracing() -> None:
    v = keras.Variable(np.ones(3, "float32"))
    with pytest.raises(UnsupportedError, match="NumPy"):
        trace_function(lambda x: x * np.exp(v), [SPEC])


def test_tensors_do_not_outlive_their_trace() -> None:
    kept: list[Any] = []
    trace_function(lambda x: kept.append(x) or x, [SPEC])
    with pytest.raises(KcompileError, match="add_weight"):
        trace_function(lambda x: x + kept[0], [SPEC])


def test_errors_name_the_layer() -> None:
    class Wrong(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return ops.matmul(x, ops.zeros((4, 2)))

    model = keras.Sequential([keras.layers.Identity(), Wrong(name="wrong")], name="m")
    with pytest.raises(ShapeError, match=r"(?s)\(None, 3\) and \(4, 2\).*'wrong'"):
        model.build((None, 3))


def test_traces_nest() -> None:
    with Trace() as outer:
        x = outer.input(SPEC.type, "x")
        layer = keras.layers.Dense(2)  # built, by a trace of shapes inside this one
        keras.Sequential([layer]).build((None, 3))
        y = layer(x)
        assert current_trace() is outer and y.trace is outer
    assert current_trace() is None


def test_symbols_of_other_axes() -> None:
    traced = trace_function(
        lambda x, y: ops.concatenate([x, y], axis=-1), [TensorSpec((None, None, 2)), TensorSpec((None, None, 3))]
    )
    assert [str(d) for d in traced.results[0].type.shape] == ["b", "d1", "5"]
