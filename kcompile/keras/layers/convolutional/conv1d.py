"""Conv1D."""

from __future__ import annotations

from .base_conv import BaseConv


class Conv1D(BaseConv):
    """Convolution over 1 spatial axis.

    Example: Conv1D(32, 3, activation="relu", padding="same")(x)
    """

    rank = 1
