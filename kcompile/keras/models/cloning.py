"""clone_model and model_from_json: new models from the description of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kcompile.errors import ArgumentError, FormatError

from .functional import Functional
from .sequential import Sequential


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None) -> Any:
    """A model of the same layers with new weights. `clone_function(layer)` may give another layer instead."""
    if input_tensors is not None:
        raise ArgumentError("clone_model makes inputs of its own here. Received: input_tensors")
    if isinstance(model, Sequential):
        fresh = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
        copied = [
            type(x).from_config(x.get_config()) if i == 0 and not x.weights else fresh(x)
            for i, x in enumerate(model._sequence)
        ]
        return Sequential(copied, name=model.name, trainable=model.trainable)
    if isinstance(model, Functional) and clone_function is None:
        return type(model).from_config(model.get_config())
    if clone_function is None:
        return type(model).from_config(model.get_config())
    if not isinstance(model, Functional):
        raise ArgumentError("clone_function needs a Sequential or functional model")
    from kcompile.tracing.structure import flatten, map_structure

    from ..layers.core.input_layer import Input, InputLayer
    from .function import run_graph

    made: dict[Any, Any] = {}

    def caller(operation: Any) -> Any:
        if operation not in made:
            is_layer = hasattr(operation, "add_weight") and not isinstance(operation, InputLayer)
            made[operation] = (
                clone_function(operation) if is_layer else type(operation).from_config(operation.get_config())
            )
        return made[operation]

    inputs = map_structure(
        lambda x: Input(batch_shape=x.shape, dtype=x.dtype, name=x._keras_history[0].name), model._inputs_struct
    )
    outputs = run_graph(model._nodes, model._inputs, model._outputs_struct, flatten(inputs), caller)
    return Functional(inputs, outputs, name=model.name)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model that `to_json` described, with new weights."""
    from ..saving.serialization import deserialize_keras_object, sharing

    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error}") from None
    with sharing():
        return deserialize_keras_object(config, custom_objects=custom_objects)
