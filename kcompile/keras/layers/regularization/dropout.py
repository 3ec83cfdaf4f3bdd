"""Dropout."""

from __future__ import annotations

from typing import Any

from ... import random
from ..checks import fraction
from ..layer import Layer


class Dropout(Layer):
    """In training each element is 0 with probability `rate`, else over (1 - rate); otherwise nothing happens.

    Example: Dropout(0.5)(x, training=True)   # shape unchanged
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        fraction("Dropout", rate=rate)
        self.rate, self.seed, self.noise_shape = float(rate), seed, noise_shape
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, self._noise_shape(inputs), self.seed_generator)

    def _noise_shape(self, inputs: Any) -> Any:
        return self.noise_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
