"""AveragePooling1D."""

from __future__ import annotations

from .base_pooling import BasePooling


class AveragePooling1D(BasePooling):
    """The mean of each window over 1 spatial axis. Padding does not count.

    Example: AveragePooling1D(2)(x)   # (b, t, c) -> (b, t // 2, c)
    """

    rank, kind = 1, "average"
