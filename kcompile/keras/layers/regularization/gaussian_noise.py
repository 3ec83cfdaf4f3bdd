"""GaussianNoise."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops, random
from ..layer import Layer


class GaussianNoise(Layer):
    """In training adds normal noise of `stddev`.

    Example: GaussianNoise(0.1)(x, training=True)   # shape unchanged
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not stddev >= 0:
            raise ArgumentError(f"GaussianNoise: stddev is a number from 0 on. Received: stddev={stddev!r}")
        self.stddev, self.seed = stddev, seed
        if stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(ops.shape(inputs), 0.0, self.stddev, inputs.dtype, self.seed_generator)
        return ops.add(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
