"""SimpleRNNCell."""

from __future__ import annotations

from typing import Any

from ... import ops
from .gated_cell import DropoutMasks, GatedCell


class SimpleRNNCell(GatedCell):
    """One step of a plain recurrent layer: h' = activation(x @ kernel + bias + h @ recurrent_kernel).

    Example: h, [h] = SimpleRNNCell(8)(x, [h])   # x (batch, features), h (batch, 8)
    """

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip

    def step(self, projected: Any, states: list[Any], masks: DropoutMasks) -> tuple[Any, list[Any]]:
        (product,) = self.recur(states[0], masks)
        h = self.activation(ops.add(projected, product))
        return h, [h]
