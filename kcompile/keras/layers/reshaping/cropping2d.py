"""Cropping2D."""

from __future__ import annotations

from typing import Any

from .base_cropping import BaseCropping


class Cropping2D(BaseCropping):
    """Images without their margins: `cropping` is a number, (rows, columns), or ((top, bottom), (left, right)).

    Example: Cropping2D(1)(x)   # (b, h, w, c) -> (b, h - 2, w - 2, c)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)
