"""GlobalAveragePooling1D."""

from __future__ import annotations

from typing import Any

from ... import ops
from .base_pooling import BaseGlobalPooling


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean over all of 1 spatial axis; over the steps that a mask leaves, where there is one.

    Example: GlobalAveragePooling1D()(x)
    """

    rank, kind = 1, "average"

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format=data_format, keepdims=keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        steps, features = (1, 2) if self.data_format == "channels_last" else (2, 1)
        kept = ops.expand_dims(ops.cast(mask, "bool"), features)
        total = ops.sum(ops.where(kept, inputs, ops.zeros_like(inputs)), axis=steps, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(ops.cast(kept, inputs.dtype), axis=steps, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None
