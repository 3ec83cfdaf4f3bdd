"""MaxPooling2D."""

from __future__ import annotations

from .base_pooling import BasePooling


class MaxPooling2D(BasePooling):
    """The largest of each window over 2 spatial axes.

    Example: MaxPooling2D(2)(x)   # (b, h, w, c) -> (b, h // 2, w // 2, c)
    """

    rank, kind = 2, "max"
