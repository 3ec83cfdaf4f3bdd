"""SpatialDropout1D, SpatialDropout2D, SpatialDropout3D: whole channels drop out together."""

from __future__ import annotations

from typing import Any

from ...config import standardize_data_format
from ..input_spec import InputSpec
from .dropout import Dropout


class SpatialDropout1D(Dropout):
    """Dropout of whole channels of (batch, steps, channels).

    Example: SpatialDropout1D(0.2)(x, training=True)
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _noise_shape(self, inputs: Any) -> Any:
        return (None, 1, None)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class _SpatialDropout(Dropout):
    """Dropout of whole channels over `rank` spatial axes."""

    rank: int

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None,
        dtype: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: Any) -> Any:
        ones = (1,) * self.rank
        return (None, *ones, None) if self.data_format == "channels_last" else (None, None, *ones)

    def get_config(self) -> dict[str, Any]:
        config = {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}
        return {**config, "data_format": self.data_format}


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of (batch, height, width, channels).

    Example: SpatialDropout2D(0.2)(x, training=True)
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of (batch, depth, height, width, channels).

    Example: SpatialDropout3D(0.2)(x, training=True)
    """

    rank = 3
