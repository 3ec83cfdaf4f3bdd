"""UpSampling2D."""

from __future__ import annotations

from typing import Any

from kcompile.errors import UnsupportedError

from ... import ops
from ...config import standardize_data_format
from ...ops.window import spatial_tuple
from ..input_spec import InputSpec
from ..layer import Layer


class UpSampling2D(Layer):
    """Rows and columns repeated `size` times (interpolation "nearest").

    Example: UpSampling2D(2)(x)   # (b, h, w, c) -> (b, 2 h, 2 w, c)
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ):
        super().__init__(**kwargs)
        if interpolation != "nearest":
            raise UnsupportedError(
                f"UpSampling2D: interpolation='nearest' only in this version. Received: {interpolation!r}"
            )
        self.data_format = standardize_data_format(data_format)
        self.size = spatial_tuple(size, 2, "size")
        self.interpolation = interpolation
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        return ops.repeat(ops.repeat(inputs, self.size[0], axis=first), self.size[1], axis=first + 1)

    def get_config(self) -> dict[str, Any]:
        config = {"size": self.size, "data_format": self.data_format, "interpolation": self.interpolation}
        return {**super().get_config(), **config}
