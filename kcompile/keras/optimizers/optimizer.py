"""The base of optimizers: the step counter, the learning rate, slots, clipping and weight decay.

Its state are Variables, so `apply` runs at once on arrays, and inside a trace becomes part of the train step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.keras import ops
from kcompile.keras.naming import auto_name
from kcompile.keras.optimizers.schedules.schedule import LearningRateSchedule
from kcompile.keras.variable import Variable, variable_scope
from kcompile.tracing.trace import scope


class Optimizer:
    """Base of optimizers. A subclass gives `update_step(gradient, variable, learning_rate)` and makes its slots in
    `build`.

    learning_rate: a number, or a LearningRateSchedule. Of clipnorm, clipvalue and global_clipnorm one may be given.
    Raises ArgumentError for values that are not finite or out of range.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise ArgumentError(f"{type(self).__name__} does not take {', '.join(unknown)}. Received: {unknown}")
        for key, value in (("use_ema", use_ema), ("loss_scale_factor", loss_scale_factor),
                           ("gradient_accumulation_steps", gradient_accumulation_steps)):  # fmt: skip
            if value:
                raise UnsupportedError(
                    f"{type(self).__name__} does not support {key} in this version. Received: {key}={value}. Leave "
                    f"it out."
                )
        self.name = name or auto_name(type(self))
        self.weight_decay = self._number("weight_decay", weight_decay, optional=True, low=0.0)
        self.clipnorm = self._number("clipnorm", clipnorm, optional=True, above=0.0)
        self.clipvalue = self._number("clipvalue", clipvalue, optional=True, above=0.0)
        self.global_clipnorm = self._number("global_clipnorm", global_clipnorm, optional=True, above=0.0)
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                f"only one of clipnorm, clipvalue and global_clipnorm can be set. Received: clipnorm={clipnorm}, "
                f"clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._slot_of: dict[int, int] = {}  # id of a variable -> its place in every list of slots
        self._no_decay: list[str] = []
        with variable_scope(self.name):
            self._iterations = Variable(np.zeros((), np.int32), name="iteration", dtype="int32", trainable=False)
        self._variables.append(self._iterations)
        if isinstance(learning_rate, dict):
            from kcompile.keras.saving import deserialize_keras_object

            learning_rate = deserialize_keras_object(learning_rate)
        self._learning_rate: Any
        if isinstance(learning_rate, LearningRateSchedule):
            self._learning_rate = learning_rate
        elif callable(learning_rate) and not isinstance(learning_rate, Variable):
            self._learning_rate = learning_rate
        else:
            rate = self._number("learning_rate", learning_rate, low=0.0)
            with variable_scope(self.name):
                self._learning_rate = Variable(np.asarray(rate, np.float32), name="learning_rate", trainable=False)
            self._variables.append(self._learning_rate)
        self.unbuilt_count = len(self._variables)  # of variables that exist before `build`

    def _number(
        self, name: str, value: Any, *, optional: bool = False, low: float | None = None, above: float | None = None,
        high: float | None = None,
    ) -> Any:  # fmt: skip
        """`value` as a finite float inside its range; raises ArgumentError otherwise."""
        if value is None and optional:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        outside = (
            (low is not None and number < low)
            or (above is not None and number <= above)
            or (high is not None and number > high)
        )
        if not math.isfinite(number) or outside:
            limits = [
                f">= {low}" if low is not None else "",
                f"> {above}" if above is not None else "",
                f"<= {high}" if high is not None else "",
            ]
            wanted = " and ".join(text for text in limits if text)
            raise ArgumentError(
                f"{type(self).__name__} needs a finite {name} {wanted}".rstrip() + f". Received: {name}={value!r}"
            )
        return number

    # -- state
    @property
    def variables(self) -> list[Variable]:
        """iteration, learning_rate (unless it is a schedule), then the slots, in the order of Keras's files."""
        return list(self._variables)

    @property
    def iterations(self) -> Variable:
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The variable; with a schedule, its value at the present step."""
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule):
            if isinstance(self._learning_rate, Variable):
                raise ArgumentError(
                    "a schedule cannot replace a plain learning rate of an optimizer that exists. Give it to the "
                    "constructor, and compile again."
                )
            self._learning_rate = value
            return
        if not isinstance(self._learning_rate, Variable):
            raise ArgumentError(
                "this optimizer follows a schedule, so its learning_rate cannot be set. Make it with a number to be "
                f"able to. Received: learning_rate={value!r}"
            )
        self._learning_rate.assign(self._number("learning_rate", value, low=0.0))

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = "float32", name: str | None = None
    ) -> Variable:
        """A state variable of this optimizer."""
        with variable_scope(self.name):
            variable = Variable(initializer, shape=tuple(shape), dtype=dtype, trainable=False, name=name)
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A slot: shape and dtype of `reference_variable`, named after it."""
        full = f"{reference_variable.path.replace('/', '_')}_{name}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, full)

    def add_slots(self, *names: str, initializer: Any = "zeros") -> tuple[list[Variable], ...]:
        """For each trainable variable one slot of each name, interleaved as in Keras's files."""
        made = [[self.add_variable_from_reference(v, n, initializer) for n in names] for v in self._trainable_variables]
        return tuple([row[i] for row in made] for i in range(len(names)))

    def slot(self, slots: Sequence[Variable], variable: Variable) -> Variable:
        return slots[self._slot_of[id(variable)]]

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these trainable variables. A subclass calls this first."""
        self._trainable_variables = list(variables)
        self._slot_of = {id(v): i for i, v in enumerate(variables)}
        self.built = True

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave these variables, and those whose name holds one of `var_names`, out of weight decay. Call before
        training.
        """
        self._no_decay += [f"^{re.escape(v.path)}$" for v in var_list or ()] + list(var_names or ())

    # -- a step
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One step from (gradient, variable) pairs."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step: `grads[i]` is the gradient of `trainable_variables[i]` (default: the variables of `build`), or
        None.
        """
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(variables):
            raise ArgumentError(
                f"one gradient for each variable is needed. Received: {len(grads)} gradients for {len(variables)} "
                f"variables"
            )
        if not self.built:
            self.build(variables)
        unknown = [v.path for v in variables if id(v) not in self._slot_of]
        if unknown:
            raise ArgumentError(
                f"optimizer '{self.name}' was built for other variables. Received: {', '.join(unknown)}. Make a new "
                f"optimizer "
                f"(or compile the model again) after layers were added or made trainable."
            )
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            raise ArgumentError(
                "no gradient for any variable: the loss does not depend on them. Does the model have trainable weights?"
            )
        with scope(self.name):
            self._step(pairs)

    def _step(self, pairs: list[tuple[Any, Variable]]) -> None:
        gradients = self._clip([ops.convert_to_tensor(g) for g, _ in pairs])
        rate = ops.convert_to_tensor(self.learning_rate)
        for _, variable in pairs if self.weight_decay else ():
            if self._decays(variable):
                decay = ops.cast(rate, variable.dtype) * self.weight_decay
                variable.assign(variable - variable * decay)
        for gradient, (_, variable) in zip(gradients, pairs, strict=True):
            with scope(variable.path):
                self.update_step(gradient, variable, rate)
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))
        self._iterations.assign(self._iterations + 1)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)")

    def _decays(self, variable: Variable) -> bool:
        return not any(re.search(pattern, variable.path) for pattern in self._no_decay)

    def _clip(self, gradients: list[Any]) -> list[Any]:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        if self.clipnorm is not None:
            return [self._clip_by_norm(g, self.clipnorm) for g in gradients]
        if self.global_clipnorm is not None:
            total = sum((ops.sum(ops.square(g)) for g in gradients[1:]), ops.sum(ops.square(gradients[0])))
            norm = ops.sqrt(total)
            # 1 / norm is inf for a norm of 0, where the minimum picks the other term.
            factor = self.global_clipnorm * ops.minimum(1.0 / norm, 1.0 / self.global_clipnorm)
            return [g * ops.cast(factor, g.dtype) for g in gradients]
        return gradients

    @staticmethod
    def _clip_by_norm(gradient: Any, limit: float) -> Any:
        norm = ops.sqrt(ops.sum(ops.square(gradient)))
        return gradient * limit / ops.maximum(norm, limit)

    # -- config and files
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign arrays to `variables`, in order."""
        if len(weights) != len(self._variables):
            raise ArgumentError(
                f"optimizer '{self.name}' has {len(self._variables)} variables. Received: {len(weights)} arrays"
            )
        for variable, weight in zip(self._variables, weights, strict=True):
            variable.assign(weight)

    def get_config(self) -> dict[str, Any]:
        rate: Any = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        else:
            from kcompile.keras.saving import serialize_keras_object

            rate = serialize_keras_object(rate)
        return {
            "name": self.name, "learning_rate": rate, "weight_decay": self.weight_decay, "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm, "clipvalue": self.clipvalue, "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum, "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor, "gradient_accumulation_steps":
            self.gradient_accumulation_steps,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Optimizer:
        return cls(**config)
