"""Masking."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..layer import Layer
from ..masks import set_mask


class Masking(Layer):
    """Steps whose features are all `mask_value` are masked: zero, and skipped by the layers after that know masks.

    Example: Masking(0.0)(x)   # (batch, time, features), shape unchanged
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return set_mask(ops.where(kept, inputs, ops.zeros_like(inputs)), ops.squeeze(kept, axis=-1))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
