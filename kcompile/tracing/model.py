"""trace_predict: the forward pass of a model as a graph."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from .structure import flatten, map_structure
from .trace import TensorSpec, TracedFunction, trace_function


def input_specs(model: Any) -> Any:
    """The inputs of a built model, as TensorSpecs in the structure that it takes them in."""
    try:
        inputs = model.input
    except AttributeError:
        inputs = None
    if inputs is not None:
        names = iter(model.input_names)
        return map_structure(lambda x: TensorSpec((None, *x.dims[1:]), x.dtype, next(names)), inputs)
    config = model.get_build_config() if model.built else None
    if not config or config.get("input_shape") is None:
        raise ArgumentError(
            f"model '{model.name}' has not seen an input yet, so its shapes are not known. "
            "Call it on data, or build(input_shape)."
        )
    from kcompile.keras.layers.layer import _map_shapes

    count = iter(range(1_000_000))
    return _map_shapes(
        lambda s: TensorSpec((None, *s[1:]), model.compute_dtype, f"input_{next(count)}"), config["input_shape"]
    )


def trace_predict(model: Any, training: bool = False, specs: Any = None) -> TracedFunction:
    """The graph of `model(inputs, training=training)`, its batch axis the symbol "b".

    `specs` says what the inputs look like (a structure of TensorSpecs); by default what the model was built with.
    Results have the names of the output layers, or output_0 .. for a subclassed model.
    """
    structure = input_specs(model) if specs is None else specs

    def forward(inputs: Any) -> Any:
        return model(inputs, training=training)

    try:
        names = list(model.output_names)
    except AttributeError:
        names = None
    if names is not None and len(set(names)) != len(names):
        names = None
    if not flatten(structure):
        raise ArgumentError(f"model '{model.name}' has no inputs")
    return trace_function(forward, [structure], output_names=names)
