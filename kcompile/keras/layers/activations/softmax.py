"""Softmax."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..layer import Layer


class Softmax(Layer):
    """e^x / sum(e^x) along `axis`; where `mask` is false the result is 0.

    Example: Softmax()(x)   # shape unchanged
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.softmax(inputs, axis=self.axis)
        # masked inputs are moved so far down that they get no weight; where all are masked all results are 0
        least = -3e4 if inputs.dtype == "float16" else -1e9
        kept = ops.cast(mask, "bool") if mask.dtype == "bool" else ops.greater(mask, 0.5)
        return ops.where(kept, ops.softmax(ops.where(kept, inputs, least), axis=self.axis), 0.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
