"""UpSampling1D."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..checks import positive_integer
from ..input_spec import InputSpec
from ..layer import Layer


class UpSampling1D(Layer):
    """Steps repeated `size` times.

    Example: UpSampling1D(2)(x)   # (b, n, c) -> (b, 2 n, c)
    """

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        positive_integer("UpSampling1D", size=size)
        self.size = int(size)
        self.input_spec = InputSpec(ndim=3)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
