"""ELU."""

from __future__ import annotations

from typing import Any

from ... import activations
from ..layer import Layer


class ELU(Layer):
    """x where positive, else alpha * (e^x - 1).

    Example: ELU()(x)   # shape unchanged
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
