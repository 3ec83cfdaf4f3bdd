"""ConvLSTM1D."""

from __future__ import annotations

from .conv_lstm import ConvLSTM


class ConvLSTM1D(ConvLSTM):
    """A convolutional LSTM over (batch, time, steps, channels).

    Example: ConvLSTM1D(16, 3, padding="same", return_sequences=True)(x)
    """

    rank = 1
