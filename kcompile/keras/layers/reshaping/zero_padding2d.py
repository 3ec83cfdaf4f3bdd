"""ZeroPadding2D."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...config import standardize_data_format
from ..checks import spatial_pairs
from ..input_spec import InputSpec
from ..layer import Layer


class ZeroPadding2D(Layer):
    """Zeros around images: `padding` is a number, (rows, columns), or ((top, bottom), (left, right)).

    Example: ZeroPadding2D(1)(x)   # (b, h, w, c) -> (b, h + 2, w + 2, c)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.padding = spatial_pairs("ZeroPadding2D", "padding", padding)
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs: Any) -> Any:
        rows, columns = self.padding
        last = self.data_format == "channels_last"
        return ops.pad(inputs, ((0, 0), rows, columns, (0, 0)) if last else ((0, 0), (0, 0), rows, columns))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}
