"""What ZeroPadding1D, ZeroPadding2D and ZeroPadding3D share."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...config import standardize_data_format
from ..checks import spatial_pairs
from ..input_spec import InputSpec
from ..layer import Layer


class BaseZeroPadding(Layer):
    """(batch, spatial.., channels) with zeros around; `padding` is a pair (before, after) for each of `rank` axes."""

    rank: int

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self._pairs = spatial_pairs(type(self).__name__, "padding", padding, self.rank)
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        none = (0, 0)
        last = self.data_format == "channels_last"
        return ops.pad(inputs, (none, *self._pairs, none) if last else (none, none, *self._pairs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}
