"""ZeroPadding3D."""

from __future__ import annotations

from typing import Any

from .base_zero_padding import BaseZeroPadding


class ZeroPadding3D(BaseZeroPadding):
    """Zeros around volumes: `padding` is a number, three, or three pairs (before, after).

    Example: ZeroPadding3D(1)(x)   # (b, d, h, w, c) -> (b, d + 2, h + 2, w + 2, c)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)
