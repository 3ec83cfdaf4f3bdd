"""LeakyReLU."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import activations
from ..layer import Layer


class LeakyReLU(Layer):
    """x where positive, else negative_slope * x.

    Example: LeakyReLU(0.1)(x)   # shape unchanged
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ArgumentError(f"LeakyReLU: negative_slope is a number from 0 on. Received: {negative_slope!r}")
        self.negative_slope = negative_slope
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}
