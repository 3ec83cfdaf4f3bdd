"""AlphaDropout."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ..checks import fraction
from ..layer import Layer

# SELU's limit for large negative values: -scale * alpha (Klambauer et al., "Self-normalizing neural networks", 2017).
_LOW = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Layer):
    """In training elements become SELU's negative limit with probability `rate`; mean and variance stay.

    Example: AlphaDropout(0.1)(x, training=True)   # shape unchanged
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        fraction("AlphaDropout", rate=rate)
        self.rate, self.seed, self.noise_shape = rate, seed, noise_shape
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        shape = self.noise_shape or (None,) * inputs.ndim
        dims = tuple(inputs.dims[i] if n is None else n for i, n in enumerate(shape))
        drawn = random.uniform(dims, seed=self.seed_generator)
        kept = ops.cast(ops.greater_equal(drawn, self.rate), inputs.dtype)
        factor = ((1 - self.rate) * (1 + self.rate * _LOW**2)) ** -0.5
        x = ops.add(ops.multiply(inputs, kept), ops.multiply(ops.subtract(1.0, kept), _LOW))
        return ops.add(ops.multiply(x, factor), -factor * _LOW * self.rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
