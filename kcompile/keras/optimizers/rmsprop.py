"""RMSprop, Adagrad and Adadelta: steps divided by a measure of past gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.keras import ops
from kcompile.keras.optimizers.optimizer import Optimizer
from kcompile.keras.variable import Variable


class RMSprop(Optimizer):
    """v is a running mean of g^2; w -= rate * g / sqrt(v + epsilon), with an optional momentum.

    centered: the square of the running mean of g is taken off v. Hinton, 2012.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho = self._number("rho", rho, low=0.0, high=1.0)
        self.momentum = self._number("momentum", momentum, low=0.0, high=1.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)
        self.centered = bool(centered)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_slots("velocity")[0]
        self._momentums: list[Variable] = self.add_slots("momentum")[0] if self.momentum > 0 else []
        self._average_gradients: list[Variable] = self.add_slots("average_gradient")[0] if self.centered else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        slot = self.slot(self._velocities, variable)
        velocity = slot * self.rho + ops.square(gradient) * (1.0 - self.rho)
        slot.assign(velocity)
        if self.centered:
            average = self.slot(self._average_gradients, variable)
            mean = average * self.rho + gradient * (1.0 - self.rho)
            average.assign(mean)
            velocity = velocity - ops.square(mean)
        increment = rate * gradient * ops.rsqrt(velocity + self.epsilon)
        if self.momentum > 0:
            momentum = self.slot(self._momentums, variable)
            increment = momentum * self.momentum + increment
            momentum.assign(increment)
        variable.assign(variable - increment)

    def get_config(self) -> dict[str, Any]:
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}


class Adagrad(Optimizer):
    """a is the sum of g^2; w -= rate * g / sqrt(a + epsilon). Duchi et al., 2011."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.initial_accumulator_value = self._number("initial_accumulator_value", initial_accumulator_value, low=0.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)

        def start(shape: tuple[int, ...], dtype: Any = None) -> Any:
            return np.full(shape, self.initial_accumulator_value, dtype)

        self._accumulators = self.add_slots("accumulator", initializer=start)[0]

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        slot = self.slot(self._accumulators, variable)
        accumulated = slot + ops.square(gradient)
        slot.assign(accumulated)
        variable.assign(variable - rate * gradient / ops.sqrt(accumulated + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """Steps in the ratio of running means of past steps and gradients: no learning rate to choose. Zeiler, 2012."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho = self._number("rho", rho, low=0.0, high=1.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_slots(
            "accumulated_grad", "accumulated_delta_var"
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        grads, deltas = self.slot(self._accumulated_grads, variable), self.slot(self._accumulated_delta_vars, variable)
        new_grads = grads * self.rho + ops.square(gradient) * (1.0 - self.rho)
        grads.assign(new_grads)
        delta = -1.0 * ops.sqrt(deltas + self.epsilon) * gradient / ops.sqrt(new_grads + self.epsilon)
        deltas.assign(deltas * self.rho + ops.square(delta) * (1.0 - self.rho))
        variable.assign(variable + rate * delta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
