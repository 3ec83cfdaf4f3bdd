"""What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose share."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import ops
from ..input_spec import InputSpec
from .base_conv import BaseConv, add_channel_bias


class BaseConvTranspose(BaseConv):
    """The gradient of a convolution over `rank` spatial axes: (batch, spatial.., channels) -> (batch, .., filters).

    Along an axis of n elements "same" makes n * stride, and "valid" max(span - stride, 0) more, where a kernel of k
    spans (k - 1) * dilation + 1; output_padding, below the strides, fixes the length as (n - 1) * stride + span +
    output_padding, less 2 * (span // 2) for "same".
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias, **kwargs
        )
        self.output_padding = None
        if output_padding is not None:
            pads = (output_padding,) * self.rank if isinstance(output_padding, int) else tuple(output_padding)
            if len(pads) != self.rank or any(not 0 <= p < s for p, s in zip(pads, self.strides)):
                raise ArgumentError(
                    f"{type(self).__name__}: output_padding is below strides. "
                    f"Received: output_padding={output_padding}, strides={self.strides}"
                )
            self.output_padding = pads

    def _paddings(self) -> tuple[str, ...]:
        return ("valid", "same")

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ShapeError(
                f"{type(self).__name__} '{self.name}' needs a known number of channels. "
                f"Received: input of shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, self.filters, channels), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer, regularizer=self.bias_regularizer
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        x = ops.conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )
        return self.activation(add_channel_bias(x, self.bias, self.data_format, self.rank))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("groups")
        return {**config, "output_padding": self.output_padding}
