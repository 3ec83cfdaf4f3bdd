"""What a layer owns: its variables and sublayers, which of them train, and their values as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import ArgumentError, KcompileError, ShapeError
from kcompile.tracing.dtypes import is_float
from kcompile.tracing.trace import outside_traces

from .. import initializers, regularizers
from ..changes import CHANGES
from ..operation import Operation
from ..variable import Variable
from .tracking import seed_generators, sublayers, unique, variables_in_attributes

if TYPE_CHECKING:
    from .layer import Layer


class LayerWeights(Operation):
    """The part of Layer that holds variables. Weights are found in attributes, in lists and dicts too."""

    built: bool
    dtype_policy: Any
    _trainable: bool
    _trainable_variables: list[Variable]
    _non_trainable_variables: list[Variable]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._track(value)
        CHANGES.count += 1
        object.__setattr__(self, name, value)

    def _track(self, variable: Variable) -> None:
        known = self.__dict__.get("_trainable_variables")
        if known is None:
            raise KcompileError(f"{type(self).__name__} must call super().__init__() before it gets variables")
        if not any(v is variable for v in [*known, *self._non_trainable_variables]):
            (known if variable.trainable else self._non_trainable_variables).append(variable)

    # -- weights
    def add_weight(
        self, shape: Any = None, initializer: Any = None, dtype: Any = None, trainable: bool = True,
        autocast: bool = True, regularizer: Any = None, constraint: Any = None, aggregation: str = "none",
        layout: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A new variable of this layer. Without an initializer: Glorot uniform for floats, zeros for others."""
        from .. import constraints

        constraints.get(constraint)
        dtype = dtype or self.dtype_policy.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with outside_traces():
            variable = Variable(
                initializers.get(initializer),
                () if shape is None else _shape(shape),
                dtype,
                trainable,
                autocast,
                name=name or "variable",
            )
        variable.regularizer = regularizers.get(regularizer)
        self._track(variable)
        return variable

    @property
    def _layers(self) -> list[Layer]:
        return sublayers(self)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found: list[Any] = [self] if include_self else []
        for layer in self._layers:
            found += layer._flatten_layers() if recursive else [layer]
        return unique(found)

    def _own_variables(self) -> list[Variable]:
        for v in variables_in_attributes(self):
            self._track(v)
        return [*self._trainable_variables, *self._non_trainable_variables]

    @property
    def weights(self) -> list[Variable]:
        """All variables of this layer and of its sublayers, without the state of random generators."""
        return unique([*self._own_variables(), *(w for layer in self._layers for w in layer.weights)])

    @property
    def variables(self) -> list[Variable]:
        """The weights, and the state of random generators."""
        seeds = [g.state for g in seed_generators(self)]
        return unique([*self._own_variables(), *seeds, *(v for layer in self._layers for v in layer.variables)])

    @property
    def trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Setting it sets it for all sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for v in self._trainable_variables:
            v.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the weights, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Write arrays, in the order of `weights`, into them. Nothing changes unless all fit."""
        own = self.weights
        arrays = [np.asarray(w) for w in weights]
        if len(arrays) != len(own):
            hint = " Build it first: call it on data, or build(input_shape)." if not self.built else ""
            raise ArgumentError(f"'{self.name}' has {len(own)} weights. Received: {len(arrays)} arrays.{hint}")
        for w, a in zip(own, arrays):
            if w.shape != a.shape:
                raise ShapeError(
                    f"weight '{w.path}' of '{self.name}' has shape {w.shape}. Received: an array of shape {a.shape}"
                )
        with outside_traces():
            for w, a in zip(own, arrays):
                w.assign(a)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ArgumentError(
                f"'{self.name}' has no weights yet. Build it first: call it on data, or build(input_shape)."
            )
        return int(sum(int(np.prod(w.shape)) for w in self.weights))


def _shape(shape: Any) -> tuple[Any, ...]:
    return (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
