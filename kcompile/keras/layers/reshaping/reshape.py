"""Reshape."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ..layer import Layer


class Reshape(Layer):
    """The elements of each sample in another shape; one axis may be -1.

    Example: Reshape((7, -1))(x)   # (b, 49) -> (b, 7, 7)
    """

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if sum(d == -1 for d in self.target_shape) > 1:
            raise ArgumentError(f"Reshape: at most one axis of target_shape is -1. Received: {self.target_shape}")
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (ops.shape(inputs)[0], *self.target_shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
