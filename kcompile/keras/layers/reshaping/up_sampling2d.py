"""UpSampling2D."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, UnsupportedError

from ... import ops
from ...config import standardize_data_format
from ...ops.shaping import repeat_elements
from ...ops.window import spatial_tuple
from ..input_spec import InputSpec
from ..layer import Layer
from .resampling import KERNELS, resampling_matrix


class UpSampling2D(Layer):
    """Images with `size` times as many rows and columns: repeated ("nearest"), or interpolated from neighbours.

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"; all but the first take images of known
    size. Example: UpSampling2D(2)(x)   # (b, h, w, c) -> (b, 2 h, 2 w, c)
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in ("nearest", *KERNELS):
            raise ArgumentError(
                f"UpSampling2D: interpolation is one of {('nearest', *KERNELS)}. Received: {interpolation!r}"
            )
        self.data_format = standardize_data_format(data_format)
        self.size = spatial_tuple(size, 2, "size")
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        if self.interpolation == "nearest":
            return repeat_elements(inputs, (1, *self.size, 1) if first == 1 else (1, 1, *self.size))
        for axis, size in enumerate(self.size, first):
            inputs = self._upsampled(inputs, axis, size)
        return inputs

    def _upsampled(self, inputs: Any, axis: int, factor: int) -> Any:
        if factor == 1:
            return inputs
        size = inputs.shape[axis]
        if size is None:
            raise UnsupportedError(
                f"UpSampling2D '{self.name}' with interpolation='{self.interpolation}' needs images of known size; "
                f"give Input a full shape. Received: input of shape {inputs.shape}"
            )
        matrix = ops.convert_to_tensor(resampling_matrix(size, factor, self.interpolation), dtype=inputs.dtype)
        return ops.moveaxis(ops.tensordot(inputs, matrix, axes=((axis,), (1,))), -1, axis)

    def get_config(self) -> dict[str, Any]:
        config = {"size": self.size, "data_format": self.data_format, "interpolation": self.interpolation}
        return {**super().get_config(), **config}
