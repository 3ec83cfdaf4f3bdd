"""Concatenate."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import ops
from .base_merge import Merge


class Concatenate(Merge):
    """The inputs joined along `axis`; all other axes agree.

    Example: Concatenate()([x, y])   # (b, 3), (b, 5) -> (b, 8)
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            raise ArgumentError(f"Concatenate '{self.name}' is called on a list of inputs. Received: {inputs!r}")
        try:
            return ops.concatenate(list(inputs), axis=self.axis)
        except ShapeError:
            shapes = [tuple(x.shape) for x in inputs]
            raise ShapeError(
                f"Concatenate '{self.name}' needs inputs that agree on all axes but axis {self.axis}. "
                f"Received: {shapes}"
            ) from None

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if not isinstance(previous_mask, list | tuple) or all(m is None for m in previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask):
            ones = ops.ones_like(x, dtype="bool")
            if mask is not None and len(mask.shape) < len(x.shape):
                mask = ops.logical_and(ops.expand_dims(mask, -1), ones)
            masks.append(ones if mask is None else mask)
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
