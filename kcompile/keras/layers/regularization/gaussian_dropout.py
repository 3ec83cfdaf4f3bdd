"""GaussianDropout."""

from __future__ import annotations

import math
from typing import Any

from ... import ops, random
from ..checks import fraction
from ..layer import Layer


class GaussianDropout(Layer):
    """In training multiplies by normal noise of mean 1 and variance rate / (1 - rate).

    Example: GaussianDropout(0.2)(x, training=True)   # shape unchanged
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        fraction("GaussianDropout", rate=rate)
        self.rate, self.seed = rate, seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return ops.multiply(inputs, random.normal(ops.shape(inputs), 1.0, stddev, inputs.dtype, self.seed_generator))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
