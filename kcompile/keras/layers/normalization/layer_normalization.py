"""LayerNormalization."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, UnsupportedError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..layer import Layer


class LayerNormalization(Layer):
    """x with mean 0 and variance 1 along `axis` (one or several), times gamma plus beta.

    Example: LayerNormalization()(x)   # shape unchanged
    """

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        if kwargs.pop("rms_scaling", False):
            raise UnsupportedError("LayerNormalization: rms_scaling=True is not supported; use RMSNormalization")
        super().__init__(**kwargs)
        no_constraint(beta_constraint), no_constraint(gamma_constraint)
        if not isinstance(axis, int) and not (isinstance(axis, list | tuple) and all(isinstance(a, int) for a in axis)):
            raise ArgumentError(f"LayerNormalization: axis is an integer or several. Received: axis={axis!r}")
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.epsilon, self.center, self.scale = float(epsilon), center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else self.axis
        shape = tuple(input_shape[a] for a in sorted(a % len(input_shape) for a in self.axis))
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

    def call(self, inputs: Any) -> Any:
        return ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": False,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": None,
            "gamma_constraint": None,
        }
