"""Sequential: layers one after the other.

model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
"""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.tracing.structure import flatten

from ..layers.core.input_layer import InputLayer
from ..layers.layer import Layer, is_shape
from ..tensor import KerasTensor
from .functional import Functional
from .model import Model


class Sequential(Model):
    """A list of layers with one input and one output each. Without an input shape it is built by the first call."""

    _not_parts = frozenset(("_functional",))

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None):
        from ..trainer.trainer import Trainer

        Trainer.__init__(self)
        Layer.__init__(self, trainable=trainable, name=name)
        self._functional: Functional | None = None
        self._sequence: list[Layer] = []
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()
        if not trainable:
            self.trainable = False

    # -- the list
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end."""
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history[0]
        if not isinstance(layer, Layer):
            if callable(layer) and hasattr(layer, "operation_class"):
                raise ArgumentError("a Sequential model takes layers; put keras.ops functions into a functional model")
            raise ArgumentError(f"a Sequential model takes layers. Received: {layer!r} of type {type(layer).__name__}")
        if any(layer.name == other.name for other in self._sequence):
            raise ArgumentError(f"names of layers in one model are different. Received: '{layer.name}' again")
        if isinstance(layer, InputLayer) and self._sequence:
            raise ArgumentError(
                f"an input stands at the start. Received: '{layer.name}' after {len(self._sequence)} layers"
            )
        if not self._sequence and not isinstance(layer, InputLayer):
            shape = getattr(layer, "_input_shape_arg", None)
            if shape is None and isinstance(layer, Functional):
                shape = layer.input_shape
            elif shape is None and isinstance(layer, Sequential) and layer._functional is not None:
                shape = layer.input_shape
            if is_shape(shape) and shape is not None:
                self._sequence.append(InputLayer(batch_shape=shape, dtype=layer.compute_dtype))
        self._sequence.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off."""
        if not self.layers:
            raise ArgumentError("the model has no layer to take off")
        layer = self._sequence.pop()
        if rebuild:
            self._rebuild()
        return layer

    @property  # type: ignore[misc]
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._sequence if not isinstance(layer, InputLayer)]

    def _rebuild(self) -> None:
        self.built = False
        self._functional = None
        if len(self._sequence) > 1 and isinstance(self._sequence[0], InputLayer):
            self.build(self._sequence[0].batch_shape)

    # -- building and running
    def build(self, input_shape: Any = None) -> None:
        """Make the weights of all layers for inputs of this shape (batch axis included)."""
        if not self._sequence:
            raise ArgumentError(f"Sequential '{self.name}' has no layers yet; add some")
        if not isinstance(self._sequence[0], InputLayer):
            if input_shape is None:
                raise ArgumentError(f"Sequential '{self.name}' needs an input_shape to be built")
            if not is_shape(input_shape):
                raise ArgumentError(f"a Sequential model has one input. Received: input_shape={input_shape}")
            self._sequence.insert(
                0, InputLayer(batch_shape=(None, *tuple(input_shape)[1:]), dtype=self._sequence[0].compute_dtype)
            )
        x: Any = self._sequence[0].output
        start = x
        try:
            for layer in self.layers:
                x = layer(x)
        except NotImplementedError:
            self.built = True  # a layer that cannot be called on symbolic tensors: run the list as it is
            return
        self._functional = Functional(start, x) if all(isinstance(y, KerasTensor) for y in flatten(x)) else None
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._functional is not None:
            return self._functional.call(inputs, training=training)
        x = inputs
        for layer in self.layers:
            x = layer(x)
        return x

    @property
    def _built_graph(self) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"Sequential '{self.name}' has no inputs and outputs before it is built: call it, or build(shape)"
            )
        return self._functional

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._built_graph.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._built_graph.outputs

    @property
    def input(self) -> Any:
        return self._built_graph.input

    @property
    def output(self) -> Any:
        return self._built_graph.output

    @property
    def input_shape(self) -> Any:
        return self._built_graph.input_shape

    @property
    def output_shape(self) -> Any:
        return self._built_graph.output_shape

    @property
    def input_names(self) -> list[str]:
        return self._built_graph.input_names

    @property
    def output_names(self) -> list[str]:
        return self._built_graph.output_names

    # -- configs
    def get_config(self) -> dict[str, Any]:
        from ..saving import serialize_keras_object

        config = {"name": self.name, "trainable": self.trainable, "dtype": Layer.get_config(self)["dtype"]}
        config["layers"] = [serialize_keras_object(layer) for layer in self._sequence]
        if self._functional is not None:
            config["build_input_shape"] = self._sequence[0].batch_shape  # type: ignore[attr-defined]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from ..saving import deserialize_keras_object

        layers = [deserialize_keras_object(c, custom_objects=custom_objects) for c in config["layers"]]
        model = cls(layers, name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape is not None and is_shape(shape):
            model.build(tuple(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model
