"""Flatten."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...config import standardize_data_format
from ..input_spec import InputSpec
from ..layer import Layer


class Flatten(Layer):
    """All axes but the batch in one: (b, 7, 7, 64) -> (b, 3136).

    Example: Flatten()(x)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        x = inputs
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.transpose(x, (0, *range(2, x.ndim), 1))
        dims: Any = ops.shape(x)
        return ops.reshape(x, (dims[0], math.prod(dims[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
