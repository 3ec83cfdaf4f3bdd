"""GatedCell: what the cells of LSTM, GRU and SimpleRNN have in common.

A cell's step is cut in two, so that an RNN does the first part for all steps at once, in one matrix product:

    project   inputs @ kernel + bias                    needs no state: (.., features) -> (.., gates * units)
    step      states, one step of that -> new states    the recurrent product and the gates
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompile.tracing.bind import convert

from ... import activations, constraints, initializers, ops, random, regularizers
from ..checks import positive_integer
from ..layer import Layer


@dataclass(frozen=True)
class DropoutMasks:
    """Factors of the inputs and of the state, the same at every step: one, or one for each gate. None: no dropout."""

    inputs: list[Any] | None = None
    state: list[Any] | None = None


class GatedCell(Layer):
    """One step of a recurrent layer with `gates` matrices side by side. See the module."""

    gates = 1

    def __init__(
        self, units: int, activation: Any, use_bias: bool, kernel_initializer: Any, recurrent_initializer: Any,
        bias_initializer: Any, kernel_regularizer: Any, recurrent_regularizer: Any, bias_regularizer: Any,
        kernel_constraint: Any, recurrent_constraint: Any, bias_constraint: Any, dropout: float,
        recurrent_dropout: float, seed: int | None, **kwargs: Any,
    ):  # fmt: skip
        positive_integer(type(self).__name__, units=units)
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        for constraint in (kernel_constraint, recurrent_constraint, bias_constraint):
            constraints.get(constraint)
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        # implementation 1 draws inputs for each gate, 2 for all together
        self.implementation = 1 if self.recurrent_dropout and self.gates > 1 else implementation
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size: Any = self.units
        self.output_size = self.units

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def build(self, input_shape: Any) -> None:
        width = self.gates * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width), name="kernel", initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, width), name="recurrent_kernel", initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape, name="bias", initializer=self._start_of_bias, regularizer=self.bias_regularizer
            )

    def _start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    # -- one step
    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        nested = isinstance(states, list | tuple)
        masks = DropoutMasks()
        if training:  # an RNN draws once for all steps
            masks = getattr(self, "_masks", None) or self.draw_masks(convert(inputs).dims[0])
        output, new = self.step(self.project(inputs, masks), list(states) if nested else [states], masks)
        return output, new if nested else new[0]

    def project(self, inputs: Any, masks: DropoutMasks) -> Any:
        """The part of a step that needs no state; leading axes of `inputs` are free."""
        if masks.inputs is not None and len(masks.inputs) > 1:
            pairs = zip(masks.inputs, self.parts(self.kernel, self.gates))
            x = ops.concatenate([ops.matmul(ops.multiply(inputs, m), k) for m, k in pairs], axis=-1)
        else:
            x = ops.matmul(inputs if masks.inputs is None else ops.multiply(inputs, masks.inputs[0]), self.kernel)
        bias = self.input_bias()
        return x if bias is None else ops.add(x, bias)

    def input_bias(self) -> Any:
        """What is added to inputs @ kernel."""
        return self.bias

    def step(self, projected: Any, states: list[Any], masks: DropoutMasks) -> tuple[Any, list[Any]]:
        """The output and the new states."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def recur(self, state: Any, masks: DropoutMasks, gates: slice = slice(None), bias: Any = None) -> list[Any]:
        """state @ recurrent_kernel for some of the gates, plus a bias for these, one tensor for each."""
        count = len(range(self.gates)[gates])
        first = (gates.start or 0) * self.units
        whole = count == self.gates
        kernel = self.recurrent_kernel if whole else self.recurrent_kernel[:, first : first + count * self.units]
        factors = [None] if masks.state is None else masks.state[gates] if len(masks.state) > 1 else masks.state
        if len(factors) == 1:
            product = ops.matmul(state if factors[0] is None else ops.multiply(state, factors[0]), kernel)
            # added as a whole: its gradient is one sum over all steps
            return self.parts(product if bias is None else ops.add(product, bias), count)
        products = [ops.matmul(ops.multiply(state, m), k) for m, k in zip(factors, self.parts(kernel, count))]
        return products if bias is None else [ops.add(p, b) for p, b in zip(products, self.parts(bias, count))]

    def parts(self, x: Any, count: int) -> list[Any]:
        """The last axis cut into gates."""
        x = convert(x)
        n = self.units
        return [x] if count == 1 else [x[..., i * n : (i + 1) * n] for i in range(count)]

    def draw_masks(self, batch: Any) -> DropoutMasks:
        """New dropout masks for a batch."""
        count = self.gates if self.implementation == 1 else 1
        features = self.kernel.shape[0]

        def draw(size: int, rate: float) -> list[Any] | None:
            if not 0 < rate < 1:
                return None
            ones = ops.ones((batch, size), dtype=self.compute_dtype)
            return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(count)]

        return DropoutMasks(draw(features, self.dropout), draw(self.units, self.recurrent_dropout))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, n), dtype=self.compute_dtype) for n in sizes]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": None,
            "recurrent_constraint": None,
            "bias_constraint": None,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
