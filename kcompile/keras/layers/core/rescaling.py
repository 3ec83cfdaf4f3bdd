"""Rescaling."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..layer import Layer


class Rescaling(Layer):
    """inputs * scale + offset, in the layer's dtype.

    Example: Rescaling(1 / 255)(images)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        scale, offset = (ops.cast(ops.convert_to_tensor(v), self.compute_dtype) for v in (self.scale, self.offset))
        return ops.add(ops.multiply(x, scale), offset)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
