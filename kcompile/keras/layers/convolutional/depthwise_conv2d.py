"""DepthwiseConv2D."""

from __future__ import annotations

from typing import Any

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..checks import positive_integer
from ..input_spec import InputSpec
from .base_conv import BaseConv, add_channel_bias


class DepthwiseConv2D(BaseConv):
    """Each channel convolved by `depth_multiplier` kernels of its own: (b, h, w, c) -> (b, h', w', c * multiplier).

    Example: DepthwiseConv2D(3, padding="same")(x)
    """

    rank = 2

    def __init__(
        self, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        positive_integer("DepthwiseConv2D", depth_multiplier=depth_multiplier)
        no_constraint(depthwise_constraint)
        super().__init__(
            1, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer, regularizer=self.depthwise_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(channels * self.depth_multiplier,), initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=4, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        x = ops.depthwise_conv(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return self.activation(add_channel_bias(x, self.bias, self.data_format, 2))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("filters", "groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            config.pop(name)
        return {
            **config,
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": None,
        }
