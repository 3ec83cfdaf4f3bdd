"""Permute."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ..input_spec import InputSpec
from ..layer import Layer


class Permute(Layer):
    """The axes of each sample in another order, counted from 1.

    Example: Permute((2, 1))(x)   # (b, 3, 4) -> (b, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"Permute: dims has each axis from 1 to {len(self.dims)} once. Received: dims={dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}
