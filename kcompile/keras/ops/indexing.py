"""keras.ops: reads and writes at indices."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.ir.dims import Dim
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, broadcast_to, cast, constant, convert
from kcompile.tracing.gathering import as_indices, from_the_end, spread, take_along, take_slices
from kcompile.tracing.tensor import EagerTensor, Tensor

from .operation_class import operation
from .shaping import ravel, reshape


@operation("numpy.Take", "axis")
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at `indices` along `axis`; negative ones count from its end.

    An index out of range raises where values are known, and takes the nearest element in compiled code.
    """
    x, indices = convert(x), convert(indices)
    if axis is None:
        x, axis = ravel(x), 0
    return take_slices(x, [indices], axis % x.ndim)


@operation("numpy.TakeAlongAxis", "axis")
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements along `axis` at indices of their own for each place of the other axes."""
    x, indices = convert(x), convert(indices)
    if axis is None:
        return take_along(ravel(x), ravel(indices), 0)
    if x.ndim != indices.ndim:
        raise ShapeError(
            f"take_along_axis needs indices of the tensor's rank. Received: shapes {x.shape} and {indices.shape}"
        )
    return take_along(x, indices, axis % x.ndim)


@operation("core.Scatter", "shape")
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of `shape` with `values` added at `indices` (.., coordinates); places outside are left out."""
    values = convert(values)
    zeros = broadcast_to(constant(0, values.element), tuple(shape))
    return _scatter(zeros, indices, values, "add")


_KINDS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "mul"}


@operation("core.ScatterUpdate", "reduction")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """`inputs` with `updates` at `indices` (count, coordinates): put there, or combined (add, mul, max, min) with it.

    The last of several for one place is kept; places outside are left out.
    """
    if reduction not in _KINDS:
        raise ArgumentError(f"reduction is one of {list(_KINDS)}. Received: reduction={reduction!r}")
    x = convert(inputs)
    return _scatter(x, indices, cast(updates, x.element), _KINDS[reduction])


def _scatter(x: Tensor, indices: Any, updates: Tensor, kind: str) -> Any:
    at = as_indices(indices)
    count = at.dims[-1] if at.ndim else 0
    if not isinstance(count, int) or not 0 < count <= x.ndim:
        raise ShapeError(
            f"indices end in an axis of 1 to {x.ndim} coordinates. Received: indices of shape {at.shape} into {x.shape}"
        )
    at = _from_the_end(at, x.dims[:count])
    wanted = (*at.dims[:-1], *x.dims[count:])
    updates = broadcast_to(updates, wanted)
    return bind("scatter", x, at, updates, axes=tuple(range(count)), kind=kind, clamp=False)


def _from_the_end(at: Tensor, sizes: tuple[Dim, ...]) -> Tensor:
    """Coordinates [.., count] with negative ones counted from the ends of their axes."""
    if len(sizes) == 1:
        return from_the_end(at, sizes[0])
    if not all(isinstance(n, int) for n in sizes):
        return at
    ends = broadcast_to(cast(EagerTensor(list(sizes), "int64"), at.element), at.dims)
    zero = broadcast_to(constant(0, at.element), at.dims)
    return bind("select", a.less(at, zero), bind("add", at, ends), at)  # type: ignore[no-any-return]


@operation("core.SliceUpdate")
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with a block of `updates` written from `start_indices` on.

    Negative starts count from the end; a block that would reach beyond an axis is moved inside.
    """
    x, block = convert(inputs), convert(updates)
    start = as_indices(start_indices)
    if start.dims != (x.ndim,) or block.ndim != x.ndim:
        raise ShapeError(
            f"slice_update needs a start and an update of rank {x.ndim}. "
            f"Received: start_indices of shape {start.shape}, updates of shape {block.shape}"
        )
    out = cast(block, x.element)
    places = []
    for axis, (n, size) in enumerate(zip(block.dims, x.dims)):
        if not isinstance(size, int) or not isinstance(n, int):
            if n != size:
                raise ShapeError(f"slice_update needs axes of known size, or whole ones. Received: {x.shape}")
            first: Any = constant(0, start.element)
        else:
            first = bind("max", from_the_end(start[axis], size), constant(0, start.element))
            first = bind("min", first, constant(size - n, start.element))
        steps = bind("iota", shape=(n,), axis=0, dtype=start.element)
        row = bind("add", broadcast_to(first, (n,)), steps)
        places.append(spread(row, (*block.dims, 1), axis))
    at = places[0] if len(places) == 1 else bind("concatenate", *places, axis=x.ndim)
    return bind("scatter", x, at, out, axes=tuple(range(x.ndim)), kind="set")


def _segments(data: Any, segment_ids: Any, num_segments: int | None, kind: str, start: Any) -> Any:
    x, ids = convert(data), as_indices(segment_ids)
    if ids.ndim != 1 or not x.ndim or ids.dims[0] != x.dims[0]:
        raise ShapeError(
            f"segment_ids is a vector with a number for each row of data. Received: shapes {ids.shape} and {x.shape}"
        )
    if num_segments is None:
        if not isinstance(ids, EagerTensor):
            raise ArgumentError("in compiled code the number of segments is given: num_segments=...")
        num_segments = int(ids.array.max()) + 1 if ids.array.size else 0
    into = broadcast_to(constant(start, x.element), (num_segments, *x.dims[1:]))
    return bind("scatter", into, reshape(ids, (*ids.dims, 1)), x, axes=(0,), kind=kind, clamp=False)


@operation("math.SegmentSum", "num_segments sorted")
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The sum of the rows of each segment."""
    return _segments(data, segment_ids, num_segments, "add", 0)


@operation("math.SegmentProd", "num_segments sorted")
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The product of the rows of each segment; 1 for an empty one."""
    return _segments(data, segment_ids, num_segments, "mul", 1)


@operation("math.SegmentMin", "num_segments sorted")
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The least of the rows of each segment, element by element; the largest number for an empty one."""
    from kcompile.dialects.graph.reduction import identity

    return _segments(data, segment_ids, num_segments, "min", identity("min", convert(data).element))


@operation("math.SegmentMax", "num_segments sorted")
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest of the rows of each segment, element by element; the least number for an empty one."""
    from kcompile.dialects.graph.reduction import identity

    return _segments(data, segment_ids, num_segments, "max", identity("max", convert(data).element))
