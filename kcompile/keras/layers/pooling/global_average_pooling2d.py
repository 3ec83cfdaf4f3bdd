"""GlobalAveragePooling2D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean over all of 2 spatial axes.

    Example: GlobalAveragePooling2D()(x)
    """

    rank, kind = 2, "average"
