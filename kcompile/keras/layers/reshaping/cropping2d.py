"""Cropping2D."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError

from ...config import standardize_data_format
from ..checks import spatial_pairs
from ..input_spec import InputSpec
from ..layer import Layer


class Cropping2D(Layer):
    """Images without their margins: `cropping` is a number, (rows, columns), or ((top, bottom), (left, right)).

    Example: Cropping2D(1)(x)   # (b, h, w, c) -> (b, h - 2, w - 2, c)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.cropping = spatial_pairs("Cropping2D", "cropping", cropping)
        self.input_spec = InputSpec(ndim=4)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        key: list[Any] = [slice(None)] * 4
        for axis, (low, high) in enumerate(self.cropping, first):
            size = inputs.shape[axis]
            if size is not None and low + high >= size:
                raise ShapeError(
                    f"Cropping2D '{self.name}' leaves nothing. "
                    f"Received: input of shape {inputs.shape}, cropping={self.cropping}"
                )
            key[axis] = slice(low, -high if high else None)
        return inputs[tuple(key)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}
