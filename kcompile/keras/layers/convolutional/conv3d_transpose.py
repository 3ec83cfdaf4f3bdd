"""Conv3DTranspose."""

from __future__ import annotations

from .base_conv_transpose import BaseConvTranspose


class Conv3DTranspose(BaseConvTranspose):
    """The transpose of a convolution over three axes.

    Example: Conv3DTranspose(16, 2, strides=2)(x)   # (b, d, h, w, c) -> (b, 2 d, 2 h, 2 w, 16)
    """

    rank = 3
