"""Reads at indices that are tensors: slices of one axis, or of several at once. Negative indices count from the end.

Where values are known an index out of range raises ArgumentError; compiled code takes the nearest element instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim

from . import arithmetic as a
from .bind import bind, broadcast, broadcast_to, cast, constant, convert
from .tensor import EagerTensor, Tensor


def as_indices(x: Any) -> Tensor:
    """`x` as int32, or int64 where it is that (or unsigned with 32 bits or more)."""
    x = convert(x)
    wide = x.element in (t.i64, t.ui64, t.ui32)
    return cast(x, "int64" if wide else "int32")


def from_the_end(indices: Tensor, size: Dim) -> Tensor:
    """`indices` with negative ones counted from the end of an axis of `size`."""
    if not isinstance(size, int):
        return indices  # an axis of symbolic size: its end is not known here
    if isinstance(indices, EagerTensor):
        return EagerTensor(np.where(indices.array < 0, indices.array + size, indices.array), indices.element)
    total = broadcast_to(constant(size, indices.element), indices.dims)
    zero = broadcast_to(constant(0, indices.element), indices.dims)
    return bind("select", a.less(indices, zero), bind("add", indices, total), indices)  # type: ignore[no-any-return]


def as_coordinates(indices: Sequence[Any], sizes: Sequence[Dim]) -> Tensor:
    """One tensor [.., count] of the coordinates along `count` axes; the index tensors are broadcast together."""
    parts = [from_the_end(as_indices(x), n) for x, n in zip(indices, sizes)]
    element = t.i64 if any(p.element is t.i64 for p in parts) else t.i32
    columns = [spread(x, (*x.dims, 1)) for x in broadcast(*[cast(p, element) for p in parts])]
    return columns[0] if len(columns) == 1 else bind("concatenate", *columns, axis=columns[0].ndim - 1)


def spread(x: Tensor, dims: tuple[Dim, ...], first: int = 0) -> Tensor:
    """`x` in a tensor of shape `dims`, its axes from number `first` on."""
    return bind("broadcast_in_dim", x, shape=dims, dims=tuple(range(first, first + x.ndim)))  # type: ignore[no-any-return]


def take_slices(x: Tensor, indices: Sequence[Any], axis: int) -> Tensor:
    """x[:, .., indices[0], indices[1], .., :]: `indices` stand for the axes from `axis` on, and their axes take that
    place.
    """
    arrays = [convert(i) for i in indices]
    count = len(arrays)
    if isinstance(x, EagerTensor) and all(isinstance(i, EagerTensor) for i in arrays):
        key = tuple(i.array.astype(np.int64) for i in arrays)  # type: ignore[attr-defined]
        try:
            return EagerTensor(x.array[(*[slice(None)] * axis, *key)], x.element)
        except IndexError as error:
            raise ArgumentError(f"{error}. Received: indices into axis {axis} of a tensor of shape {x.shape}") from None
    at = as_coordinates(arrays, x.dims[axis : axis + count])
    lead = x.dims[:axis]
    if lead:  # the same places for everything before the axis
        at = spread(at, (*lead, *at.dims), len(lead))
    return bind(  # type: ignore[no-any-return]
        "gather", x, at, axes=tuple(range(axis, axis + count)), batch_axes=tuple(range(axis)), clamp=True
    )


def take_along(x: Tensor, indices: Any, axis: int) -> Tensor:
    """Elements along one axis, at indices of their own for each place of the other axes."""
    at = convert(indices)
    others = tuple(i for i in range(x.ndim) if i != axis)
    dims = [n if i == axis or at.dims[i] == 1 else at.dims[i] for i, n in enumerate(x.dims)]
    x = broadcast_to(x, tuple(dims))
    at = broadcast_to(at, tuple(at.dims[i] if i == axis else n for i, n in enumerate(dims)))
    if isinstance(x, EagerTensor) and isinstance(at, EagerTensor):
        try:
            return EagerTensor(np.take_along_axis(x.array, at.array.astype(np.int64), axis), x.element)
        except IndexError as error:
            raise ArgumentError(
                f"{error}. Received: indices along axis {axis} of a tensor of shape {x.shape}"
            ) from None
    order = (*others, axis)
    at = from_the_end(as_indices(at), x.dims[axis])
    at = at if axis == x.ndim - 1 else bind("transpose", at, permutation=order)
    found = bind("gather", x, spread(at, (*at.dims, 1)), axes=(axis,), batch_axes=others, clamp=True)
    if axis == x.ndim - 1:
        return found  # type: ignore[no-any-return]
    back = tuple(order.index(i) for i in range(x.ndim))
    return bind("transpose", found, permutation=back)  # type: ignore[no-any-return]
