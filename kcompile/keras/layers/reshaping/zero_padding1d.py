"""ZeroPadding1D."""

from __future__ import annotations

from typing import Any

from .base_zero_padding import BaseZeroPadding


class ZeroPadding1D(BaseZeroPadding):
    """Zeros around sequences: `padding` is a number or (before, after).

    Example: ZeroPadding1D(1)(x)   # (b, n, c) -> (b, n + 2, c)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)
