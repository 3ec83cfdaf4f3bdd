"""keras.ops: activation functions."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, broadcast_to, constant, convert, floating
from kcompile.tracing.tensor import Tensor

from .operation_class import operation
from .reduction import reduce


def _where(condition: Tensor, x: Any, y: Any) -> Any:
    from .comparison import where

    return where(condition, x, y)


def _fill(x: Tensor, value: float) -> Tensor:
    return broadcast_to(constant(value, x.element), x.dims)


@operation("nn.Relu")
def relu(x: Any) -> Any:
    """max(x, 0); its gradient at 0 is 0."""
    x = convert(x)
    zero = _fill(x, 0)
    # written so that nan stays nan
    return bind("select", bind("compare", x, zero, direction="le"), zero, x)


@operation("nn.Relu6")
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    x = convert(x)
    low = bind("select", bind("compare", x, _fill(x, 0), direction="le"), _fill(x, 0), x)
    return bind("select", bind("compare", low, _fill(x, 6), direction="ge"), _fill(x, 6), low)


@operation("nn.LeakyRelu", "negative_slope")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where positive, else negative_slope * x."""
    x = floating(x)
    return _where(a.greater(x, 0), x, a.multiply(x, negative_slope))


@operation("nn.Elu", "alpha")
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, else alpha * (e^x - 1)."""
    x = floating(x)
    # the positive side is kept out of the exponential, so that its gradient stays finite
    below = bind("expm1", _where(a.greater(x, 0), 0.0, x))
    return _where(a.greater(x, 0), x, a.multiply(below, alpha))


@operation("nn.Selu")
def selu(x: Any) -> Any:
    """scale * elu(x, alpha): keeps mean 0 and variance 1."""
    return a.multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@operation("nn.Celu", "alpha")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))."""
    x = floating(x)
    below = bind("expm1", a.true_divide(_where(a.greater(x, 0), 0.0, x), alpha))
    return _where(a.greater(x, 0), x, a.multiply(below, alpha))


@operation("nn.Sigmoid")
def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return bind("logistic", floating(x))


@operation("nn.LogSigmoid")
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without overflow."""
    return a.negative(softplus(a.negative(floating(x))))


@operation("nn.HardSigmoid")
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2, cut to 0..1."""
    return a.true_divide(relu6(a.add(floating(x), 3.0)), 6.0)


@operation("nn.HardSilu")
def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x)."""
    x = floating(x)
    return a.multiply(x, hard_sigmoid(x))


@operation("nn.HardTanh")
def hard_tanh(x: Any) -> Any:
    """x, cut to -1..1."""
    from .elementwise import clip

    return clip(x, -1.0, 1.0)


@operation("nn.Silu")
def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    x = floating(x)
    return a.multiply(x, bind("logistic", x))


@operation("nn.Gelu", "approximate")
def gelu(x: Any, approximate: bool = True) -> Any:
    """x * the normal distribution's cumulative function, by tanh or (approximate=False) by erf."""
    x = floating(x)
    if not approximate:
        return bind("gelu", x)
    # 1 + tanh(u) is 2 sigmoid(2 u), which is cheaper and exact where 1 + tanh(u) cancels
    scale = 2 * math.sqrt(2 / math.pi)
    inner = a.multiply(x, a.add(a.multiply(a.multiply(x, x), 0.044715 * scale), scale))
    return a.multiply(x, bind("logistic", inner))


@operation("nn.Softplus")
def softplus(x: Any) -> Any:
    """log(1 + e^x), without overflow."""
    from .elementwise import logaddexp

    return logaddexp(floating(x), 0.0)


@operation("nn.Softsign")
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    x = floating(x)
    return a.true_divide(x, a.add(a.absolute(x), 1.0))


@operation("nn.Squareplus", "b")
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2."""
    x = floating(x)
    return a.multiply(a.add(x, bind("sqrt", a.add(a.multiply(x, x), float(b)))), 0.5)


@operation("nn.TanhShrink")
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    x = floating(x)
    return a.subtract(x, bind("tanh", x))


@operation("nn.SoftShrink", "threshold")
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards 0 by `threshold`."""
    x = floating(x)
    low = _where(a.less(x, -threshold), a.add(x, threshold), 0.0)
    return _where(a.greater(x, threshold), a.subtract(x, threshold), low)


@operation("nn.HardShrink", "threshold")
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| is above `threshold`, else 0."""
    x = floating(x)
    return _where(a.greater(a.absolute(x), threshold), x, 0.0)


@operation("nn.Threshold", "threshold default_value")
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where above `threshold`, else `default_value`."""
    x = convert(x)
    return _where(a.greater(x, threshold), x, default_value)


@operation("nn.Glu", "axis")
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along `axis` times the sigmoid of the second."""
    from .shaping import split

    first, second = split(floating(x), 2, axis)
    return a.multiply(first, bind("logistic", second))


@operation("nn.SparsePlus")
def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, (x + 1)^2 / 4 between."""
    x = floating(x)
    between = _where(a.less(x, 1), a.multiply(a.power(a.add(x, 1.0), 2), 0.25), x)
    return _where(a.less_equal(x, -1), 0.0, between)


@operation("nn.SparseSigmoid")
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, cut to 0..1."""
    from .elementwise import clip

    return clip(a.multiply(a.add(floating(x), 1.0), 0.5), 0.0, 1.0)


@operation("nn.Softmax", "axis")
def softmax(x: Any, axis: Any = -1) -> Any:
    """e^x / sum(e^x) along `axis` (one or several), without overflow."""
    x = _of_rank_1(floating(x), "softmax")
    grown = bind("exp", a.subtract(x, reduce("max", x, axis, True, constant=True)))
    return a.true_divide(grown, reduce("add", grown, axis, True))


@operation("nn.LogSoftmax", "axis")
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x)), exact for small probabilities."""
    x = _of_rank_1(floating(x), "log_softmax")
    centered = a.subtract(x, reduce("max", x, axis, True, constant=True))
    return a.subtract(centered, bind("log", reduce("add", bind("exp", centered), axis, True)))


def _of_rank_1(x: Tensor, name: str) -> Tensor:
    if not x.ndim:
        raise ArgumentError(f"{name} needs a tensor of rank 1 or more. Received: a scalar")
    return x
