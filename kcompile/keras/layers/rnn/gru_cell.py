"""GRUCell."""

from __future__ import annotations

from typing import Any

from ... import activations, ops
from .gated_cell import DropoutMasks, GatedCell


class GRUCell(GatedCell):
    """One step of a gated recurrent unit; the columns of kernels and bias are the gates z, r, h.

    h' = z * h + (1 - z) * activation(x @ K + r * (h @ R));  with reset_after=False (r * h) @ R. With reset_after the
    recurrent product has a bias of its own: bias is (2, 3 * units).
    Example: h, [h] = GRUCell(8)(x, [h])   # x (batch, features), h (batch, 8)
    """

    gates = 3

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, reset_after: bool = True,
        seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self) -> Any:
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def step(self, projected: Any, states: list[Any], masks: DropoutMasks) -> tuple[Any, list[Any]]:
        (h,) = states
        x_z, x_r, x_h = self.parts(projected, 3)
        if self.reset_after:
            products = self.recur(h, masks, bias=None if self.bias is None else self.bias[1])
        else:
            products = self.recur(h, masks, slice(0, 2))
        z = self.recurrent_activation(ops.add(x_z, products[0]))
        r = self.recurrent_activation(ops.add(x_r, products[1]))
        if self.reset_after:
            product = ops.multiply(r, products[2])
        else:
            (product,) = self.recur(ops.multiply(r, h), masks, slice(2, 3))
        candidate = self.activation(ops.add(x_h, product))
        h = ops.add(ops.multiply(z, h), ops.multiply(ops.subtract(1.0, z), candidate))
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
