"""ZeroPadding2D."""

from __future__ import annotations

from typing import Any

from .base_zero_padding import BaseZeroPadding


class ZeroPadding2D(BaseZeroPadding):
    """Zeros around images: `padding` is a number, (rows, columns), or ((top, bottom), (left, right)).

    Example: ZeroPadding2D(1)(x)   # (b, h, w, c) -> (b, h + 2, w + 2, c)
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)
