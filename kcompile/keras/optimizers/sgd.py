"""Stochastic gradient descent, with momentum and Nesterov's variant."""

from __future__ import annotations

from typing import Any

from kcompile.keras import ops
from kcompile.keras.optimizers.optimizer import Optimizer
from kcompile.keras.variable import Variable


class SGD(Optimizer):
    """w -= rate * g; with momentum: m = momentum * m - rate * g, w += m (Nesterov: w += momentum * m - rate * g)."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = self._number("momentum", momentum, low=0.0, high=1.0)
        self.nesterov = bool(nesterov)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Variable] = self.add_slots("momentum")[0] if self.momentum else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate = ops.cast(learning_rate, variable.dtype)
        step = ops.cast(gradient, variable.dtype) * rate
        if not self.momentum:
            variable.assign(variable - step)
            return
        slot = self.slot(self.momentums, variable)
        momentum = slot * self.momentum - step
        slot.assign(momentum)
        variable.assign(variable + (momentum * self.momentum - step if self.nesterov else momentum))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
