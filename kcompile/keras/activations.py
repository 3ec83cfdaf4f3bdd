"""keras.activations: activation functions by name."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from . import ops
from .by_name import by_name


def linear(x: Any) -> Any:
    """x."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x above `threshold`, negative_slope * (x - threshold) below; at most `max_value`."""
    if negative_slope == 0.0 and threshold == 0.0:
        if max_value is None:
            return ops.relu(x)
        if max_value == 6:
            return ops.relu6(x)
    if threshold != 0.0 and negative_slope == 0.0:
        out = ops.where(ops.greater(x, threshold), x, ops.zeros_like(x))
    elif negative_slope != 0.0:
        below = ops.multiply(ops.subtract(x, threshold), negative_slope)
        out = ops.where(ops.greater(x, threshold), x, below)
    else:
        out = ops.relu(x)
    return out if max_value is None else ops.minimum(out, max_value)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where positive, else negative_slope * x."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, else alpha * (e^x - 1)."""
    return ops.elu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """The scaled elu that keeps mean 0 and variance 1."""
    return ops.selu(x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))."""
    return ops.celu(x, alpha=alpha)


def softmax(x: Any, axis: Any = -1) -> Any:
    """e^x / sum(e^x) along `axis`."""
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x))."""
    return ops.log_softmax(x, axis=axis)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return ops.sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return ops.log_sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2, cut to 0..1."""
    return ops.hard_sigmoid(x)


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return ops.silu(x)


def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x)."""
    return ops.hard_silu(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution's cumulative function."""
    return ops.gelu(x, approximate=approximate)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return ops.tanh(x)


def hard_tanh(x: Any) -> Any:
    """x, cut to -1..1."""
    return ops.hard_tanh(x)


def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return ops.tanh_shrink(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards 0 by `threshold`."""
    return ops.soft_shrink(x, threshold=threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| is above `threshold`, else 0."""
    return ops.hard_shrink(x, threshold=threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where above `threshold`, else `default_value`."""
    return ops.threshold(x, threshold, default_value)


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return ops.softsign(x)


def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2."""
    return ops.squareplus(x, b=b)


def exponential(x: Any) -> Any:
    """e^x."""
    return ops.exp(x)


def mish(x: Any) -> Any:
    """x * tanh(softplus(x))."""
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


def glu(x: Any, axis: int = -1) -> Any:
    """The first half along `axis` times the sigmoid of the second."""
    return ops.glu(x, axis=axis)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, (x + 1)^2 / 4 between."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, cut to 0..1."""
    return ops.sparse_sigmoid(x)


# Second names, as Keras has them.
swish, hard_swish = silu, hard_silu

_NAMES = {
    f.__name__: f
    for f in (
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
        sparse_plus, sparse_sigmoid, squareplus, tanh, tanh_shrink, threshold,
    )
} | {"swish": silu, "hard_swish": hard_silu}  # fmt: skip


def get(identifier: Any) -> Any:
    """The activation of a name, a function, or a config; None is `linear`."""
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = by_name("activation", identifier, _NAMES)
        return found() if isinstance(found, type) else found
    if callable(identifier):
        return identifier
    raise ArgumentError(f"an activation is a name or a function. Received: {identifier!r}")


def serialize(activation: Any) -> Any:
    """The name of a function of this module, else its config."""
    name = getattr(activation, "__name__", None)
    if name in _NAMES and _NAMES[name] is activation:
        return name
    from .saving import serialize_keras_object

    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The function that `serialize` named."""
    if isinstance(config, str) or config is None:
        return get(config)
    if isinstance(config, dict) and config.get("class_name") == "function" and config.get("config") in _NAMES:
        return _NAMES[config["config"]]
    from .saving import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects=custom_objects)
