"""Conv2DTranspose."""

from __future__ import annotations

from .base_conv_transpose import BaseConvTranspose


class Conv2DTranspose(BaseConvTranspose):
    """The transpose of a convolution over two axes.

    Example: Conv2DTranspose(16, 3, strides=2, padding="same")(x)   # (b, h, w, c) -> (b, 2 h, 2 w, 16)
    """

    rank = 2
