"""UpSampling3D."""

from __future__ import annotations

from typing import Any

from ...config import standardize_data_format
from ...ops.shaping import repeat_elements
from ...ops.window import spatial_tuple
from ..input_spec import InputSpec
from ..layer import Layer


class UpSampling3D(Layer):
    """Elements of volumes repeated `size` times along each axis.

    Example: UpSampling3D(2)(x)   # (b, d, h, w, c) -> (b, 2 d, 2 h, 2 w, c)
    """

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.size = spatial_tuple(size, 3, "size")
        self.input_spec = InputSpec(ndim=5)
        self.built = True

    def call(self, inputs: Any) -> Any:
        counts = (*self.size, 1) if self.data_format == "channels_last" else (1, *self.size)
        return repeat_elements(inputs, (1, *counts))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
