"""Adam, AdamW, Adamax and Nadam: steps scaled by running moments of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.keras import ops
from kcompile.keras.optimizers.optimizer import Optimizer
from kcompile.keras.variable import Variable


class Adam(Optimizer):
    """m and v are running means of g and g^2; w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon).

    amsgrad: the greatest v so far takes the place of v. Kingma and Ba, 2014; Reddi et al., 2018.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = self._number("beta_1", beta_1, low=0.0, high=1.0)
        self.beta_2 = self._number("beta_2", beta_2, low=0.0, high=1.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)
        self.amsgrad = bool(amsgrad)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_slots("momentum", "velocity")
        self._velocity_hats: list[Variable] = self.add_slots("velocity_hat")[0] if self.amsgrad else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        step = ops.cast(self._iterations + 1, variable.dtype)
        power_1 = ops.power(ops.cast(self.beta_1, variable.dtype), step)
        power_2 = ops.power(ops.cast(self.beta_2, variable.dtype), step)
        alpha = rate * ops.sqrt(1.0 - power_2) / (1.0 - power_1)
        m, v = self.slot(self._momentums, variable), self.slot(self._velocities, variable)
        new_m = m + (gradient - m) * (1.0 - self.beta_1)
        new_v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        m.assign(new_m)
        v.assign(new_v)
        if self.amsgrad:
            hat = self.slot(self._velocity_hats, variable)
            new_v = ops.maximum(hat, new_v)
            hat.assign(new_v)
        variable.assign(variable - new_m * alpha / (ops.sqrt(new_v) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}


class AdamW(Adam):
    """Adam with decoupled weight decay: w -= rate * weight_decay * w before each step. Loshchilov and Hutter, 2019."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad, name=name,
            weight_decay=self._number("weight_decay", weight_decay, low=0.0), **kwargs,
        )  # fmt: skip


class Adamax(Optimizer):
    """Adam with the infinity norm: u = max(b2 * u, |g|); w -= rate / (1 - b1^t) * m / (u + epsilon)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = self._number("beta_1", beta_1, low=0.0, high=1.0)
        self.beta_2 = self._number("beta_2", beta_2, low=0.0, high=1.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._m, self._u = self.add_slots("momentum", "norm")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        power = ops.power(ops.cast(self.beta_1, variable.dtype), ops.cast(self._iterations + 1, variable.dtype))
        m, u = self.slot(self._m, variable), self.slot(self._u, variable)
        new_m = m + (gradient - m) * (1.0 - self.beta_1)
        new_u = ops.maximum(u * self.beta_2, ops.abs(gradient))
        m.assign(new_m)
        u.assign(new_u)
        variable.assign(variable - rate * new_m / ((1.0 - power) * (new_u + self.epsilon)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose weight warms up: u_t = b1 * (1 - 0.5 * 0.96^t). Dozat, 2015."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = self._number("beta_1", beta_1, low=0.0, high=1.0)
        self.beta_2 = self._number("beta_2", beta_2, low=0.0, high=1.0)
        self.epsilon = self._number("epsilon", epsilon, low=0.0)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._m, self._v = self.add_slots("momentum", "velocity")
        self._u_product = self.add_variable((), np.ones((), np.float32), "float32", "u_product")

    def _warm(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(ops.convert_to_tensor(0.96, "float32"), step))

    def _step(self, pairs: list[tuple[Any, Variable]]) -> None:
        # The product of all u_t belongs to the whole step, not to one variable.
        self._u_product.assign(self._u_product * self._warm(ops.cast(self._iterations + 1, "float32")))
        super()._step(pairs)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate, gradient = ops.cast(learning_rate, dtype), ops.cast(gradient, dtype)
        step = ops.cast(self._iterations + 1, "float32")
        u_t, u_next = ops.cast(self._warm(step), dtype), ops.cast(self._warm(step + 1.0), dtype)
        product = ops.cast(self._u_product.value, dtype)
        power_2 = ops.power(ops.cast(self.beta_2, dtype), ops.cast(step, dtype))
        m, v = self.slot(self._m, variable), self.slot(self._v, variable)
        new_m = m + (gradient - m) * (1.0 - self.beta_1)
        new_v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        m.assign(new_m)
        v.assign(new_v)
        m_hat = u_next * new_m / (1.0 - product * u_next) + (1.0 - u_t) * gradient / (1.0 - product)
        variable.assign(variable - m_hat * rate / (ops.sqrt(new_v / (1.0 - power_2)) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
