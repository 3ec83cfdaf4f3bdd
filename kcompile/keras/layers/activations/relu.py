"""ReLU."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import activations
from ..layer import Layer


class ReLU(Layer):
    """x above `threshold`, negative_slope * (x - threshold) below, at most `max_value`.

    Example: ReLU(max_value=6)(x)   # shape unchanged
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        for name, value in (
            ("max_value", 0 if max_value is None else max_value),
            ("negative_slope", negative_slope),
            ("threshold", threshold),
        ):
            if value is None or value < 0:
                raise ArgumentError(f"ReLU: {name} is a number from 0 on. Received: {name}={value!r}")
        self.supports_masking = True
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        config = {"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}
        return {**super().get_config(), **config}
