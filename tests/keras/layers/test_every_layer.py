"""What holds for every layer: configs come back, shapes are known before values, traced equals eager."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.ir.interpreter import interpret
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import EagerTensor, TensorSpec, TracedFunction, trace_function
from tests.keras.layers.cases import CASES, LayerCase

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def make(case: LayerCase) -> Any:
    return case.make(keras)


def apply(case: LayerCase, layer: Any, inputs: Any, **kwargs: Any) -> Any:
    """The layer called on inputs (arrays, tensors or symbols) as the case says."""
    return layer(*inputs, **case.call, **kwargs) if case.spread else layer(inputs, **case.call, **kwargs)


def draw_inputs(case: LayerCase, batch: int = 3, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...]) -> Any:
        if case.dtype == "int32":
            return rng.integers(0, case.kwargs["input_dim"], (batch, *shape), np.int32)
        return rng.normal(size=(batch, *shape)).astype(case.dtype)

    return [draw(s) for s in case.shapes] if isinstance(case.shapes, list) else draw(case.shapes)


def randomize(layer: Any, seed: int = 1) -> None:
    """Weights that differ from their initial values; variances stay positive."""
    rng = np.random.default_rng(seed)
    layer.set_weights([np.abs(rng.normal(size=w.shape)).astype(w.dtype) + 0.1 for w in layer.weights])


def takes_training(layer: Any) -> bool:
    from kcompile.keras.layers.call_context import call_signature

    return call_signature(type(layer).call).has_training


MODES = [
    pytest.param(c, training, id=f"{c.id}-training" if training else c.id)
    for c in CASES
    for training in ((False, True) if takes_training(make(c)) else (False,))
]
every_mode = pytest.mark.parametrize(("case", "training"), MODES)


def as_json(config: Any) -> Any:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(config)))


def traced_call(case: LayerCase, layer: Any, inputs: Any, **kwargs: Any) -> TracedFunction:
    """The layer's call traced with a symbolic batch."""
    leaves = inputs if isinstance(inputs, list) else [inputs]
    specs = [TensorSpec((None, *x.shape[1:]), x.dtype.name) for x in leaves]
    return trace_function(lambda x: apply(case, layer, x, **kwargs), [specs if isinstance(inputs, list) else specs[0]])


def interpreted(case: LayerCase, layer: Any, inputs: Any, **kwargs: Any) -> Any:
    """The traced call run by the interpreter, state updated like a compiled call."""
    leaves = inputs if isinstance(inputs, list) else [inputs]
    traced = traced_call(case, layer, inputs, **kwargs)
    given = iter(leaves)
    arguments = [next(given) if a.variable is None else a.variable._array for a in traced.arguments]
    results = interpret(traced.module, "main", arguments)
    for value, spec in zip(results, traced.results, strict=True):
        if spec.variable is not None:
            spec.variable._array[...] = value
    return results[0]


def test_there_is_a_case_of_every_layer() -> None:
    bases = {"Layer", "Input", "InputLayer", "InputSpec", "Lambda"}
    homes = {name for name in keras.layers.__all__ if getattr(keras.layers, name).__name__ == name}
    cells = {"LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "Wrapper"}  # in cases of RNN; test_recurrent.py
    assert homes - bases - cells == {c.name for c in CASES}


@every_case
def test_a_config_gives_an_equal_layer(case: LayerCase) -> None:
    layer = make(case)
    config = layer.get_config()
    again = type(layer).from_config(as_json(config))
    assert as_json(again.get_config()) == as_json(config)
    data = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert (data["module"], data["class_name"], data["registered_name"]) == ("keras.layers", case.name, None)
    assert as_json(keras.saving.deserialize_keras_object(data).get_config()) == as_json(config)


@every_case
def test_shapes_are_those_of_values(case: LayerCase) -> None:
    layer = make(case)
    inputs = draw_inputs(case)
    symbols: Any = [
        keras.Input(s, dtype=case.dtype) for s in (case.shapes if isinstance(case.shapes, list) else [case.shapes])
    ]
    symbolic = apply(case, layer, symbols if isinstance(case.shapes, list) else symbols[0])
    value = apply(case, layer, inputs)
    assert symbolic.shape == (None, *value.shape[1:])
    assert symbolic.dtype == value.dtype
    assert value.shape[0] == 3
    shapes: Any = [(None, *s) for s in case.shapes] if isinstance(case.shapes, list) else (None, *case.shapes)
    if case.dtype == "float32":
        assert layer.compute_output_shape(*shapes if case.spread else [shapes]) == symbolic.shape
    assert layer.output is symbolic


@dataclass
class Eager:
    """A layer with random weights and state, called once: what it gave, and what its variables were after that."""

    layer: Any
    inputs: Any
    kwargs: dict[str, bool]
    result: Any
    after: list[Any]

    @classmethod
    def of(cls, case: LayerCase, training: bool) -> Eager:
        layer = make(case)
        inputs = draw_inputs(case)
        apply(case, layer, inputs)
        randomize(layer)
        kwargs = {"training": training} if takes_training(layer) else {}
        before = [v.numpy() for v in layer.variables]
        result = apply(case, layer, inputs, **kwargs).numpy()
        after = [v.numpy() for v in layer.variables]
        for v, a in zip(layer.variables, before, strict=True):
            v.assign(a)
        return cls(layer, inputs, kwargs, result, after)

    def check(self, result: Any, tolerance: float, state_tolerance: float) -> None:
        """That another call of the layer, as it was before, gave and did the same."""
        np.testing.assert_allclose(result, self.result, rtol=tolerance, atol=tolerance)
        for v, a in zip(self.layer.variables, self.after, strict=True):
            np.testing.assert_allclose(v.numpy(), a, rtol=tolerance, atol=state_tolerance, err_msg=v.path)


@every_mode
def test_traced_is_eager(case: LayerCase, training: bool) -> None:
    eager = Eager.of(case, training)
    traced = interpreted(case, eager.layer, eager.inputs, **eager.kwargs)
    # the same references on the same numbers: only constants folded in another order may differ
    eager.check(traced, 1e-6, 1e-7)


@every_mode
def test_compiled_is_eager(case: LayerCase, training: bool) -> None:
    eager = Eager.of(case, training)
    traced = traced_call(case, eager.layer, eager.inputs, **eager.kwargs)
    inputs = eager.inputs if isinstance(eager.inputs, list) else [eager.inputs]
    # sums of up to a hundred float32 terms of order 1 in another order, and polynomials for transcendental functions
    eager.check(CompiledFunction(traced)(*inputs)[0], 2e-5, 2e-6)


@every_case
def test_a_built_layer_can_be_made_from_config_and_weights(case: LayerCase) -> None:
    layer = make(case)
    inputs = draw_inputs(case)
    apply(case, layer, inputs)
    randomize(layer)
    again = type(layer).from_config(layer.get_config())
    build_config = layer.get_build_config()
    if build_config:
        again.build_from_config(json.loads(json.dumps(build_config)))
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(apply(case, again, inputs).numpy(), apply(case, layer, inputs).numpy())


@every_case
def test_rows_do_not_depend_on_their_batch(case: LayerCase) -> None:
    layer = make(case)
    inputs = draw_inputs(case)
    whole = apply(case, layer, inputs).numpy()
    for i in range(3):
        row = [x[i : i + 1] for x in inputs] if isinstance(inputs, list) else inputs[i : i + 1]
        np.testing.assert_allclose(apply(case, layer, row).numpy()[0], whole[i], rtol=1e-6, atol=1e-6)


@every_case
def test_bfloat16_policy(case: LayerCase) -> None:
    if case.name in ("Embedding",) or "dtype" in case.kwargs:
        pytest.skip("integer inputs")
    layer = case.make(keras, dtype="mixed_bfloat16")
    full = make(case)
    inputs = draw_inputs(case)
    out = apply(case, layer, inputs)
    assert out.dtype == "bfloat16"
    assert all(w.dtype == "float32" for w in layer.weights)
    apply(case, full, inputs)
    full.set_weights(layer.get_weights())
    expected = apply(case, full, inputs).numpy()
    # 8 bits of mantissa, sums of a few dozen terms of order 1
    np.testing.assert_allclose(out.numpy(), expected, rtol=0.1, atol=0.15)
    assert isinstance(out, EagerTensor)
