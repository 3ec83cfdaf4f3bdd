"""Activation."""

from __future__ import annotations

from typing import Any

from ... import activations
from ..layer import Layer


class Activation(Layer):
    """An activation function as a layer.

    Example: Activation("relu")(x)   # shape unchanged
    """

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
