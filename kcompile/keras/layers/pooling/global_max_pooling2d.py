"""GlobalMaxPooling2D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest over all of 2 spatial axes.

    Example: GlobalMaxPooling2D()(x)
    """

    rank, kind = 2, "max"
