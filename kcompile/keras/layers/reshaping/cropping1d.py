"""Cropping1D."""

from __future__ import annotations

from typing import Any

from .base_cropping import BaseCropping


class Cropping1D(BaseCropping):
    """Sequences without their margins: `cropping` is a number or (before, after).

    Example: Cropping1D(1)(x)   # (b, n, c) -> (b, n - 2, c)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("data_format")
        return config
