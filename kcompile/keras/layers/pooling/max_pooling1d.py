"""MaxPooling1D."""

from __future__ import annotations

from .base_pooling import BasePooling


class MaxPooling1D(BasePooling):
    """The largest of each window over 1 spatial axis.

    Example: MaxPooling1D(2)(x)   # (b, t, c) -> (b, t // 2, c)
    """

    rank, kind = 1, "max"
