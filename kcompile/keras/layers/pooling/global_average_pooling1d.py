"""GlobalAveragePooling1D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean over all of 1 spatial axis.

    Example: GlobalAveragePooling1D()(x)
    """

    rank, kind = 1, "average"
