"""The base of metrics: state in variables, so that one traced train step updates it along with the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.keras.naming import auto_name
from kcompile.keras.variable import Variable
from kcompile.tracing.trace import current_trace


class Metric:
    """Base of metrics: `update_state(y_true, y_pred, sample_weight)` adds, `result()` reads, `reset_state()` clears.

    >>> m = Mean(); m.update_state([1.0, 3.0]); float(m.result())        # doctest: +SKIP
    2.0
    """

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self))
        self._dtype = "float32" if dtype is None else str(getattr(dtype, "name", dtype))
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """Own state, then that of metrics kept in attributes."""
        found = list(self._variables)
        for value in vars(self).values():
            for inner in value if isinstance(value, list | tuple) else (value,):
                if isinstance(inner, Metric):
                    found += inner.variables
        return found

    def add_variable(
        self, shape: tuple[int, ...], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A new state variable, kept out of training; it starts at the initializer's value, and goes back to 0 on
        reset.
        """
        if initializer is None or initializer == "zeros":
            initializer = np.zeros(shape, self._dtype if dtype is None else str(dtype))
        variable = Variable(
            initializer, shape=tuple(shape), dtype=dtype or self.dtype, trainable=False, name=name or "variable"
        )
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: tuple[int, ...] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def reset_state(self) -> None:
        """All state back to 0."""
        traced = current_trace() is not None
        for variable in self.variables:
            if traced:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            else:
                variable._array.fill(0)

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight=None)")

    def result(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define result()")

    def value(self) -> Any:
        """`result()` as a float (an array, if it is no single number); outside traces only."""
        result = np.asarray(self.result())
        return float(result) if result.ndim == 0 else result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update, then the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
