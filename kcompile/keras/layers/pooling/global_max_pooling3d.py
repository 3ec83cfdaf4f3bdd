"""GlobalMaxPooling3D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalMaxPooling3D(BaseGlobalPooling):
    """The largest over all of 3 spatial axes.

    Example: GlobalMaxPooling3D()(x)
    """

    rank, kind = 3, "max"
