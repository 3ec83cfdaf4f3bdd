"""ConvLSTM2D."""

from __future__ import annotations

from .conv_lstm import ConvLSTM


class ConvLSTM2D(ConvLSTM):
    """A convolutional LSTM over (batch, time, rows, columns, channels).

    Example: ConvLSTM2D(16, 3, padding="same", return_sequences=True)(x)
    """

    rank = 2
