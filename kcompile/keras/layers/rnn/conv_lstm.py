"""What ConvLSTM1D, ConvLSTM2D and ConvLSTM3D share: an LSTM whose products are convolutions."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing.bind import convert

from ... import activations, ops, random
from ...config import standardize_data_format
from ...ops.window import spatial_tuple
from ..convolutional.base_conv import add_channel_bias
from ..input_spec import InputSpec
from .cell_layer import CellLayer
from .gated_cell import DropoutMasks
from .lstm_cell import LSTMCell


class ConvLSTMCell(LSTMCell):
    """One step of a convolutional LSTM; the features of kernels and bias are the gates i, f, c, o.

    The input goes through a convolution with strides and padding, the state through one that keeps its size.
    """

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None,
        dilation_rate: Any, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(filters, implementation=1, **kwargs)
        self.rank, self.filters = rank, self.units
        self.kernel_size = spatial_tuple(kernel_size, rank, "kernel_size")
        self.strides = spatial_tuple(strides, rank, "strides")
        self.dilation_rate = spatial_tuple(dilation_rate, rank, "dilation_rate")
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ArgumentError(f"ConvLSTM{rank}D: padding is 'valid' or 'same'. Received: padding={padding!r}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"ConvLSTM{rank}D: strides and dilation_rate are not both above 1. "
                f"Received: {self.strides}, {self.dilation_rate}"
            )
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)
        self._step_shape: tuple[Any, ...] = ()

    def build(self, input_shape: Any) -> None:
        last = self.data_format == "channels_last"
        channels = input_shape[-1 if last else 1]
        spatial = input_shape[1:-1] if last else input_shape[2:]
        if channels is None or None in spatial:
            raise ShapeError(f"ConvLSTM{self.rank}D needs images of a known size. Received: shape {input_shape}")
        for name, depth, start, penalty in (
            ("kernel", channels, self.kernel_initializer, self.kernel_regularizer),
            ("recurrent_kernel", self.filters, self.recurrent_initializer, self.recurrent_regularizer),
        ):
            shape = (*self.kernel_size, depth, 4 * self.filters)
            setattr(self, name, self.add_weight(shape=shape, name=name, initializer=start, regularizer=penalty))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape, name="bias", initializer=self._start_of_bias, regularizer=self.bias_regularizer
            )
        self._step_shape = tuple(input_shape[1:])

    def _state_shape(self) -> tuple[int, ...]:
        """The shape of a state without the batch."""
        last = self.data_format == "channels_last"
        spatial = self._step_shape[:-1] if last else self._step_shape[1:]
        sizes = []
        for n, k, s, d in zip(spatial, self.kernel_size, self.strides, self.dilation_rate):
            reach = 1 if self.padding == "same" else d * (k - 1) + 1
            sizes.append((n - reach) // s + 1)
        return (*sizes, self.filters) if last else (self.filters, *sizes)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, *self._state_shape()), dtype=self.compute_dtype) for _ in range(2)]

    def project(self, inputs: Any, masks: DropoutMasks) -> Any:
        x = convert(inputs)
        lead = x.dims[: x.ndim - self.rank - 1]  # (batch), or (time, batch)

        def images(x: Any) -> Any:
            return x if len(lead) == 1 else ops.reshape(x, (math.prod(lead), *x.dims[len(lead) :]))

        options = (self.strides, self.padding, self.data_format, self.dilation_rate)
        if masks.inputs is None:
            y = ops.conv(images(x), self.kernel, *options)
        else:
            pairs = zip(masks.inputs, self._of_kernel(self.kernel))
            y = ops.concatenate(
                [ops.conv(images(ops.multiply(x, m)), k, *options) for m, k in pairs],
                axis=self._channels(self.rank + 2),
            )
        y = add_channel_bias(y, self.bias, self.data_format, self.rank)
        return y if len(lead) == 1 else ops.reshape(y, (*lead, *y.dims[1:]))

    def recur(self, state: Any, masks: DropoutMasks, gates: slice = slice(None), bias: Any = None) -> list[Any]:
        def product(h: Any, kernel: Any) -> Any:
            return ops.conv(h, kernel, 1, "same", self.data_format)

        if masks.state is None:
            return self.parts(product(state, self.recurrent_kernel), 4)
        pairs = zip(masks.state, self._of_kernel(self.recurrent_kernel))
        return [product(ops.multiply(state, m), k) for m, k in pairs]

    def parts(self, x: Any, count: int) -> list[Any]:
        return ops.split(x, count, axis=self._channels(convert(x).ndim))  # type: ignore[no-any-return]

    def _of_kernel(self, kernel: Any) -> list[Any]:
        return ops.split(kernel, 4, axis=self.rank + 1)  # type: ignore[no-any-return]

    def _channels(self, ndim: int) -> int:
        return ndim - 1 if self.data_format == "channels_last" else ndim - self.rank - 1

    def draw_masks(self, batch: Any) -> DropoutMasks:
        def draw(shape: tuple[Any, ...], rate: float) -> list[Any] | None:
            if not 0 < rate < 1:
                return None
            ones = ops.ones((batch, *shape), dtype=self.compute_dtype)
            return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(4)]

        return DropoutMasks(draw(self._step_shape, self.dropout), draw(self._state_shape(), self.recurrent_dropout))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["units"]
        return {
            **config,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "recurrent_activation": activations.serialize(self.recurrent_activation),
        }


class ConvLSTM(CellLayer):
    """(batch, time, spatial.., channels) -> (batch, spatial.., filters), or (batch, time, ..) of all steps."""

    rank: int

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ):  # fmt: skip
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed,
            name="conv_lstm_cell", dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)
