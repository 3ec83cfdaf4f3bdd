"""What the pooling layers share."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ...config import standardize_data_format
from ...ops.window import spatial_tuple
from ..input_spec import InputSpec
from ..layer import Layer


class BasePooling(Layer):
    """One number from each window over `rank` spatial axes."""

    rank: int
    kind: str

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.pool_size = spatial_tuple(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else spatial_tuple(strides, self.rank, "strides")
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ArgumentError(f"{type(self).__name__}: padding is 'valid' or 'same'. Received: padding={padding!r}")
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        pool = ops.max_pool if self.kind == "max" else ops.average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class BaseGlobalPooling(Layer):
    """One number from all of `rank` spatial axes: (batch, spatial.., channels) -> (batch, channels)."""

    rank: int
    kind: str

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        axes = tuple(range(first, first + self.rank))
        return (ops.max if self.kind == "max" else ops.mean)(inputs, axis=axes, keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}
