"""RepeatVector."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..checks import positive_integer
from ..input_spec import InputSpec
from ..layer import Layer


class RepeatVector(Layer):
    """Each row `n` times: (b, features) -> (b, n, features).

    Example: RepeatVector(3)(x)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        positive_integer("RepeatVector", n=n)
        self.n = n
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        batch, features = ops.shape(inputs)
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (batch, self.n, features))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
