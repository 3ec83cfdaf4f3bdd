"""keras.ops: convolutions and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.tracing import arithmetic
from kcompile.tracing.bind import bind, broadcast_to, constant, convert, floating, promote
from kcompile.tracing.tensor import EagerTensor, Tensor

from ..config import standardize_data_format
from .operation_class import operation


def spatial_tuple(value: Any, count: int, name: str) -> tuple[int, ...]:
    """`value` for each of `count` spatial axes; positive integers."""
    values = (value,) * count if isinstance(value, int | np.integer) else tuple(value)
    if len(values) != count or any(not isinstance(v, int | np.integer) or v < 1 for v in values):
        raise ArgumentError(f"{name} is a positive integer or {count} of them. Received: {name}={value}")
    return tuple(int(v) for v in values)


def same_padding(size: Dim, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What "same" adds before and after an axis, so that the result has ceil(size / stride) elements."""
    span = (window - 1) * dilation + 1
    if isinstance(size, SymbolicDim):
        if stride != 1:
            raise UnsupportedError(
                "padding='same' with strides needs spatial axes of known size; give Input a full shape"
            )
        total = span - 1
    else:
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def _paddings(padding: str, sizes: tuple[Dim, ...], window: tuple[int, ...], strides: tuple[int, ...],
              dilation: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:  # fmt: skip
    mode = str(padding).lower()
    if mode not in ("valid", "same"):
        raise ArgumentError(f"padding is 'valid' or 'same'. Received: padding={padding!r}")
    if mode == "valid":
        for size, w, d in zip(sizes, window, dilation):
            if isinstance(size, int) and size < (w - 1) * d + 1:
                raise ShapeError(
                    f"the window {window} (dilation {dilation}) does not fit into spatial size {sizes}. "
                    "A smaller window or padding='same' does"
                )
        return (0,) * len(sizes), (0,) * len(sizes)
    pairs = [same_padding(*row) for row in zip(sizes, window, strides, dilation)]
    return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)


def _specs(rank: int, data_format: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Positions of (batch, feature, spatial..) in data, of (out, in, spatial..) in a kernel (spatial.., in, out)."""
    spatial = rank - 2
    data = (0, rank - 1, *range(1, rank - 1)) if data_format == "channels_last" else tuple(range(rank))
    return data, (rank - 1, rank - 2, *range(spatial))


@operation("nn.Conv", "strides padding data_format dilation_rate")
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution (cross-correlation) of (batch, spatial.., channels) with a kernel (spatial.., in / groups, out).

    The number of groups is the input's channels over the kernel's.
    """
    x, w = promote(inputs, kernel)
    data_format = standardize_data_format(data_format)
    spatial = x.ndim - 2
    if w.ndim != x.ndim or spatial < 1:
        raise ShapeError(f"conv needs inputs and kernel of one rank of 3 or more. Received: {x.shape} and {w.shape}")
    data, filters = _specs(x.ndim, data_format)
    stride = spatial_tuple(strides, spatial, "strides")
    dilation = spatial_tuple(dilation_rate, spatial, "dilation_rate")
    channels, per_group, outputs = x.dims[data[1]], w.dims[-2], w.dims[-1]
    if not isinstance(channels, int) or channels % per_group or outputs % (channels // per_group):  # type: ignore[operator]
        raise ShapeError(
            f"conv needs input channels that are a multiple of the kernel's second last axis, and an output count "
            f"that is a multiple of that. Received: inputs {x.shape}, kernel {w.shape}, data_format='{data_format}'"
        )
    window: tuple[int, ...] = w.dims[:spatial]  # type: ignore[assignment]
    low, high = _paddings(padding, tuple(x.dims[i] for i in data[2:]), window, stride, dilation)
    return bind(
        "convolution", x, w, strides=stride, padding_low=low, padding_high=high, lhs_dilation=(1,) * spatial,
        rhs_dilation=dilation, feature_groups=channels // per_group, batch_groups=1, lhs_spec=data, rhs_spec=filters,  # type: ignore[operator]
        out_spec=data,
    )  # fmt: skip


@operation("nn.DepthwiseConv", "strides padding data_format dilation_rate")
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Each channel convolved by its own kernels (spatial.., channels, multiplier)."""
    w = convert(kernel)
    grouped = bind("reshape", w, shape=(*w.dims[:-2], 1, w.dims[-2] * w.dims[-1]))
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@operation("nn.SeparableConv", "strides padding data_format dilation_rate")
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """A depthwise convolution and then one of window 1 over channels."""
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format, 1)


@operation("nn.ConvTranspose", "strides padding output_padding data_format dilation_rate")
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """The gradient of a convolution with respect to its input; the kernel is (spatial.., out, in)."""
    x, w = promote(inputs, kernel)
    data_format = standardize_data_format(data_format)
    spatial = x.ndim - 2
    data, _ = _specs(x.ndim, data_format)
    stride = spatial_tuple(strides, spatial, "strides")
    dilation = spatial_tuple(dilation_rate, spatial, "dilation_rate")
    extra = (
        [None] * spatial
        if output_padding is None
        else [output_padding] * spatial
        if isinstance(output_padding, int)
        else list(output_padding)
    )
    low, high = [], []
    for window, s, d, more in zip(w.dims, stride, dilation, extra):
        before, after = _transposed_padding(window, s, d, padding, more)  # type: ignore[arg-type]
        low.append(before)
        high.append(after)
    flipped = bind("reverse", w, axes=tuple(range(spatial)))
    return bind(
        "convolution", x, flipped, strides=(1,) * spatial, padding_low=tuple(low), padding_high=tuple(high),
        lhs_dilation=stride, rhs_dilation=dilation, feature_groups=1, batch_groups=1, lhs_spec=data,
        rhs_spec=(x.ndim - 2, x.ndim - 1, *range(spatial)), out_spec=data,
    )  # fmt: skip


def _transposed_padding(window: int, stride: int, dilation: int, padding: str, extra: int | None) -> tuple[int, int]:
    """Padding of the convolution over the widened input that gives Keras's output size.

    The result has stride * size elements for "same", and max(span - stride, 0) more for "valid", unless `extra` fixes
    its length; with "same" the padding is split evenly, the larger half before.
    """
    span = (window - 1) * dilation + 1
    if str(padding).lower() == "valid":
        return span - 1, span - 1 + (max(stride - span, 0) if extra is None else extra)
    total = span + stride - 2 if extra is None else 2 * (span - 1 - span // 2) + extra
    before = min(span - 1, -(-total // 2))
    return before, total - before


def _pooling(inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None) -> Any:
    x = convert(inputs)
    data_format = standardize_data_format(data_format)
    spatial = x.ndim - 2
    if spatial < 1:
        raise ShapeError(f"pooling needs a tensor of rank 3 or more. Received: {x.shape}")
    pool = spatial_tuple(pool_size, spatial, "pool_size")
    step = pool if strides is None else spatial_tuple(strides, spatial, "strides")
    first = 1 if data_format == "channels_last" else 2
    sizes = x.dims[first : first + spatial]
    low, high = _paddings(padding, sizes, pool, step, (1,) * spatial)
    around = lambda values, fill: (fill,) * first + tuple(values) + (fill,) * (x.ndim - first - spatial)
    attrs = {
        "window": around(pool, 1),
        "strides": around(step, 1),
        "padding_low": around(low, 0),
        "padding_high": around(high, 0),
    }
    return x, attrs


@operation("nn.MaxPool", "pool_size strides padding data_format")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The largest of each window."""
    x, attrs = _pooling(inputs, pool_size, strides, padding, data_format)
    return bind("reduce_window", x, kind="max", **attrs)


@operation("nn.AveragePool", "pool_size strides padding data_format")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The mean of each window; padding does not count."""
    x, attrs = _pooling(floating(inputs), pool_size, strides, padding, data_format)
    total = bind("reduce_window", x, kind="add", **attrs)
    if not any(attrs["padding_low"]) and not any(attrs["padding_high"]):
        return arithmetic.multiply(total, 1.0 / float(np.prod(attrs["window"])))
    return arithmetic.true_divide(total, broadcast_to(_window_counts(x, attrs), total.dims))


def _window_counts(x: Tensor, attrs: dict[str, Any]) -> Tensor:
    """How many elements each window covers."""
    dims = tuple(d if w > 1 else 1 for d, w in zip(x.dims, attrs["window"]))
    steps = tuple(s if w > 1 else 1 for s, w in zip(attrs["strides"], attrs["window"]))
    if all(isinstance(d, int) for d in dims):
        ones: Tensor = EagerTensor(np.ones(dims, t.to_numpy(x.element)), x.element)  # type: ignore[arg-type]
    else:
        ones = broadcast_to(constant(1, x.element), dims)
    counts: Tensor = bind("reduce_window", ones, kind="add", **{**attrs, "strides": steps})
    return counts
