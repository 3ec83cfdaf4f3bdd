"""What Conv1D, Conv2D and Conv3D share."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import activations, initializers, ops, regularizers
from ...config import standardize_data_format
from ...constraints import get as no_constraint
from ...ops.window import spatial_tuple
from ..checks import positive_integer
from ..input_spec import InputSpec
from ..layer import Layer


class BaseConv(Layer):
    """Convolution over `rank` spatial axes: (batch, spatial.., channels) -> (batch, spatial.., filters)."""

    rank: int

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        positive_integer(kind, filters=filters, groups=groups)
        no_constraint(kernel_constraint), no_constraint(bias_constraint)
        self.filters, self.groups = filters, groups
        self.kernel_size = spatial_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = spatial_tuple(strides, self.rank, "strides")
        self.dilation_rate = spatial_tuple(dilation_rate, self.rank, "dilation_rate")
        self.padding = str(padding).lower()
        self.data_format = standardize_data_format(data_format)
        if self.padding not in self._paddings():
            raise ArgumentError(f"{kind}: padding is one of {self._paddings()}. Received: padding={padding!r}")
        if filters % groups:
            raise ArgumentError(
                f"{kind}: filters is a multiple of groups. Received: filters={filters}, groups={groups}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{kind}: strides and dilation_rate are not both above 1. "
                f"Received: {self.strides}, {self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, max_ndim=self.rank + 2)

    def _paddings(self) -> tuple[str, ...]:
        return ("valid", "same", "causal") if self.rank == 1 else ("valid", "same")

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None or channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} '{self.name}' needs a known number of channels that is a multiple of "
                f"groups={self.groups}. Received: input of shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer, regularizer=self.bias_regularizer
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, max_ndim=self.rank + 2, axes={self._channel_axis: channels})

    def call(self, inputs: Any) -> Any:
        padding = self.padding
        if padding == "causal":
            low = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            width = [[0, 0], [low, 0], [0, 0]] if self.data_format == "channels_last" else [[0, 0], [0, 0], [low, 0]]
            inputs, padding = ops.pad(inputs, width), "valid"
        x = ops.conv(inputs, self.kernel, self.strides, padding, self.data_format, self.dilation_rate)
        return self.activation(add_channel_bias(x, self.bias, self.data_format, self.rank))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": None,
            "bias_constraint": None,
        }


def add_channel_bias(x: Any, bias: Any, data_format: str, rank: int) -> Any:
    """`x` plus one number per channel."""
    if bias is None:
        return x
    if data_format == "channels_first":
        bias = ops.reshape(bias, (1, -1, *(1,) * rank))
    return ops.add(x, bias)
