"""AveragePooling2D."""

from __future__ import annotations

from .base_pooling import BasePooling


class AveragePooling2D(BasePooling):
    """The mean of each window over 2 spatial axes. Padding does not count.

    Example: AveragePooling2D(2)(x)   # (b, h, w, c) -> (b, h // 2, w // 2, c)
    """

    rank, kind = 2, "average"
