"""Reductions over moving windows (pooling), and the gradient of the largest in each window."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kcompile.errors import ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, Type

from .convolution import window_size
from .dialect import (
    NOT_DIFFERENTIABLE,
    Array,
    check_choice,
    check_least,
    check_lengths,
    count_windows,
    dilated,
    floating,
    graph,
    tensor,
)
from .reduction import check_kind, element_from_array, identity
from .sampling import FLOATS, NUMBERS, Case, Rng, Samples, case, distinct, integers, values
from .shape import Pad
from .tolerance import Tolerance, accumulated

Ints = tuple[int, ...]
KINDS = ("add", "max", "min")


def _window_attributes(rng: Rng, dilation: bool) -> tuple[tuple[int, ...], dict[str, Any]]:
    rank = int(rng.integers(1, 4))
    window = integers(rng, 1, 4, rank)
    attrs = {"window": window, "strides": integers(rng, 1, 4, rank)}
    # padding stays below the window, so that each window meets an element
    attrs["padding_low"] = tuple(int(rng.integers(0, w)) for w in window)
    attrs["padding_high"] = tuple(int(rng.integers(0, w)) for w in window)
    if dilation:
        attrs["window_dilation"] = integers(rng, 1, 3, rank)
    return integers(rng, 3, 8, rank), attrs


def _reduce_window_case(rng: Rng, element: Type) -> Case:
    shape, attrs = _window_attributes(rng, rng.random() < 0.3)
    return case(element, values(rng, shape, element), **attrs, kind=KINDS[int(rng.integers(3))])


def _padded_views(
    x: Array, fill: Any, window: Ints, strides: Ints, padding_low: Ints, padding_high: Ints, dilation: Ints
) -> Array:
    """All windows of padded x: (out..., window...)."""
    assert Pad.reference is not None
    padded = Pad.reference(x, np.asarray(fill, x.dtype), low=padding_low, high=padding_high, interior=(0,) * x.ndim)
    reach = [dilated(w, d) for w, d in zip(window, dilation, strict=True)]
    if any(r > n for r, n in zip(reach, padded.shape, strict=True)):
        out = [count_windows(n, r, s) for n, r, s in zip(padded.shape, reach, strides, strict=True)]
        return np.empty((*out, *window), x.dtype)
    views = sliding_window_view(padded, reach)
    return views[tuple(slice(None, None, s) for s in strides) + tuple(slice(None, None, d) for d in dilation)]


@graph.op("reduce_window", ins="x")
class ReduceWindow:
    """The elements of each window of x combined by `kind` (add max min). Attributes have one entry for each dim of x.

    x is padded (or cropped, where negative) by padding_low and padding_high with what changes nothing (0, -inf, inf);
    windows move by strides, their elements are window_dilation apart. f16 and bf16 are added in f32 and rounded once.
    """

    def infer(
        x: Type,
        *,
        window: Ints,
        strides: Ints,
        padding_low: tuple[Dim, ...],
        padding_high: tuple[Dim, ...],
        kind: str,
        window_dilation: Ints = (),
    ) -> TensorType:
        source = tensor(x)
        check_kind(kind, source, KINDS)
        dilation = window_dilation or (1,) * source.rank
        lists = {"window": window, "strides": strides, "window_dilation": dilation}
        check_lengths(source.rank, **lists, padding_low=padding_low, padding_high=padding_high)
        check_least(1, **lists)
        dims = [
            window_size(n, w, lo, hi, s, d, f"dim {i}")
            for i, (n, w, lo, hi, s, d) in enumerate(
                zip(source.shape, window, padding_low, padding_high, strides, dilation, strict=True)
            )
        ]
        return TensorType(tuple(dims), source.element)

    def reference(
        x: Array,
        *,
        window: Ints,
        strides: Ints,
        padding_low: Ints,
        padding_high: Ints,
        kind: str,
        window_dilation: Ints = (),
    ) -> Array:
        dilation = window_dilation or (1,) * x.ndim
        fill = identity(kind, element_from_array(x))
        views = _padded_views(x, fill, window, strides, padding_low, padding_high, dilation)
        axes = tuple(range(x.ndim, 2 * x.ndim))
        if kind == "add":
            return np.asarray(np.add.reduce(views, axes, np.float32 if x.dtype == np.float16 else x.dtype)).astype(
                x.dtype
            )
        return np.asarray((np.maximum if kind == "max" else np.minimum).reduce(views, axes))

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x = op.operands[0]
        shape, out = t.shape_of(x.type), t.shape_of(ct.type)
        window, strides, low = op["window"], op["strides"], op["padding_low"]
        dilation = op.get("window_dilation") or (1,) * len(shape)
        if op["kind"] != "add":
            if any(d > 1 for d in dilation):
                raise UnsupportedError(
                    "the gradient of a maximum or minimum over dilated windows is not written; use dilation 1",
                    str(op.location),
                )
            names = ("window", "strides", "padding_low", "padding_high", "kind")
            return [b.reduce_window_grad(x, ct, **{name: op[name] for name in names})]
        # each element receives the ct of every window that held it: a sum over reversed windows of spread ct
        before, after = [], []
        for n, o, w, s, d, p in zip(shape, out, window, strides, dilation, low, strict=True):
            reach, spread = dilated(w, d), dilated(o, s)
            before.append(reach - 1 - p)
            after.append(n - spread + p)
        zero = b.constant(0.0, t.element_of(ct.type))
        spread = b.pad(ct, zero, low=tuple(before), high=tuple(after), interior=tuple(s - 1 for s in strides))
        zeros = (0,) * len(shape)
        return [
            b.reduce_window(
                spread, window=window, strides=(1,) * len(shape), padding_low=zeros, padding_high=zeros, kind="add",
                window_dilation=dilation,
            )
        ]  # fmt: skip

    lower = "window"
    stablehlo = "stablehlo.reduce_window"
    samples = Samples(NUMBERS, _reduce_window_case)
    tolerance = accumulated


def _window_grad_case(rng: Rng, element: Type) -> Case:
    shape, attrs = _window_attributes(rng, False)
    x = distinct(rng, shape, element) if rng.random() < 0.5 else values(rng, shape, element)
    lists = zip(shape, *(attrs[k] for k in ("window", "padding_low", "padding_high", "strides")), strict=True)
    out = tuple(int(window_size(n, w, lo, hi, s, 1, "dim")) for n, w, lo, hi, s in lists)  # type: ignore[arg-type]
    return case(element, x, values(rng, out, element), **attrs, kind=("max", "min")[int(rng.integers(2))])


@graph.op("reduce_window_grad", ins="x ct")
class ReduceWindowGrad:
    """The gradient of reduce_window with `kind` max or min: ct is added where each window's first extreme is.

    The windows are those of reduce_window with the same attributes; ct has the shape of its result, the result that of
    x. The first one in row-major order wins a tie. Sums are rounded to the element type at each step.
    """

    def infer(
        x: Type,
        ct: Type,
        *,
        window: Ints,
        strides: Ints,
        padding_low: tuple[Dim, ...],
        padding_high: tuple[Dim, ...],
        kind: str,
    ) -> TensorType:
        source = floating(x)
        check_choice("kind", kind, ("max", "min"))
        assert ReduceWindow.infer is not None
        windows = ReduceWindow.infer(
            x, window=window, strides=strides, padding_low=padding_low, padding_high=padding_high, kind=kind
        )
        if ct is not windows:
            raise ShapeError(f"needs a cotangent of type {windows}, the windows of {source}. Received: {ct}")
        return source

    def reference(
        x: Array, ct: Array, *, window: Ints, strides: Ints, padding_low: Ints, padding_high: Ints, kind: str
    ) -> Array:
        if ct.size == 0:
            return np.zeros_like(x)
        fill = identity(kind, element_from_array(x))
        flat = np.arange(x.size).reshape(x.shape)
        ones = (1,) * x.ndim
        args = (window, strides, padding_low, padding_high, ones)
        views = _padded_views(x, fill, *args).reshape(*ct.shape, -1)
        places = _padded_views(flat, -1, *args).reshape(*ct.shape, -1)
        inside = places >= 0
        # where all elements are -inf the first that is not padding is taken
        found = views == (views.max(-1) if kind == "max" else views.min(-1))[..., None]
        found = np.where(np.isnan(views).any(-1, keepdims=True), np.isnan(views), found) & inside
        first = np.take_along_axis(places, np.argmax(found, -1)[..., None], -1)[..., 0]
        total = np.zeros(x.size, x.dtype)
        hit = first >= 0
        np.add.at(total, first[hit], ct[hit])
        return total.reshape(x.shape)

    vjp = NOT_DIFFERENTIABLE
    lower = "window"
    stablehlo = "stablehlo.select_and_scatter"
    samples = Samples(FLOATS, _window_grad_case)
    tolerance = Tolerance(accumulates=True, narrow=True, addends=(1,))
