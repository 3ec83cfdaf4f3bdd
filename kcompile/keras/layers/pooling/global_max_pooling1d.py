"""GlobalMaxPooling1D."""

from __future__ import annotations

from .base_pooling import BaseGlobalPooling


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest over all of 1 spatial axis.

    Example: GlobalMaxPooling1D()(x)
    """

    rank, kind = 1, "max"
