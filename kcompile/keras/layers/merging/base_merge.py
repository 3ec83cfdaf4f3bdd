"""What the merging layers share."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing.tensor import broadcast_dims

from ... import ops
from ..layer import Layer


class Merge(Layer):
    """Several tensors into one, element by element; axes of 1 broadcast, and missing axes stand after the batch."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list | tuple) or not input_shape or not isinstance(input_shape[0], list | tuple):
            raise ArgumentError(
                f"{type(self).__name__} '{self.name}' is called on a list of inputs. "
                f"Received: one input of shape {input_shape}"
            )

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            raise ArgumentError(
                f"{type(self).__name__} '{self.name}' is called on a list of inputs. Received: {inputs!r}"
            )
        return self.merge(self._aligned(list(inputs)))

    def merge(self, inputs: list[Any]) -> Any:
        """The tensors, all of one rank, as one."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Where any input counts; None if one of them has no mask."""
        if not isinstance(previous_mask, list | tuple) or any(m is None for m in previous_mask):
            return None
        first, *others = previous_mask
        for mask in others:
            first = first if mask is first else ops.logical_or(first, mask)
        return first

    def _aligned(self, inputs: list[Any]) -> list[Any]:
        rank = max(len(x.shape) for x in inputs)
        same = []
        for x in inputs:
            missing = rank - len(x.shape)
            same.append(ops.expand_dims(x, tuple(range(1, 1 + missing))) if missing else x)
        try:
            broadcast_dims(*[x.dims for x in same])
        except ShapeError:
            shapes = [tuple(x.shape) for x in inputs]
            raise ShapeError(
                f"{type(self).__name__} '{self.name}' needs inputs of fitting shapes. Received: {shapes}"
            ) from None
        return same
