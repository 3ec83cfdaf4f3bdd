"""UnitNormalization."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..layer import Layer


class UnitNormalization(Layer):
    """x over its length along `axis`.

    Example: UnitNormalization()(x)   # every row has length 1
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
