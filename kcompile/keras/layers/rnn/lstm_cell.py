"""LSTMCell."""

from __future__ import annotations

from typing import Any

from ... import activations, ops
from .gated_cell import DropoutMasks, GatedCell


class LSTMCell(GatedCell):
    """One step of a long short-term memory; the columns of kernels and bias are the gates i, f, c, o.

    i, f, o = recurrent_activation(x @ kernel + h @ recurrent_kernel + bias);  c' = f * c + i * activation(.. c ..);
    h' = o * activation(c').
    Example: h, [h, c] = LSTMCell(8)(x, [h, c])   # x (batch, features), h and c (batch, 8)
    """

    gates = 4

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        n = self.units
        i = self.bias_initializer((n,), dtype=dtype)
        return ops.concatenate([i, ops.ones((n,), dtype=dtype), self.bias_initializer((2 * n,), dtype=dtype)])

    def step(self, projected: Any, states: list[Any], masks: DropoutMasks) -> tuple[Any, list[Any]]:
        h, c = states
        i, f, candidate, o = (ops.add(x, r) for x, r in zip(self.parts(projected, 4), self.recur(h, masks)))
        i, f, o = (self.recurrent_activation(gate) for gate in (i, f, o))
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(candidate)))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }
