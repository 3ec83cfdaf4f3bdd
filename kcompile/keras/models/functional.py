"""Functional: a model given by symbolic inputs and outputs.

x = keras.Input((784,))
model = keras.Model(x, keras.layers.Dense(10)(x))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.errors import ArgumentError, FormatError, ShapeError
from kcompile.tracing.bind import bind, cast
from kcompile.tracing.structure import flatten, map_structure
from kcompile.tracing.tensor import Tensor, shape_text

from ..layers.call_context import call_signature
from ..layers.core.input_layer import Input, InputLayer
from ..layers.layer import Layer
from ..layers.masks import set_mask
from ..operation import Operation
from ..tensor import KerasTensor
from ..trainer.trainer import Trainer
from .function import order_nodes, run_graph
from .model import Model


class Functional(Model):
    """A graph of layers. `inputs` and `outputs` are KerasTensors in lists, tuples or dicts, or one each."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        trainable = kwargs.pop("trainable", None)
        Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        for x in flatten([inputs, outputs]):
            if not isinstance(x, KerasTensor):
                raise ArgumentError(
                    "a model's inputs and outputs are symbolic tensors: start from keras.Input and call layers on it. "
                    f"Received: {x!r}"
                )
        if any(not isinstance(x._keras_history[0] if x._keras_history else None, InputLayer) for x in flatten(inputs)):
            inputs, outputs = _with_new_inputs(inputs, outputs)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs: list[KerasTensor] = flatten(inputs)
        self._outputs: list[KerasTensor] = flatten(outputs)
        self._nodes, self._operations = order_nodes(self._inputs, self._outputs)
        names = [op.name for op in self._operations]
        for n in names:
            if names.count(n) > 1:
                raise ArgumentError(
                    f"names of layers in one model are different. Received: '{n}' {names.count(n)} times"
                )
        self.built = True
        if trainable is not None:
            self.trainable = trainable

    # -- what it is made of
    @property
    def operations(self) -> list[Operation]:
        """Layers and keras.ops operations, inputs first."""
        return list(self._operations)

    @property  # type: ignore[misc]
    def layers(self) -> list[Layer]:
        return [op for op in self._operations if isinstance(op, Layer)]

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._outputs

    @property
    def input(self) -> Any:
        return self._inputs_struct

    @property
    def output(self) -> Any:
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        return map_structure(lambda x: x.shape, self._inputs_struct)

    @property
    def output_shape(self) -> Any:
        return map_structure(lambda x: x.shape, self._outputs_struct)

    @property
    def input_names(self) -> list[str]:
        return [x._keras_history.operation.name for x in self._inputs]

    @property
    def output_names(self) -> list[str]:
        return [x._keras_history.operation.name for x in self._outputs]

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    # -- running
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        values = self._standardize(inputs)
        for x, own in zip(values, flatten(mask) if mask is not None else ()):
            if own is not None:
                set_mask(x, own)

        def caller(operation: Operation) -> Callable[..., Any]:
            if (
                training is None
                or not isinstance(operation, Layer)
                or not call_signature(type(operation).call).has_training
            ):
                return operation
            return lambda *args, **kwargs: operation(*args, **{**kwargs, "training": training})

        return run_graph(self._nodes, self._inputs, self._outputs_struct, values, caller)

    def _standardize(self, inputs: Any) -> list[Any]:
        """One tensor per input, of its dtype, its rank and a fitting shape."""
        names = self.input_names
        if isinstance(inputs, dict) and not isinstance(self._inputs_struct, dict):
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ArgumentError(f"model '{self.name}' takes inputs {names}. Received: a dict with {sorted(inputs)}")
            inputs = [inputs[n] for n in names]
        elif isinstance(inputs, dict):
            missing = [k for k in self._inputs_struct if k not in inputs]
            if missing:
                raise ArgumentError(
                    f"model '{self.name}' takes a dict with {list(self._inputs_struct)}. Received: {sorted(inputs)}"
                )
            inputs = {k: inputs[k] for k in self._inputs_struct}
        elif isinstance(self._inputs_struct, dict) and isinstance(inputs, list | tuple):
            inputs = dict(zip(self._inputs_struct, inputs))
        values = flatten(inputs)
        if len(values) != len(names):
            raise ShapeError(f"model '{self.name}' takes {len(names)} inputs: {names}. Received: {len(values)}")
        return [self._fit(x, wanted, n) for x, wanted, n in zip(values, self._inputs, names)]

    def _fit(self, x: Any, wanted: KerasTensor, name: str) -> Any:
        if not isinstance(x, Tensor):
            from kcompile.tracing.bind import convert

            x = convert(x)
        if x.ndim == wanted.ndim + 1 and x.dims[-1] == 1:
            x = bind("reshape", x, shape=x.dims[:-1])
        elif x.ndim == wanted.ndim - 1 and wanted.dims[-1] == 1:
            x = bind("reshape", x, shape=(*x.dims, 1))
        fits = x.ndim == wanted.ndim and all(
            a is None or b is None or a == b for a, b in zip(x.shape[1:], wanted.shape[1:])
        )
        if not fits:
            hint = (
                " Images need an axis of channels: x[..., None] adds one." if x.ndim == 3 and wanted.ndim == 4 else ""
            )
            raise ShapeError(
                f"model '{self.name}': input '{name}' has shape {shape_text(wanted.dims)}. "
                f"Received: a tensor of shape {shape_text(x.dims)}.{hint}"
            )
        return cast(x, wanted.element)

    # -- configs
    def get_config(self) -> dict[str, Any]:
        from .functional_config import functional_config

        return functional_config(self)

    def get_build_config(self) -> dict[str, Any]:
        return {"input_shape": None}  # a functional model is built by its config


def _with_new_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The part of a graph that begins at tensors inside it, with inputs of its own."""
    old = flatten(inputs)
    nodes, _ = order_nodes(old, flatten(outputs))
    fresh = map_structure(lambda x: Input(batch_shape=x.shape, dtype=x.dtype, name=None), inputs)
    return fresh, run_graph(nodes, old, outputs, flatten(fresh), lambda op: op)


def functional_from_config(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The functional model that `get_config` described."""
    from .functional_config import rebuild

    if not isinstance(config.get("layers"), list):
        raise FormatError(
            f"a functional model's config holds a list of layers. Received: {type(config.get('layers')).__name__}"
        )
    return rebuild(cls, config, custom_objects)
