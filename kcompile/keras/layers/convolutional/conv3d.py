"""Conv3D."""

from __future__ import annotations

from .base_conv import BaseConv


class Conv3D(BaseConv):
    """Convolution over 3 spatial axes.

    Example: Conv3D(32, 3, activation="relu", padding="same")(x)
    """

    rank = 3
