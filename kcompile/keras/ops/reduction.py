"""keras.ops: sums, means, extremes along axes."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim, product
from kcompile.tracing import arithmetic
from kcompile.tracing.bind import bind, broadcast_to, cast, constant, convert, floating
from kcompile.tracing.tensor import Tensor

from .operation_class import operation


def standardize_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as sorted numbers from 0; None is all."""
    if axis is None:
        return tuple(range(rank))
    axes = [axis] if isinstance(axis, int) else list(axis)
    for a in axes:
        if not -rank <= a < rank:
            raise ShapeError(f"axis {a} is out of range for a tensor of {rank} axes")
    return tuple(sorted({a % rank for a in axes}))


def reduce(kind: str, x: Tensor, axis: Any, keepdims: bool, constant: bool = False) -> Any:
    """graph.reduce, and the reduced axes put back as 1 with `keepdims`. `constant`: gradients do not pass."""
    axes = standardize_axes(axis, x.ndim)
    out = bind("reduce", x, axes=axes, kind=kind) if axes else x
    if constant:
        out = bind("stop_gradient", out)
    return _keep(out, x.dims, axes) if keepdims else out


def _keep(out: Tensor, dims: tuple[Dim, ...], axes: tuple[int, ...]) -> Tensor:
    return bind("reshape", out, shape=tuple(1 if i in axes else d for i, d in enumerate(dims)))


def count_of(x: Tensor, axes: tuple[int, ...], element: t.Type) -> Any:
    """How many elements are reduced together: a number, or a scalar tensor where a size is symbolic."""
    known = float(product([x.dims[a] for a in axes if isinstance(x.dims[a], int)]))  # type: ignore[arg-type]
    symbolic = tuple(x.dims[a] for a in axes if isinstance(x.dims[a], SymbolicDim))
    if not symbolic:
        return known
    ones = broadcast_to(constant(1, element), symbolic)
    rows = bind("reduce", ones, axes=tuple(range(len(symbolic))), kind="add")
    return rows if known == 1 else arithmetic.multiply(rows, known)


def _summable(x: Any) -> Tensor:
    """As Keras sums: bool and small integers are summed in int32 (or uint32)."""
    x = convert(x)
    if x.dtype in ("bool", "int8", "int16"):
        return cast(x, "int32")
    return cast(x, "uint32") if x.dtype in ("uint8", "uint16") else x


@operation("numpy.Sum", "axis keepdims")
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum along `axis` (a number, several, or None for all)."""
    return reduce("add", _summable(x), axis, keepdims)


@operation("numpy.Prod", "axis keepdims dtype")
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product along `axis`."""
    return reduce("mul", _summable(x) if dtype is None else cast(x, dtype), axis, keepdims)


@operation("numpy.Max", "axis keepdims initial")
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest along `axis`."""
    out = reduce("max", convert(x), axis, keepdims)
    return out if initial is None else bind("max", out, broadcast_to(constant(initial, out.element), out.dims))


@operation("numpy.Min", "axis keepdims initial")
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest along `axis`."""
    out = reduce("min", convert(x), axis, keepdims)
    return out if initial is None else bind("min", out, broadcast_to(constant(initial, out.element), out.dims))


@operation("numpy.Amax", "axis keepdims")
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest along `axis`."""
    return reduce("max", convert(x), axis, keepdims)


@operation("numpy.Amin", "axis keepdims")
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest along `axis`."""
    return reduce("min", convert(x), axis, keepdims)


@operation("numpy.All", "axis keepdims")
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all are true along `axis`."""
    return reduce("and", cast(x, t.i1), axis, keepdims)


@operation("numpy.Any", "axis keepdims")
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any is true along `axis`."""
    return reduce("or", cast(x, t.i1), axis, keepdims)


@operation("numpy.Mean", "axis keepdims")
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along `axis`; of integers as floats. float16 and bfloat16 are summed in float32."""
    x = floating(x)
    narrow = x.dtype in ("float16", "bfloat16")
    wide = cast(x, "float32") if narrow else x
    axes = standardize_axes(axis, x.ndim)
    out = arithmetic.true_divide(reduce("add", wide, axes, keepdims), count_of(wide, axes, wide.element))
    return cast(out, x.dtype) if narrow else out


@operation("numpy.Average", "axis")
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean along `axis`, weighted."""
    if weights is None:
        return mean(x, axis)
    x, weights = floating(x), convert(weights)
    if weights.ndim == 1 and x.ndim > 1 and isinstance(axis, int):
        weights = bind("reshape", weights, shape=tuple(d if i == axis % x.ndim else 1 for i, d in enumerate(x.dims)))
    total = sum(arithmetic.multiply(x, weights), axis)
    return arithmetic.true_divide(total, sum(broadcast_to(cast(weights, x.dtype), x.dims), axis))


@operation("numpy.Var", "axis keepdims")
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean squared distance from the mean along `axis`."""
    x = floating(x)
    narrow = x.dtype in ("float16", "bfloat16")
    wide = cast(x, "float32") if narrow else x
    # the gradient through the mean is zero: distances from it add up to nothing
    centered = arithmetic.subtract(wide, bind("stop_gradient", mean(wide, axis, True)))
    out = mean(arithmetic.multiply(centered, centered), axis, keepdims)
    return cast(out, x.dtype) if narrow else out


@operation("numpy.Std", "axis keepdims")
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The square root of the variance along `axis`."""
    return bind("sqrt", var(x, axis, keepdims))


@operation("nn.Moments", "axes keepdims synchronized")
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """(mean, variance) along `axes`."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@operation("math.Logsumexp", "axis keepdims")
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(e^x)) along `axis`, without overflow."""
    x = floating(x)
    axes = standardize_axes(axis, x.ndim)
    peak = reduce("max", x, axes, True, constant=True)
    # an infinite peak would give inf - inf
    peak = bind("select", bind("is_finite", peak), peak, arithmetic.zeros_of(peak))
    total = bind("log", reduce("add", bind("exp", arithmetic.subtract(x, peak)), axes, True))
    out = arithmetic.add(total, peak)
    return out if keepdims else bind("reshape", out, shape=tuple(d for i, d in enumerate(x.dims) if i not in axes))


def _arg_reduce(kind: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x = convert(x)
    if x.element is t.i1:
        x = cast(x, "int32")
    rank = x.ndim
    if axis is None:
        x, place = bind("reshape", x, shape=(product(x.dims),)), 0
    else:
        (place,) = standardize_axes(axis, rank)
    out = bind("arg_reduce", x, axis=place, kind=kind, dtype=t.i32)
    if not keepdims:
        return out
    return _keep(out, x.dims, (place,)) if axis is not None else bind("reshape", out, shape=(1,) * rank)


@operation("numpy.Argmax", "axis keepdims")
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the largest along `axis`, the first of equals (int32)."""
    return _arg_reduce("max", x, axis, keepdims)


@operation("numpy.Argmin", "axis keepdims")
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the smallest along `axis`, the first of equals (int32)."""
    return _arg_reduce("min", x, axis, keepdims)


@operation("numpy.CountNonzero", "axis")
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many elements are not 0 along `axis` (int32)."""
    return reduce("add", cast(cast(x, t.i1), "int32"), axis, False)


@operation("linalg.Norm", "ord axis keepdims")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors along `axis`: `ord` 2 (or None), 1, or inf."""
    from kcompile.errors import UnsupportedError

    x = floating(x)
    if ord in (None, 2, "fro", "euclidean"):
        return bind("sqrt", reduce("add", arithmetic.multiply(x, x), axis, keepdims))
    if ord == 1 and (axis is None or isinstance(axis, int)):
        return reduce("add", bind("abs", x), axis, keepdims)
    if ord == float("inf") and (axis is None or isinstance(axis, int)):
        return reduce("max", bind("abs", x), axis, keepdims)
    raise UnsupportedError(f"ops.norm supports ord None, 1, 2 and inf along one axis. Received: ord={ord}, axis={axis}")
