"""keras.ops: new tensors, conversions, and questions about shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.tracing.bind import bind, broadcast_to, constant, convert
from kcompile.tracing.dtypes import element_type, standardize_dtype
from kcompile.tracing.tensor import EagerTensor, Tensor

from ..tensor import KerasTensor
from .operation_class import operation


def _filled(shape: Any, value: Any, element: t.Type) -> Any:
    dims = (shape,) if isinstance(shape, int | SymbolicDim) else tuple(shape)
    return bind("broadcast_in_dim", constant(value, element), shape=dims, dims=())


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros of `shape`."""
    return _filled(shape, 0, element_type(standardize_dtype(dtype)))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones of `shape`."""
    return _filled(shape, 1, element_type(standardize_dtype(dtype)))


def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor of `shape`; its contents are zeros."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` everywhere."""
    fill = convert(fill_value, dtype)
    dims = (shape,) if isinstance(shape, int | SymbolicDim) else tuple(shape)
    if isinstance(fill, EagerTensor) and not fill.dims:
        return _filled(dims, fill.array, fill.element)
    return broadcast_to(fill, dims)


@operation("numpy.ZerosLike", "dtype")
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros of the shape of `x`."""
    return full_like(x, 0, dtype)


@operation("numpy.OnesLike", "dtype")
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones of the shape of `x`."""
    return full_like(x, 1, dtype)


@operation("numpy.FullLike", "dtype")
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` in the shape of `x`."""
    x = convert(x)
    element = x.element if dtype is None else element_type(standardize_dtype(dtype))
    return broadcast_to(convert(fill_value, element), x.dims)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """start, start + step, .. below stop (known numbers)."""
    bounds = [start] if stop is None else [start, stop]
    if dtype is None:
        floats = any(
            isinstance(v, float) or getattr(v, "dtype", "int") in ("float32", "float64") for v in [*bounds, step]
        )
        dtype = standardize_dtype(None) if floats else "int32"
    numbers = [np.asarray(v).item() for v in bounds]
    return EagerTensor(
        np.arange(*numpy_bounds(numbers), 1 if step is None else np.asarray(step).item()), standardize_dtype(dtype)
    )


def numpy_bounds(numbers: list[Any]) -> tuple[Any, Any]:
    """(start, stop) of one or two numbers."""
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` numbers evenly from start to stop (known numbers)."""
    first, last = np.asarray(start, np.float64), np.asarray(stop, np.float64)
    made, step = np.linspace(first, last, num, endpoint=endpoint, retstep=True, axis=axis)
    out = EagerTensor(made, standardize_dtype(dtype))
    return (out, EagerTensor(step, standardize_dtype(dtype))) if retstep else out


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on diagonal `k`, else zeros."""
    return EagerTensor(np.eye(N, M, k), standardize_dtype(dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """Ones on the diagonal."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones at and below diagonal `k`."""
    return EagerTensor(np.tri(N, M, k), standardize_dtype(dtype))


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """`x` (an array, numbers, a variable, a tensor) as a tensor of `dtype`."""
    if isinstance(x, KerasTensor):
        from .elementwise import cast_

        return x if dtype is None or standardize_dtype(dtype) == x.dtype else cast_(x, dtype)
    return convert(x, None if dtype is None else standardize_dtype(dtype))


array = convert_to_tensor


def convert_to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """The values as a NumPy array."""
    return np.array(x if isinstance(x, np.ndarray) else convert(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor (a KerasTensor counts, an array does not)."""
    return isinstance(x, Tensor)


def shape(x: Any) -> tuple[Dim | None, ...]:
    """The sizes: inside a traced call symbolic sizes are symbols, which `reshape`, `zeros` .. accept; of a KerasTensor
    they are None."""
    if isinstance(x, KerasTensor):
        return x.shape
    return convert(x).dims


def size(x: Any) -> Any:
    """The number of elements."""
    from kcompile.ir.dims import product

    return product(convert(x).dims)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape) if hasattr(x, "shape") else convert(x).ndim


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return str(x.dtype) if isinstance(x, KerasTensor) else convert(x).dtype
