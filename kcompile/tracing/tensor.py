"""Tensors: what user code computes with. The base has Python's operators; EagerTensor holds an array.

>>> x = EagerTensor(np.ones((2, 3), "float32"))
>>> (x + 1).shape, (x * 2).dtype
((2, 3), 'float32')
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import TensorType, Type

from .dtypes import dtype_name, element_type


class Operators:
    """Python's operators, by the rules of NumPy's broadcasting and Keras's dtype promotion.

    Shared by tensors and variables; `_binary` may be overridden by a class whose operations are recorded elsewhere.
    """

    __array_priority__ = 1000  # an ndarray on the left leaves the operation to us
    __hash__ = object.__hash__

    def _binary(self, name: str, x: Any, y: Any) -> Any:
        if getattr(x, "is_symbolic", False) or getattr(y, "is_symbolic", False):
            return NotImplemented if not getattr(self, "is_symbolic", False) else self._symbolic_binary(name, x, y)
        from . import arithmetic

        return getattr(arithmetic, name)(x, y)

    def _symbolic_binary(self, name: str, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def __add__(self, other: Any) -> Any:
        return self._binary("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._binary("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._binary("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._binary("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._binary("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._binary("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._binary("true_divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary("true_divide", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._binary("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._binary("floor_divide", other, self)

    def __mod__(self, other: Any) -> Any:
        return self._binary("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._binary("mod", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._binary("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._binary("power", other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._binary("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._binary("matmul", other, self)

    def __and__(self, other: Any) -> Any:
        return self._binary("logical_and", self, other)

    def __rand__(self, other: Any) -> Any:
        return self._binary("logical_and", other, self)

    def __or__(self, other: Any) -> Any:
        return self._binary("logical_or", self, other)

    def __ror__(self, other: Any) -> Any:
        return self._binary("logical_or", other, self)

    def __xor__(self, other: Any) -> Any:
        return self._binary("logical_xor", self, other)

    def __lt__(self, other: Any) -> Any:
        return self._binary("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self._binary("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._binary("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._binary("greater_equal", self, other)

    def __eq__(self, other: Any) -> Any:
        return False if other is None else self._binary("equal", self, other)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else self._binary("not_equal", self, other)

    def __neg__(self) -> Any:
        return self._unary("negative")

    def __abs__(self) -> Any:
        return self._unary("absolute")

    def __invert__(self) -> Any:
        return self._unary("logical_not")

    def __getitem__(self, key: Any) -> Any:
        return self._unary("get_item", key)

    def _unary(self, name: str, *arguments: Any) -> Any:
        from . import arithmetic

        return getattr(arithmetic, name)(self, *arguments)


class Tensor(Operators):
    """Base of all tensors: `dims` (ints or symbols), `element` (IR type); `shape` shows None for a symbol."""

    is_symbolic = False  # whether operations on it are recorded as nodes of a functional model
    dims: tuple[Dim, ...]
    element: Type

    @property
    def shape(self) -> tuple[int | None, ...]:
        return tuple(None if isinstance(d, SymbolicDim) else d for d in self.dims)

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def dtype(self) -> str:
        return dtype_name(self.element)

    @property
    def type(self) -> TensorType:
        return TensorType(self.dims, self.element)

    def __len__(self) -> int:
        if not self.dims:
            raise TypeError("a tensor of rank 0 has no length")
        if isinstance(self.dims[0], SymbolicDim):
            raise TypeError("len() needs a first axis of known size; ops.shape(x)[0] gives the symbolic one")
        return self.dims[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class EagerTensor(Tensor):
    """A tensor whose values are known: `array`. bfloat16 values are kept in a float32 array."""

    __slots__ = ("array", "dims", "element")

    def __init__(self, array: Any, dtype: Any = None):
        value = np.asarray(array)
        self.element = t.from_numpy(value.dtype) if dtype is None else element_type(dtype)
        self.array = value.astype(t.to_numpy(self.element), copy=False)
        if self.element is t.bf16:
            self.array = round_to_bfloat16(self.array)
        self.dims = self.array.shape

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as an array (the tensor's own: do not write into it)."""
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.array if dtype is None else self.array.astype(dtype, copy=False)
        return array.copy() if copy else array

    def item(self) -> Any:
        """The only element, as a Python number."""
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def __bool__(self) -> bool:
        return bool(self.array)

    def __int__(self) -> int:
        return int(self.array)

    def __index__(self) -> int:
        return int(self.array.__index__())

    def __float__(self) -> float:
        return float(self.array)

    def __format__(self, spec: str) -> str:
        return format(self.array.item() if self.array.size == 1 and spec else self.array, spec)

    def __repr__(self) -> str:
        return f"tensor({np.array2string(self.array, separator=', ', prefix='tensor(')}, dtype={self.dtype})"


def round_to_bfloat16(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 values rounded to the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(array), array, rounded.view(np.float32)).astype(np.float32).reshape(np.shape(array))


def shape_text(dims: tuple[Dim, ...] | tuple[int | None, ...]) -> str:
    """A shape as Keras shows it: (None, 784)."""
    return str(tuple(None if isinstance(d, SymbolicDim) else d for d in dims))


def broadcast_dims(*shapes: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The shape that all `shapes` broadcast to, by NumPy's rule; raises ShapeError where they do not fit."""
    rank = max(len(s) for s in shapes)
    out: list[Dim] = []
    for i in range(rank):
        size: Dim = 1
        for shape in shapes:
            dim = shape[i - rank + len(shape)] if i - rank + len(shape) >= 0 else 1
            if dim == 1 or dim == size:
                continue
            if size != 1:
                shown = " and ".join(shape_text(s) for s in shapes)
                raise ShapeError(
                    f"shapes do not broadcast: axis {i - rank} has sizes {size} and {dim}. Received: {shown}"
                )
            size = dim
        out.append(size)
    return tuple(out)
