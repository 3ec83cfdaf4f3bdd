"""Conv2D."""

from __future__ import annotations

from .base_conv import BaseConv


class Conv2D(BaseConv):
    """Convolution over 2 spatial axes.

    Example: Conv2D(32, 3, activation="relu", padding="same")(x)
    """

    rank = 2
