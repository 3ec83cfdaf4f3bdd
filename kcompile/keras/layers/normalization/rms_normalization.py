"""RMSNormalization."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..layer import Layer


class RMSNormalization(Layer):
    """x over the root of its mean square along `axis`, times a scale.

    Example: RMSNormalization()(x)   # shape unchanged
    """

    def __init__(self, axis: int = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        shape = tuple(input_shape[a] for a in sorted(a % len(input_shape) for a in axes))
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", autocast=False)

    def call(self, inputs: Any) -> Any:
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
