"""Initializers whose values are known: zeros, ones, a constant, the identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.tracing.dtypes import element_type, standardize_dtype
from kcompile.tracing.tensor import EagerTensor

from .initializer import Initializer


def filled(shape: Any, value: Any, dtype: Any) -> EagerTensor:
    """`value` broadcast to `shape`."""
    element = element_type(standardize_dtype(dtype))
    return EagerTensor(np.broadcast_to(np.asarray(value, t.to_numpy(element)), tuple(shape)).copy(), element)


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        return filled(shape, 0, dtype)


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        return filled(shape, 1, dtype)


class Constant(Initializer):
    """`value`, a number or an array, broadcast to the shape."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        try:
            return filled(shape, self.value, dtype)
        except ValueError:
            raise ShapeError(
                f"the constant of shape {np.shape(self.value)} does not fill a variable of shape {tuple(shape)}"
            ) from None

    def get_config(self) -> dict[str, Any]:
        value = self.value if isinstance(self.value, bool | int | float) else np.asarray(self.value)
        return {"value": value}


class Identity(Initializer):
    """`gain` times the identity matrix; for two axes."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> EagerTensor:
        if len(shape) != 2:
            raise ShapeError(f"the identity has two axes. Received: shape={tuple(shape)}")
        return filled(shape, self.gain * np.eye(*shape), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
