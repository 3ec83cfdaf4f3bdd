"""keras.ops: normalizations, one-hot codes, losses on logits."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, broadcast_to, cast, convert, floating
from kcompile.tracing.dtypes import is_float, standardize_dtype
from kcompile.tracing.tensor import Tensor

from ..config import epsilon as default_epsilon
from .activation import log_softmax
from .elementwise import clip
from .operation_class import operation
from .reduction import mean, reduce, standardize_axes, var


@operation("nn.OneHot", "num_classes axis dtype sparse")
def one_hot(x: Any, num_classes: Any, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """1 at the index that x holds, else 0, along a new axis; all 0 for an index out of range."""
    x = convert(x)
    if is_float(x.dtype) or x.element is t.i1:
        x = cast(x, "int32")
    elif t.bitwidth(x.element) < 32:
        x = cast(x, "int32")  # the indices of many classes would wrap around in a narrow type
    rank = x.ndim + 1
    place = axis % rank
    dims = (*x.dims[:place], num_classes, *x.dims[place:])
    spread = bind("broadcast_in_dim", x, shape=dims, dims=tuple(i for i in range(rank) if i != place))
    hit = bind("compare", spread, bind("iota", shape=dims, axis=place, dtype=x.element), direction="eq")
    return cast(hit, standardize_dtype(dtype))


def _along(vector: Any, x: Tensor, axis: int) -> Tensor:
    """A vector laid along one axis of `x`."""
    v = convert(vector)
    return (
        v
        if v.ndim == x.ndim
        else bind("reshape", v, shape=tuple(x.dims[axis % x.ndim] if i == axis % x.ndim else 1 for i in range(x.ndim)))
    )


@operation("nn.BatchNorm", "axis epsilon")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, with vectors along `axis`."""
    x = floating(x)
    factor = bind("rsqrt", a.add(floating(variance), epsilon))
    if scale is not None:
        factor = a.multiply(factor, scale)
    shift = a.negative(a.multiply(mean, factor))
    if offset is not None:
        shift = a.add(shift, offset)
    return a.add(a.multiply(x, _along(factor, x, axis)), _along(shift, x, axis))


@operation("nn.LayerNorm", "axis epsilon")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """x with mean 0 and variance 1 along `axis`, then times gamma plus beta."""
    x = floating(x)
    narrow = x.dtype if x.dtype in ("float16", "bfloat16") else None
    wide = cast(x, "float32") if narrow else x
    axes = standardize_axes(axis, x.ndim)
    center = mean(wide, axes, True)
    spread = var(wide, axes, True)
    out = a.multiply(
        a.subtract(wide, center), bind("rsqrt", a.add(spread, default_epsilon() if epsilon is None else epsilon))
    )
    dims = tuple(d if i in axes else 1 for i, d in enumerate(x.dims))
    if gamma is not None:
        out = a.multiply(out, bind("reshape", cast(gamma, out.dtype), shape=dims))
    if beta is not None:
        out = a.add(out, bind("reshape", cast(beta, out.dtype), shape=dims))
    return cast(out, narrow) if narrow else out


@operation("nn.RMSNorm", "axis epsilon")
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """x over the root of its mean square along `axis`, times scale."""
    x = floating(x)
    axes = standardize_axes(axis, x.ndim)
    factor = bind("rsqrt", a.add(mean(a.multiply(x, x), axes, True), default_epsilon() if epsilon is None else epsilon))
    out = a.multiply(x, factor)
    if scale is None:
        return out
    return a.multiply(
        out, bind("reshape", cast(scale, x.dtype), shape=tuple(d if i in axes else 1 for i, d in enumerate(x.dims)))
    )


@operation("nn.Normalize", "axis order epsilon")
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """x over its norm along `axis`."""
    from .reduction import norm

    x = floating(x)
    least = default_epsilon() if epsilon is None else epsilon
    if order == 2:
        total = reduce("add", a.multiply(x, x), axis, True)
        return a.multiply(x, bind("rsqrt", bind("max", total, broadcast_to(convert(least**2, x.dtype), total.dims))))
    length = norm(x, order, axis, True)
    return a.true_divide(x, bind("max", length, broadcast_to(convert(least, x.dtype), length.dims)))


@operation("nn.CategoricalCrossentropy", "from_logits axis")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(target * log(output)) along `axis`."""
    target, output = convert(target), floating(output)
    if target.dims != output.dims:
        raise ShapeError(f"target and output need one shape. Received: {target.shape} and {output.shape}")
    return a.negative(reduce("add", a.multiply(target, _log_probabilities(output, from_logits, axis)), axis, False))


@operation("nn.SparseCategoricalCrossentropy", "from_logits axis")
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-log(output[target]) along `axis`; `target` holds class indices."""
    target, output = convert(target), floating(output)
    if target.ndim == output.ndim and target.dims[-1] == 1:
        target = bind("reshape", target, shape=target.dims[:-1])
    classes = output.dims[axis % output.ndim]
    if not isinstance(classes, int) or target.dims != tuple(
        d for i, d in enumerate(output.dims) if i != axis % output.ndim
    ):
        raise ShapeError(
            f"target needs the shape of output without axis {axis}. Received: {target.shape} and {output.shape}"
        )
    codes = one_hot(target, classes, axis, output.dtype)
    return a.negative(reduce("add", a.multiply(codes, _log_probabilities(output, from_logits, axis)), axis, False))


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis)
    scaled = a.true_divide(output, reduce("add", output, axis, True))
    return bind("log", clip(scaled, default_epsilon(), 1.0 - default_epsilon()))


@operation("nn.BinaryCrossentropy", "from_logits")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element."""
    output = floating(output)
    target = cast(target, output.dtype)
    if target.dims != output.dims:
        raise ShapeError(f"target and output need one shape. Received: {target.shape} and {output.shape}")
    if from_logits:
        from .activation import log_sigmoid

        positive, negative = log_sigmoid(output), log_sigmoid(a.negative(output))
    else:
        output = clip(output, default_epsilon(), 1.0 - default_epsilon())
        positive, negative = bind("log", output), bind("log", a.subtract(1.0, output))
    return a.negative(a.add(a.multiply(target, positive), a.multiply(a.subtract(1.0, target), negative)))
