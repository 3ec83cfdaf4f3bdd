"""keras.ops: shapes, axes, joining and splitting."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim, divide, product
from kcompile.tracing import arithmetic
from kcompile.tracing.bind import bind, broadcast_to, constant, convert, promote
from kcompile.tracing.indexing import get_item as index_tensor
from kcompile.tracing.tensor import Tensor, shape_text

from .operation_class import operation


def resolve_shape(dims: tuple[Dim, ...], newshape: Any) -> tuple[Dim, ...]:
    """`newshape` with its one -1 (or None) filled in for a tensor of `dims`."""
    wanted = [newshape] if isinstance(newshape, int | SymbolicDim) else list(newshape)
    wanted = [d if d is None or isinstance(d, SymbolicDim) else int(d) for d in wanted]
    free = [i for i, d in enumerate(wanted) if d is None or d == -1]
    total = product(dims)
    if len(free) > 1:
        # several None: those that stand where the tensor has its symbols are these symbols
        for i in free[:]:
            if wanted[i] is None and i < len(dims) and isinstance(dims[i], SymbolicDim) and len(free) > 1:
                wanted[i] = dims[i]
                free.remove(i)
    if len(free) > 1:
        raise ShapeError(f"a new shape has at most one free axis (-1). Received: {tuple(newshape)}")
    known = product([d for i, d in enumerate(wanted) if i not in free])  # type: ignore[misc]
    if free:
        quotient = _quotient(total, known)
        if quotient is None:
            raise ShapeError(f"a tensor of shape {shape_text(dims)} does not reshape to {tuple(newshape)}")
        wanted[free[0]] = quotient
    elif known != total:
        raise ShapeError(f"a tensor of shape {shape_text(dims)} does not reshape to {tuple(newshape)}")
    return tuple(wanted)  # type: ignore[arg-type]


def _quotient(total: Dim, known: Dim) -> Dim | None:
    if isinstance(total, int) and isinstance(known, int):
        return total // known if known and total % known == 0 else 0 if total == 0 else None
    return divide(total, known)


@operation("numpy.Reshape", "newshape")
def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in another shape; one axis may be -1."""
    x = convert(x)
    dims = resolve_shape(x.dims, newshape)
    return x if dims == x.dims else bind("reshape", x, shape=dims)


@operation("numpy.Ravel")
def ravel(x: Any) -> Any:
    """All elements in one axis."""
    x = convert(x)
    return bind("reshape", x, shape=(product(x.dims),))


@operation("numpy.Transpose", "axes")
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order; reversed by default."""
    x = convert(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(a % x.ndim for a in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"axes must name each of the {x.ndim} axes once. Received: axes={axes}")
    return x if order == tuple(range(x.ndim)) else bind("transpose", x, permutation=order)


@operation("numpy.Swapaxes", "axis1 axis2")
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    x = convert(x)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return bind("transpose", x, permutation=tuple(order))


@operation("numpy.Moveaxis", "source destination")
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the rest in their order."""
    x = convert(x)
    sources = [a % x.ndim for a in ([source] if isinstance(source, int) else source)]
    places = [a % x.ndim for a in ([destination] if isinstance(destination, int) else destination)]
    order = [a for a in range(x.ndim) if a not in sources]
    for place, a in sorted(zip(places, sources)):
        order.insert(place, a)
    return bind("transpose", x, permutation=tuple(order))


@operation("numpy.ExpandDims", "axis")
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of 1 at these places of the result."""
    x = convert(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = x.ndim + len(axes)
    if any(not -rank <= a < rank for a in axes):
        raise ShapeError(f"axis is out of range for {rank} axes. Received: axis={axis} for shape {x.shape}")
    places = {a % rank for a in axes}
    old = iter(x.dims)
    return bind("reshape", x, shape=tuple(1 if i in places else next(old) for i in range(rank)))


@operation("numpy.Squeeze", "axis")
def squeeze(x: Any, axis: Any = None) -> Any:
    """Without these axes of 1 (without all by default)."""
    x = convert(x)
    if axis is None:
        axes = {i for i, d in enumerate(x.dims) if d == 1}
    else:
        axes = {a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)}
        if any(x.dims[a] != 1 for a in axes):
            raise ShapeError(f"only axes of size 1 are squeezed. Received: axis={axis} for shape {x.shape}")
    return bind("reshape", x, shape=tuple(d for i, d in enumerate(x.dims) if i not in axes))


@operation("numpy.BroadcastTo", "shape")
def broadcast_to_(x: Any, shape: Any) -> Any:
    """The tensor repeated along axes of 1 to fill `shape`."""
    x = convert(x)
    shape = tuple(shape)
    pad = len(shape) - x.ndim
    dims = tuple(x.dims[i - pad] if d in (None, -1) and i >= pad else d for i, d in enumerate(shape))
    return broadcast_to(x, dims)


@operation("numpy.Flip", "axis")
def flip(x: Any, axis: Any = None) -> Any:
    """Reversed along `axis` (all by default)."""
    x = convert(x)
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)]
    return bind("reverse", x, axes=tuple(axes))


@operation("numpy.Concatenate", "axis")
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Joined along an axis; all other axes must agree."""
    tensors = promote(*xs)
    if len(tensors) == 1:
        return tensors[0]
    rank = tensors[0].ndim
    if any(x.ndim != rank for x in tensors) or not -rank <= axis < rank:
        raise ShapeError(
            f"concatenate needs tensors of one rank with that axis. Received: {[x.shape for x in tensors]}, axis={axis}"
        )
    place = axis % rank
    for x in tensors[1:]:
        if any(a != b for i, (a, b) in enumerate(zip(x.dims, tensors[0].dims)) if i != place):
            raise ShapeError(f"concatenate needs equal sizes off axis {axis}. Received: {[x.shape for x in tensors]}")
    return bind("concatenate", *tensors, axis=place)


@operation("numpy.Stack", "axis")
def stack(x: Any, axis: int = 0) -> Any:
    """Joined along a new axis."""
    tensors = promote(*x)
    rank = tensors[0].ndim + 1
    if any(y.dims != tensors[0].dims for y in tensors):
        raise ShapeError(f"stack needs equal shapes. Received: {[y.shape for y in tensors]}")
    return concatenate([expand_dims(y, axis % rank) for y in tensors], axis % rank)


def hstack(xs: Any) -> Any:
    """Joined along axis 1 (axis 0 for rank 1)."""
    return concatenate(
        xs, 0 if len(convert(xs[0]).dims if not getattr(xs[0], "is_symbolic", False) else xs[0].dims) == 1 else 1
    )


def vstack(xs: Any) -> Any:
    """Joined along axis 0; vectors become rows first."""
    return concatenate([expand_dims(x, 0) if len(x.shape) == 1 else x for x in xs], 0)


@operation("numpy.Split", "indices_or_sections axis")
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of parts: so many equal ones, or cut at these indices."""
    x = convert(x)
    place = axis % x.ndim
    size = x.dims[place]
    if isinstance(indices_or_sections, int):
        if not isinstance(size, int) or size % indices_or_sections:
            raise ShapeError(f"axis {axis} of size {size} does not split into {indices_or_sections} equal parts")
        step = size // indices_or_sections
        cuts = [step * i for i in range(1, indices_or_sections)]
    else:
        cuts = [int(i) for i in indices_or_sections]
    if not isinstance(size, int):
        raise UnsupportedError(f"split needs an axis of known size. Received: axis={axis} of shape {x.shape}")
    bounds = [0, *[min(c if c >= 0 else c + size, size) for c in cuts], size]
    key: list[Any] = [slice(None)] * x.ndim
    parts = []
    for lo, hi in itertools.pairwise(bounds):
        key[place] = slice(lo, max(lo, hi))
        parts.append(index_tensor(x, tuple(key)))
    return parts


@operation("core.Unstack", "num axis")
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """A list of the slices along `axis`, without that axis."""
    x = convert(x)
    size = x.dims[axis % x.ndim]
    if not isinstance(size, int):
        raise UnsupportedError(f"unstack needs an axis of known size. Received: axis={axis} of shape {x.shape}")
    return [squeeze(part, axis) for part in split(x, size, axis)]


@operation("numpy.Repeat", "repeats axis")
def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Each element `repeats` times along `axis`."""
    x = convert(x)
    if not isinstance(repeats, int):
        raise UnsupportedError(f"repeat takes one number for all elements. Received: repeats={repeats}")
    if axis is None:
        x, axis = ravel(x), 0
    return repeat_elements(x, [repeats if i == axis % x.ndim else 1 for i in range(x.ndim)])


def repeat_elements(x: Tensor, repeats: Sequence[int]) -> Tensor:
    """Each element `repeats[i]` times along axis i, in one movement of data."""
    shape: list[Any] = []
    places = []
    for size, count in zip(x.dims, repeats, strict=True):
        places.append(len(shape))
        shape += [size] if count == 1 else [size, count]
    wide = bind("broadcast_in_dim", x, shape=tuple(shape), dims=tuple(places))
    return bind("reshape", wide, shape=tuple(size * count for size, count in zip(x.dims, repeats, strict=True)))


@operation("numpy.Tile", "repeats")
def tile(x: Any, repeats: Any) -> Any:
    """The whole tensor repeated so many times along each axis."""
    x = convert(x)
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = max(len(counts), x.ndim)
    counts = [1] * (rank - len(counts)) + counts
    dims = (1,) * (rank - x.ndim) + x.dims
    wide = bind("broadcast_in_dim", x, shape=tuple(d for pair in zip(counts, dims) for d in pair),
                dims=tuple(2 * (i + rank - x.ndim) + 1 for i in range(x.ndim)))  # fmt: skip
    return bind("reshape", wide, shape=tuple(c * d for c, d in zip(counts, dims)))


@operation("numpy.Pad", "pad_width mode")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Values added around: `pad_width` is a number, (before, after), or such a pair per axis."""
    x = convert(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant":
        fill = constant(0 if constant_values is None else constant_values, x.element)
        before, after = tuple(w[0] for w in widths), tuple(w[1] for w in widths)
        return bind("pad", x, fill, low=before, high=after, interior=(0,) * x.ndim)
    if constant_values is not None:
        raise ArgumentError(f"constant_values goes with mode='constant' only. Received: mode={mode!r}")
    if mode not in ("reflect", "symmetric"):
        raise UnsupportedError(f"pad supports the modes constant, reflect and symmetric. Received: mode={mode!r}")
    for axis, (low, high) in enumerate(widths):
        x = _mirror(x, axis, low, high, 1 if mode == "reflect" else 0)
    return x


def _pad_widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, int):
        return [(pad_width, pad_width)] * rank
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in pad_width]
    if len(pad_width) == 2 and all(isinstance(p, int) for p in pad_width):
        return [(pad_width[0], pad_width[1])] * rank
    if len(pairs) == 1:
        pairs = pairs * rank
    if len(pairs) != rank or any(len(p) != 2 for p in pairs):
        raise ShapeError(f"pad_width needs one (before, after) pair for each of the {rank} axes. Received: {pad_width}")
    return pairs  # type: ignore[return-value]


def _mirror(x: Tensor, axis: int, low: int, high: int, skip: int) -> Any:
    size = x.dims[axis]
    if not low and not high:
        return x
    if not isinstance(size, int) or max(low, high) > size - skip:
        raise ShapeError(f"reflection is narrower than the axis. Received: widths {(low, high)} for size {size}")
    head: list[Any] = [slice(None)] * x.ndim
    parts = [x]
    if low:
        head[axis] = slice(skip, skip + low)
        parts.insert(0, flip(index_tensor(x, tuple(head)), axis))
    if high:
        head[axis] = slice(size - skip - high, size - skip)
        parts.append(flip(index_tensor(x, tuple(head)), axis))
    return bind("concatenate", *parts, axis=axis)


@operation("numpy.Roll", "shift axis")
def roll(x: Any, shift: int, axis: int | None = None) -> Any:
    """Elements moved along `axis`, those at the end to the front."""
    x = convert(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.dims)
    size = x.dims[axis % x.ndim]
    if not isinstance(size, int):
        raise UnsupportedError(f"roll needs an axis of known size. Received: axis={axis} of shape {x.shape}")
    cut = -shift % size if size else 0
    return concatenate(split(x, [cut], axis)[::-1], axis) if cut else x


@operation("numpy.GetItem")
def get_item(x: Any, key: Any) -> Any:
    """x[key]; a list is taken as a tuple, which is what files hold."""
    return index_tensor(x, tuple(key) if isinstance(key, list) else key)


@operation("core.Slice", "shape")
def slice_(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of `shape` that begins at `start_indices` (known numbers)."""
    x = convert(inputs)
    keys = tuple(slice(int(lo), int(lo) + int(n)) for lo, n in zip(start_indices, shape))
    return index_tensor(x, keys)


@operation("numpy.Tril", "k")
def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle, 0 above diagonal `k`."""
    return _triangle(convert(x), k, "ge")


@operation("numpy.Triu", "k")
def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle, 0 below diagonal `k`."""
    return _triangle(convert(x), k, "le")


def _triangle(x: Tensor, k: int, direction: str) -> Any:
    row = bind("iota", shape=x.dims, axis=x.ndim - 2, dtype=t.i32)
    column = bind("iota", shape=x.dims, axis=x.ndim - 1, dtype=t.i32)
    keep = bind("compare", arithmetic.add(row, k), column, direction=direction)
    return bind("select", keep, x, arithmetic.zeros_of(x))


@operation("numpy.Diagonal", "offset axis1 axis2")
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements where both axes have equal indices."""
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.dims[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise UnsupportedError(f"diagonal needs axes of known size. Received: shape {x.shape}")
    top, left = max(0, -offset), max(0, offset)
    count = max(0, min(rows - top, columns - left))
    x = index_tensor(x, (..., slice(top, top + count), slice(left, left + count)))
    row = bind("iota", shape=x.dims, axis=x.ndim - 2, dtype=t.i32)
    column = bind("iota", shape=x.dims, axis=x.ndim - 1, dtype=t.i32)
    kept = bind("select", bind("compare", row, column, direction="eq"), x, arithmetic.zeros_of(x))
    return bind("reduce", kept, axes=(x.ndim - 1,), kind="add")
