"""KerasTensor: a symbolic input or output of layers; operations on it are recorded as nodes of a functional model."""

from __future__ import annotations

from typing import Any

from kcompile.errors import UnsupportedError
from kcompile.ir.types import TensorType
from kcompile.tracing.dtypes import element_type
from kcompile.tracing.tensor import Tensor
from kcompile.tracing.trace import symbolic_dims

from .naming import auto_name


class KerasTensor(Tensor):
    """A shape (None where it varies), a dtype, and where it comes from: `_keras_history` = (operation, node, index).

    Example: x = KerasTensor((None, 8)); (x * 2).shape == (None, 8)
    """

    is_symbolic = True

    def __init__(
        self, shape: Any, dtype: Any = "float32", sparse: bool = False, ragged: bool = False,
        record_history: bool = True, name: str | None = None,
    ):  # fmt: skip
        if sparse or ragged:
            raise UnsupportedError("sparse and ragged tensors are not supported; use dense ones")
        self.dims = symbolic_dims(shape)
        self.element = element_type(dtype)
        self.name = name or auto_name("KerasTensor")
        self.record_history = record_history
        self._keras_history: Any = None

    @classmethod
    def of_type(cls, type: TensorType) -> KerasTensor:
        """A tensor of an IR type, which keeps its symbols."""
        return cls(type.shape, type.element)

    @property
    def sparse(self) -> bool:
        return False

    @property
    def ragged(self) -> bool:
        return False

    def _symbolic_binary(self, name: str, x: Any, y: Any) -> Any:
        from . import ops

        return getattr(ops, name)(x, y)

    def _unary(self, name: str, *arguments: Any) -> Any:
        from . import ops

        return getattr(ops, name)(self, *arguments)

    def reshape(self, newshape: Any) -> Any:
        from . import ops

        return ops.reshape(self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        from . import ops

        return ops.squeeze(self, axis)

    def _refuse(self, what: str) -> TypeError:
        return TypeError(
            f"{what} needs values, and a KerasTensor has none: it is a symbolic input or output of layers. "
            f"Use keras.ops functions, or a Layer with a call method. Received: {self!r}"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._refuse("NumPy")

    def __bool__(self) -> bool:
        raise self._refuse("a condition")

    def __int__(self) -> int:
        raise self._refuse("int()")

    def __float__(self) -> float:
        raise self._refuse("float()")

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, name={self.name}>"


def is_keras_tensor(x: Any) -> bool:
    return isinstance(x, KerasTensor)


def any_symbolic(args: Any) -> bool:
    """Whether a KerasTensor is anywhere in nested lists, tuples and dicts."""
    if isinstance(args, list | tuple):
        return any(any_symbolic(a) for a in args)
    if isinstance(args, dict):
        return any(any_symbolic(a) for a in args.values())
    return isinstance(args, KerasTensor)
