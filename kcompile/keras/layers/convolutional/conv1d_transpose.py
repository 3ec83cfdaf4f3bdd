"""Conv1DTranspose."""

from __future__ import annotations

from .base_conv_transpose import BaseConvTranspose


class Conv1DTranspose(BaseConvTranspose):
    """The transpose of a convolution over one axis.

    Example: Conv1DTranspose(16, 3, strides=2, padding="same")(x)   # (b, n, c) -> (b, 2 n, 16)
    """

    rank = 1
