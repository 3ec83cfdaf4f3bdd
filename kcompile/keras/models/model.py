"""Model: a layer that can be trained, saved and summarized. Subclass it, or give it symbolic inputs and outputs.

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(64, activation="relu")
        self.head = keras.layers.Dense(10)

    def call(self, inputs):
        return self.head(self.hidden(inputs))
"""

from __future__ import annotations

import json
from typing import Any

from kcompile.errors import ArgumentError, KcompileError

from ..layers.layer import Layer
from ..trainer.trainer import Trainer


class Model(Trainer, Layer):
    """See the module. `Model(inputs, outputs)` is a functional model."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and is_functional_call(args, kwargs):
            from .functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        from .functional import Functional

        if is_functional_call(args, kwargs):
            if not isinstance(self, Functional):
                # a subclass that gives inputs and outputs keeps its methods and runs as a functional model
                cls = type(self)
                self.__class__ = type(cls.__name__, (cls, Functional), {"__module__": cls.__module__})
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        Trainer.__init__(self)
        Layer.__init__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"model {type(self).__name__} must define call()")

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return self._flatten_layers(include_self=False, recursive=False)

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`layers` is what the attributes of the model hold; it cannot be set. Use another attribute name"
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or by its place in `layers`."""
        if (name is None) == (index is None):
            raise ArgumentError(f"give a name or an index. Received: name={name}, index={index}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ArgumentError(f"the model has {len(self.layers)} layers. Received: index={index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"the model has no layer '{name}'. It has: {[layer.name for layer in self.layers]}")

    def summary(
        self, line_length: int | None = None, positions: Any = None, print_fn: Any = None, expand_nested: bool = False,
        show_trainable: bool = False, layer_range: Any = None,
    ) -> None:  # fmt: skip
        """Print a table of the layers, their output shapes and numbers of parameters."""
        from .summary import print_summary

        print_summary(
            self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a `.keras` file."""
        from ..saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to a `.weights.h5` file."""
        from ..saving import save_weights

        save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a `.weights.h5` or `.keras` file."""
        from ..saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def __reduce__(self) -> Any:
        """Models are copied and pickled as their files, so that no compiled step comes along."""
        from ..saving.copying import copy_of

        return copy_of(self)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text, without weights."""
        from ..saving.serialization import serialize_keras_object, sharing

        with sharing():
            return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        if type(self).get_config is Model.get_config:
            return self._subclass_config()
        return super().get_config()

    def _subclass_config(self) -> dict[str, Any]:
        config = {"name": self.name, "trainable": self.trainable, "dtype": super().get_config()["dtype"]}
        return {**config, **self._constructor_config()}

    def _constructor_config(self) -> dict[str, Any]:
        import inspect

        if "__init__" not in type(self).__dict__ and type(self).__init__ is Model.__init__:
            return {}
        args, kwargs = self._auto_config
        given = inspect.signature(type(self).__init__).bind(self, *args, **kwargs).arguments
        given = {k: v for k, v in given.items() if k not in ("self", "kwargs", "name", "trainable", "dtype")}
        if not all(isinstance(v, str | int | float | bool | None | tuple | list | dict) for v in given.values()):
            raise KcompileError(
                f"model {type(self).__name__} takes arguments that are not plain values, so it needs a get_config() of "
                f"its own. Received: {given}"
            )
        return given

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from .functional import Functional, functional_from_config

        if {"layers", "input_layers", "output_layers"} <= set(config):
            return functional_from_config(cls if cls is not Model else Functional, config, custom_objects)
        if cls.__init__ is not Model.__init__:
            import inspect

            accepted = inspect.signature(cls.__init__).parameters
            free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted.values())
            config = {k: v for k, v in config.items() if free or k in accepted}
        return cls(**config)


def is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether these are the arguments of a functional model: inputs and outputs."""
    return len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)
