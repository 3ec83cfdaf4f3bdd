"""PReLU."""

from __future__ import annotations

from typing import Any

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..layer import Layer


class PReLU(Layer):
    """x where positive, else a learned slope times x; one slope per element, shared along `shared_axes`.

    Example: PReLU(shared_axes=[1, 2])(x)   # shape unchanged
    """

    def __init__(
        self, alpha_initializer: Any = "Zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        no_constraint(alpha_constraint)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.shared_axes = (
            None if shared_axes is None else [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
        )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shape = [1 if self.shared_axes and i in self.shared_axes else d for i, d in enumerate(input_shape)][1:]
        self.alpha = self.add_weight(
            name="alpha", shape=shape, initializer=self.alpha_initializer, regularizer=self.alpha_regularizer
        )

    def call(self, inputs: Any) -> Any:
        return ops.add(ops.relu(inputs), ops.multiply(ops.negative(self.alpha), ops.relu(ops.negative(inputs))))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": None,
            "shared_axes": self.shared_axes,
        }
