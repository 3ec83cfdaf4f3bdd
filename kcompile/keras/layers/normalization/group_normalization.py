"""GroupNormalization."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..input_spec import InputSpec
from ..layer import Layer


class GroupNormalization(Layer):
    """Each group of channels of a sample with mean 0 and variance 1, times gamma plus beta per channel.

    `groups`: how many groups the channels are cut into; -1 makes each channel one (instance normalization).
    Example: GroupNormalization(groups=8)(x)   # shape unchanged
    """

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        if not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ArgumentError(f"GroupNormalization: groups is a positive integer, or -1. Received: groups={groups!r}")
        super().__init__(**kwargs)
        no_constraint(beta_constraint), no_constraint(gamma_constraint)
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.supports_masking = True
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        size = input_shape[self.axis]
        if self.groups == -1 and size is not None:
            self.groups = size
        if size is None or size % self.groups:
            raise ShapeError(
                f"GroupNormalization '{self.name}' needs a number of channels that is a multiple of "
                f"groups={self.groups}. Received: {size} channels, input of shape {tuple(input_shape)}"
            )
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=(size,), initializer=self.gamma_initializer, regularizer=self.gamma_regularizer,
                autocast=False,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=(size,), initializer=self.beta_initializer, regularizer=self.beta_regularizer,
                autocast=False,
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any) -> Any:
        place = self.axis % inputs.ndim
        size = inputs.dims[place]
        split = (self.groups, size // self.groups)
        x = ops.reshape(inputs, (*inputs.dims[:place], *split, *inputs.dims[place + 1 :]))
        x = ops.cast(x, "float32") if x.dtype in ("float16", "bfloat16") else x
        axes = tuple(i for i in range(1, x.ndim) if i != place)
        mean, variance = ops.moments(x, axes, keepdims=True)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        along = tuple(split[i - place] if i in (place, place + 1) else 1 for i in range(x.ndim))
        if self.gamma is not None:
            factor = ops.multiply(factor, ops.cast(ops.reshape(self.gamma, along), x.dtype))
        offset = ops.multiply(ops.negative(mean), factor)
        if self.beta is not None:
            offset = ops.add(offset, ops.cast(ops.reshape(self.beta, along), x.dtype))
        x = ops.add(ops.multiply(x, factor), offset)
        return ops.cast(ops.reshape(x, inputs.dims), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": None,
            "gamma_constraint": None,
        }
