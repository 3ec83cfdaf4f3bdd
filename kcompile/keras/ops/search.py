"""keras.ops: membership, places in sorted sequences, and choices among several."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.ir import types as t
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, cast, convert, promote

from .comparison import where
from .normalization import one_hot
from .operation_class import operation
from .reduction import max as largest
from .reduction import min as smallest
from .reduction import reduce
from .reduction import sum as total
from .shaping import diagonal, expand_dims, flip, ravel, reshape, swapaxes


@operation("math.InTopK", "k")
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the prediction of each target class is among the k largest of its row."""
    scores = convert(predictions)
    own = total(where(one_hot(targets, scores.dims[-1], dtype="bool"), scores, 0.0), axis=-1, keepdims=True)
    above = reduce("add", cast(a.greater(scores, own), "int32"), -1, False)
    finite = bind("is_finite", reshape(own, above.dims))
    return a.logical_and(a.less(above, k), finite)


@operation("nn.MultiHot", "num_classes axis dtype sparse")
def multi_hot(
    inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Any:
    """1 for each class that occurs along the last axis of class indices, else 0."""
    x = convert(inputs)
    codes = one_hot(x, num_classes, axis=axis, dtype=dtype)
    return largest(codes, axis=max(0, x.ndim - 1) if axis == -1 else axis - 1 if x.ndim > 1 else 0) if x.ndim else codes


@operation("numpy.SearchSorted", "side")
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where each value would be inserted into a sorted vector, by counting what stands before it (int32)."""
    if side not in ("left", "right"):
        raise ArgumentError(f"side is 'left' or 'right'. Received: side={side!r}")
    row, v = promote(sorted_sequence, values)
    before = (a.less if side == "left" else a.less_equal)(row, expand_dims(v, -1))
    return reduce("add", cast(before, "int32"), -1, False)


@operation("numpy.Digitize")
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each value is in (int32)."""
    return searchsorted(bins, x, "right")


@operation("numpy.IsIn", "assume_unique invert")
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of x1 occurs in x2."""
    x, among = promote(x1, x2)
    found = reduce("or", a.equal(expand_dims(x, -1), ravel(among)), -1, False)
    return a.logical_not(found) if invert else found


@operation("numpy.Select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The choice of the first condition that holds, else `default`."""
    out = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        out = where(condition, choice, out)
    return out


@operation("numpy.Ptp", "axis keepdims")
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest along `axis`."""
    return a.subtract(largest(x, axis, keepdims), smallest(x, axis, keepdims))


@operation("numpy.Trace", "offset axis1 axis2")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return total(diagonal(convert(x), offset, axis1, axis2), axis=-1)


@operation("numpy.Diag", "k")
def diag(x: Any, k: int = 0) -> Any:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix."""
    x = convert(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ArgumentError(f"diag takes a vector or a matrix. Received: shape {x.shape}")
    size = x.dims[0]
    dims = (size, size)
    row, column = (bind("iota", shape=dims, axis=i, dtype=t.i32) for i in (0, 1))
    square = where(a.equal(row, column), expand_dims(x, 1), a.zeros_of(expand_dims(x, 1)))
    if not k:
        return square
    low, high = (abs(k), 0), (0, abs(k))
    from .shaping import pad

    return pad(square, (high, low) if k > 0 else (low, high))


@operation("numpy.Rot90", "k axes")
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned by 90 degrees k times in the plane of two axes."""
    x = convert(array)
    first, second = axes
    match k % 4:
        case 0:
            return x
        case 1:
            return swapaxes(flip(x, second), first, second)
        case 2:
            return flip(flip(x, first), second)
    return flip(swapaxes(x, first, second), second)


@operation("numpy.Cross", "axisa axisb axisc axis")
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors of 3 along the last axis."""
    x, y = promote(x1, x2)
    if ((axisa, axisb, axisc, axis) != (-1, -1, -1, None) and axis != -1) or x.dims[-1] != 3 or y.dims[-1] != 3:
        raise ArgumentError(f"cross takes vectors of 3 along the last axis. Received: shapes {x.shape} and {y.shape}")
    (a1, a2, a3), (b1, b2, b3) = ([v[..., i] for i in range(3)] for v in (x, y))
    from .shaping import stack

    return stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=-1)


@operation("numpy.Meshgrid", "indexing")
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Vectors as coordinates of a grid: one tensor per vector."""
    from kcompile.tracing.bind import broadcast

    vectors = [convert(v) for v in x]
    count = len(vectors)
    places = list(range(count))
    if indexing == "xy" and count > 1:
        places[0], places[1] = 1, 0
    spread = [reshape(v, tuple(-1 if i == place else 1 for i in range(count))) for v, place in zip(vectors, places)]
    return broadcast(*spread)
