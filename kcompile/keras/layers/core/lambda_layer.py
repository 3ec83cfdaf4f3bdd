"""Lambda."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kcompile.errors import UnsupportedError

from ..layer import Layer


class Lambda(Layer):
    """A function as a layer. A lambda is not written to files, and none is ever read from one.

    Example: Lambda(lambda x: x ** 2)(x)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise UnsupportedError(
                "a Lambda layer's code is not read from files. Give the function itself: "
                f"load_model(path, custom_objects={{...}}). Received: {type(function).__name__}"
            )
        self.function, self.arguments = function, dict(arguments or {})
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        kwargs = dict(self.arguments)
        if "training" in inspect.signature(self.function).parameters:
            kwargs["training"] = training
        return self.function(inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        from ...saving import serialize_keras_object

        return {**super().get_config(), "function": serialize_keras_object(self.function), "arguments": self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        from ...saving import deserialize_keras_object

        config = dict(config)
        config["function"] = deserialize_keras_object(config["function"])
        return cls(**{k: v for k, v in config.items() if k not in ("output_shape", "mask")})
