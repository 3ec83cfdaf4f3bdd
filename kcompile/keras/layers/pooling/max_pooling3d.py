"""MaxPooling3D."""

from __future__ import annotations

from .base_pooling import BasePooling


class MaxPooling3D(BasePooling):
    """The largest of each window over 3 spatial axes.

    Example: MaxPooling3D(2)(x)   # (b, d, h, w, c) -> (b, d // 2, h // 2, w // 2, c)
    """

    rank, kind = 3, "max"
