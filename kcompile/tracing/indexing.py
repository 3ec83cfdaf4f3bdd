"""x[key]: ints, slices, None and ... become slice, reverse and reshape; tensors of integers become gather."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim

from .bind import bind, convert
from .gathering import take_slices
from .tensor import EagerTensor, Tensor


def get_item(x: Any, key: Any) -> Tensor:
    """NumPy's indexing: basic, or by tensors of integers."""
    x = convert(x)
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = [int(k) if isinstance(k, np.integer) else k for k in keys]
    if any(not (k is None or k is Ellipsis or isinstance(k, slice) or type(k) is int) for k in keys):
        return _by_array(x, keys)
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > x.ndim:
        raise ShapeError(f"too many indices: the tensor has shape {x.shape}. Received: {key!r}")
    if keys.count(Ellipsis) > 1:
        raise ShapeError(f"an index has at most one '...'. Received: {key!r}")
    if Ellipsis not in keys:
        keys.append(Ellipsis)
    at = keys.index(Ellipsis)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    return _basic(x, keys)


def _basic(x: Tensor, keys: list[Any]) -> Tensor:
    start, limit, strides, reverse = [], [], [], []
    shape: list[Dim] = []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        size = x.dims[axis]
        if isinstance(k, slice):
            lo, hi, step = _bounds(k, size)
            if step < 0:
                reverse.append(axis)
            start.append(lo)
            limit.append(hi)
            strides.append(abs(step))
            count = size if hi is size and lo == 0 and abs(step) == 1 else -(-(hi - lo) // abs(step))  # type: ignore[operator]
            shape.append(count)
        else:
            if not isinstance(size, int):
                if k < 0:
                    raise UnsupportedError(f"axis {axis} has a symbolic size; index it from its start. Received: {k}")
            elif not -size <= k < size:
                raise ShapeError(f"index {k} is out of range for axis {axis} of size {size}")
            place: Any = k + size if k < 0 else k
            start.append(place)
            limit.append(place + 1)
            strides.append(1)
        axis += 1
    if any(lo != 0 or hi != size or step != 1 for lo, hi, step, size in zip(start, limit, strides, x.dims)):
        x = bind("slice", x, start=tuple(start), limit=tuple(limit), strides=tuple(strides))
    if reverse:
        x = bind("reverse", x, axes=tuple(reverse))
    return x if x.dims == tuple(shape) else bind("reshape", x, shape=tuple(shape))


def _bounds(k: slice, size: Dim) -> tuple[int, Any, int]:
    """First element, one past the last, and step; a negative step gives the same elements in rising order."""
    if isinstance(size, int):
        lo, hi, step = k.indices(size)
        if step > 0:
            return lo, max(lo, hi), step
        count = max(0, -(-(lo - hi) // -step))
        return (lo + (count - 1) * step if count else 0), (lo + 1 if count else 0), step
    whole = k.start in (None, 0) and k.stop is None
    if whole and k.step in (None, 1, -1):
        return 0, size, k.step or 1
    raise UnsupportedError(f"an axis of symbolic size is taken whole or by one index. Received: {k}")


def _by_array(x: Tensor, keys: list[Any]) -> Tensor:
    """Indices that are tensors stand side by side, maybe with numbers; slices are taken first."""
    values = [k.__kcompile_tensor__() if hasattr(k, "__kcompile_tensor__") else k for k in keys]
    if isinstance(x, EagerTensor) and all(not isinstance(k, Tensor) or isinstance(k, EagerTensor) for k in values):
        try:
            return EagerTensor(x.array[tuple(k.array if isinstance(k, EagerTensor) else k for k in values)], x.element)
        except IndexError as error:
            raise ShapeError(f"{error}. Received: an index into a tensor of shape {x.shape}") from None
    if not any(k is Ellipsis for k in values):
        values.append(Ellipsis)
    at = next(i for i, k in enumerate(values) if k is Ellipsis)
    values[at : at + 1] = [slice(None)] * (x.ndim - len(values) + 1)
    fixed = [i for i, k in enumerate(values) if not isinstance(k, slice)]
    arrays = [values[i] for i in fixed]
    whole = fixed == list(range(fixed[0], fixed[0] + len(fixed)))
    tensors = [convert(k) for k in arrays if k is not None]
    if not whole or None in values or len(values) > x.ndim or any(k.element is t.i1 for k in tensors):
        raise UnsupportedError(
            "indices that are tensors stand side by side, hold numbers and leave no axis out in compiled code. "
            f"Received: an index of {[type(k).__name__ for k in keys]} into a tensor of shape {x.shape}"
        )
    cut = _basic(x, [slice(None) if i in fixed else k for i, k in enumerate(values)])
    return take_slices(cut, tensors, fixed[0])
