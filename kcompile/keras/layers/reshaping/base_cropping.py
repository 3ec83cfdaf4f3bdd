"""What Cropping1D, Cropping2D and Cropping3D share."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError

from ...config import standardize_data_format
from ..checks import spatial_pairs
from ..input_spec import InputSpec
from ..layer import Layer


class BaseCropping(Layer):
    """(batch, spatial.., channels) without its margins; `cropping` has a pair (before, after) for each spatial axis."""

    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self._pairs = spatial_pairs(type(self).__name__, "cropping", cropping, self.rank)
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        key: list[Any] = [slice(None)] * (self.rank + 2)
        for axis, (low, high) in enumerate(self._pairs, first):
            size = inputs.shape[axis]
            if size is not None and low + high >= size:
                raise ShapeError(
                    f"{type(self).__name__} '{self.name}' leaves nothing. "
                    f"Received: input of shape {inputs.shape}, cropping={self.cropping}"
                )
            key[axis] = slice(low, -high if high else None)
        return inputs[tuple(key)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}
