"""BatchNormalization."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError

from ... import initializers, ops, regularizers
from ...config import epsilon
from ...constraints import get as no_constraint
from ..checks import fraction
from ..input_spec import InputSpec
from ..layer import Layer


class BatchNormalization(Layer):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, per channel.

    In training with the statistics of the batch, which also move the running ones by 1 - momentum; else, and when
    `trainable` is False, with the running statistics.
    Example: BatchNormalization()(x)   # any shape; channels in `axis`
    """

    def __init__(
        self, axis: Any = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        fraction("BatchNormalization", momentum=momentum)
        if not epsilon >= 0:
            raise ArgumentError(f"BatchNormalization: epsilon is a number from 0 on. Received: epsilon={epsilon!r}")
        no_constraint(beta_constraint), no_constraint(gamma_constraint)
        if renorm:
            raise UnsupportedError("BatchNormalization: renorm=True is not supported by this version")
        if isinstance(axis, list | tuple) and len(axis) == 1:
            axis = axis[0]
        if not isinstance(axis, int):
            raise ArgumentError(f"BatchNormalization: axis is one integer. Received: axis={axis!r}")
        self.axis, self.momentum, self.epsilon = axis, float(momentum), float(epsilon)
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = input_shape[self.axis]
        shape = (size,)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=shape, initializer=self.gamma_initializer, regularizer=self.gamma_regularizer,
                autocast=False,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                autocast=False,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer=self.moving_mean_initializer, trainable=False, autocast=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=shape,
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ShapeError(
                "BatchNormalization: a mask has all axes of the inputs but the last. "
                f"Received: a mask of shape {mask.shape} for inputs of shape {inputs.shape}"
            )
        # small floats are normalized in float32
        narrow = inputs.dtype if inputs.dtype in ("float16", "bfloat16") else None
        x = ops.cast(inputs, "float32") if narrow else inputs
        if training and self.trainable:
            axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
            mean, variance = ops.moments(x, axes) if mask is None else _masked_moments(x, axes, mask)
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        out = ops.batch_normalization(x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)
        return ops.cast(out, narrow) if narrow else out

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": None,
            "gamma_constraint": None,
            "synchronized": self.synchronized,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": 0.99,
        }


def _masked_moments(x: Any, axes: tuple[int, ...], mask: Any) -> tuple[Any, Any]:
    """Mean and variance of what the mask leaves."""
    kept = ops.logical_and(ops.expand_dims(ops.cast(mask, "bool"), -1), ops.ones_like(x, dtype="bool"))
    zeros = ops.zeros_like(x)
    count = ops.add(ops.sum(ops.cast(kept, x.dtype), axes, keepdims=True), epsilon())
    mean = ops.divide(ops.sum(ops.where(kept, x, zeros), axes, keepdims=True), count)
    away = ops.where(kept, ops.subtract(x, mean), zeros)
    variance = ops.divide(ops.sum(ops.square(away), axes, keepdims=True), count)
    return ops.squeeze(mean, axes), ops.squeeze(variance, axes)
