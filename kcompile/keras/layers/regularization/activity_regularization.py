"""ActivityRegularization."""

from __future__ import annotations

from typing import Any

from ... import regularizers
from ..layer import Layer


class ActivityRegularization(Layer):
    """Adds l1 * sum(|x|) + l2 * sum(x^2) to the loss; x passes unchanged.

    Example: ActivityRegularization(l2=0.01)(x)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
