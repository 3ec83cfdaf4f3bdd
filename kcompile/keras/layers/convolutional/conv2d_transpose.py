"""Conv2DTranspose."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ...ops.window import spatial_tuple
from ..input_spec import InputSpec
from .base_conv import BaseConv, add_channel_bias


class Conv2DTranspose(BaseConv):
    """The transpose of a convolution: (batch, h, w, channels) -> (batch, h * stride, w * stride, filters) with "same".

    Example: Conv2DTranspose(16, 3, strides=2, padding="same")(x)
    """

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias, **kwargs
        )
        self.output_padding = None
        if output_padding is not None:
            pads = (output_padding,) * 2 if isinstance(output_padding, int) else tuple(output_padding)
            if any(p >= s for p, s in zip(pads, self.strides)):
                raise ArgumentError(f"output_padding is below strides. Received: {pads}, strides={self.strides}")
            self.output_padding = pads

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        self.kernel = self.add_weight(
            name="kernel", shape=(*spatial_tuple(self.kernel_size, 2, "kernel_size"), self.filters, channels),
            initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer, regularizer=self.bias_regularizer
            )
        self.input_spec = InputSpec(ndim=4, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        x = ops.conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )
        return self.activation(add_channel_bias(x, self.bias, self.data_format, 2))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("groups")
        return {**config, "output_padding": self.output_padding}
