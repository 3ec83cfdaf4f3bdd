"""keras.ops: infinities and values that are not numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, cast, convert, floating

from .comparison import where
from .operation_class import operation
from .reduction import max as largest
from .reduction import min as smallest
from .reduction import prod, reduce
from .reduction import sum as total


@operation("numpy.Isneginf")
def isneginf(x: Any) -> Any:
    """Minus infinity."""
    return a.equal(floating(x), -float("inf"))


@operation("numpy.Isposinf")
def isposinf(x: Any) -> Any:
    """Plus infinity."""
    return a.equal(floating(x), float("inf"))


@operation("numpy.NanToNum", "nan posinf neginf")
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers in place of nan and of the infinities (by default the largest finite ones)."""
    x = convert(x)
    if not t.is_float(x.element):
        return x
    limit = 3.3895314e38 if x.dtype == "bfloat16" else float(np.finfo(t.to_numpy(x.element)).max)
    out = where(a.not_equal(x, x), nan, x)
    out = where(a.equal(out, float("inf")), limit if posinf is None else posinf, out)
    return where(a.equal(out, -float("inf")), -limit if neginf is None else neginf, out)


def _filled(x: Any, value: float) -> Any:
    x = floating(x)
    return where(a.not_equal(x, x), value, x)


@operation("numpy.Nansum", "axis keepdims")
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of what is a number."""
    return total(_filled(x, 0.0), axis, keepdims)


@operation("numpy.Nanprod", "axis keepdims")
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of what is a number."""
    return prod(_filled(x, 1.0), axis, keepdims)


@operation("numpy.Nanmean", "axis keepdims")
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of what is a number."""
    x = floating(x)
    count = reduce("add", cast(a.equal(x, x), x.dtype), axis, keepdims)
    return a.true_divide(nansum(x, axis, keepdims), count)


@operation("numpy.Nanvar", "axis keepdims")
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance of what is a number."""
    x = floating(x)
    centered = a.subtract(x, nanmean(x, axis, True))
    return nanmean(a.multiply(centered, centered), axis, keepdims)


@operation("numpy.Nanstd", "axis keepdims")
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation of what is a number."""
    return bind("sqrt", nanvar(x, axis, keepdims))


def _all_missing(x: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    """`out`, and nan where there was no number."""
    return where(reduce("and", a.not_equal(x, x), axis, keepdims), float("nan"), out)


@operation("numpy.Nanmax", "axis keepdims")
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number."""
    x = floating(x)
    return _all_missing(x, largest(_filled(x, -float("inf")), axis, keepdims), axis, keepdims)


@operation("numpy.Nanmin", "axis keepdims")
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest number."""
    x = floating(x)
    return _all_missing(x, smallest(_filled(x, float("inf")), axis, keepdims), axis, keepdims)
