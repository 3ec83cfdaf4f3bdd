"""ConvLSTM3D."""

from __future__ import annotations

from .conv_lstm import ConvLSTM


class ConvLSTM3D(ConvLSTM):
    """A convolutional LSTM over (batch, time, depth, rows, columns, channels).

    Example: ConvLSTM3D(16, 3, padding="same", return_sequences=True)(x)
    """

    rank = 3
