"""Cropping3D."""

from __future__ import annotations

from typing import Any

from .base_cropping import BaseCropping


class Cropping3D(BaseCropping):
    """Volumes without their margins: `cropping` is a number, three, or three pairs (before, after).

    Example: Cropping3D(1)(x)   # (b, d, h, w, c) -> (b, d - 2, h - 2, w - 2, c)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)
