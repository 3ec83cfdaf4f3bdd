"""Identity."""

from __future__ import annotations

from typing import Any

from ..layer import Layer


class Identity(Layer):
    """x, unchanged.

    Example: Identity()(x)
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs
