"""GlobalAveragePooling3D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean over all of 3 spatial axes.

    Example: GlobalAveragePooling3D()(x)
    """

    rank, kind = 3, "average"
