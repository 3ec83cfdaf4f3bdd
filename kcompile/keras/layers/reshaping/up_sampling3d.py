"""UpSampling3D."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...config import standardize_data_format
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
        first = 1 if self.data_format == "channels_last" else 2
        for axis, size in enumerate(self.size, first):
            inputs = ops.repeat(inputs, size, axis=axis)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
