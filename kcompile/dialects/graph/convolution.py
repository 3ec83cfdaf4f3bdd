"""Convolution with any strides, padding, dilations, groups and layouts, closed under its own gradients.

Dimension specs say where dims are, as in StableHLO's dimension numbers: lhs_spec and out_spec are the positions of
(batch, feature, spatial...), rhs_spec those of (out feature, in feature, spatial...). Keras channels_last in 2D:
lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2).
"""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, floor_divide
from kcompile.ir.types import TensorType, Type

from .dialect import (
    Array,
    check_axes,
    check_least,
    check_lengths,
    count_windows,
    dilated,
    graph,
    is_below,
    numeric,
    tensor,
)
from .sampling import FLOATS, Case, Rng, Samples, case, integers, values
from .shape import Pad
from .tolerance import accumulated

Ints = tuple[int, ...]


def window_size(size: Dim, window: Dim, low: Dim, high: Dim, stride: int, dilation: int, what: str) -> Dim:
    """How many windows fit in a padded row; 0 when none does."""
    room = size + low + high - dilated(window, dilation)
    if is_below(room, 0):
        return 0
    steps = floor_divide(room, stride)
    if steps is None:
        raise ShapeError(
            f"{what}: a row of {size} cannot be cut into windows {stride} apart for every size; "
            "give that axis a fixed size"
        )
    return steps + 1


def _conv_case(rng: Rng, element: Type) -> Case:
    rank = int(rng.integers(1, 3))
    kind = ("plain", "feature", "batch")[int(rng.integers(3))]
    groups = int(rng.integers(1, 4)) if kind != "plain" else 1
    feature_groups, batch_groups = (groups if kind == k else 1 for k in ("feature", "batch"))
    inputs, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 4)) * groups
    batch = int(rng.integers(1, 3)) * batch_groups
    strides, lhs_dilation, rhs_dilation = (integers(rng, 1, n, rank) for n in (4, 3, 3))
    kernel, space = integers(rng, 1, 4, rank), integers(rng, 3, 8, rank)
    specs = [tuple(rng.permutation(rank + 2).tolist()) for _ in range(3)]
    lhs, rhs = (
        tuple(dims[spec.index(i)] for i in range(rank + 2))
        for dims, spec in (((batch, inputs * feature_groups, *space), specs[0]), ((outputs, inputs, *kernel), specs[1]))
    )
    return case(
        element, values(rng, lhs, element), values(rng, rhs, element),
        strides=strides, padding_low=integers(rng, -1, 3, rank), padding_high=integers(rng, -1, 3, rank),
        lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation, feature_groups=feature_groups, batch_groups=batch_groups,
        lhs_spec=specs[0], rhs_spec=specs[1], out_spec=specs[2],
    )  # fmt: skip


@graph.op("convolution", ins="lhs rhs")
class Convolution:
    """Windows of lhs, times the kernel rhs, summed; the kernel is not flipped.

    Per spatial dim: lhs is spread by lhs_dilation, padded (or cropped, where negative) by padding_low and padding_high,
    and the kernel, spread by rhs_dilation, moves by strides. feature_groups cuts input and output features into groups
    that do not mix; batch_groups cuts the batch into groups, group i making the i-th part of the output features. f16
    and bf16 are summed in f32 and rounded once.

    A kernel with one dim more than lhs is in panels: rhs_spec is about the dims behind the first, and the output
    features go on from panel to panel.
    """

    def infer(
        lhs: Type,
        rhs: Type,
        *,
        strides: Ints,
        padding_low: tuple[Dim, ...],
        padding_high: tuple[Dim, ...],
        lhs_dilation: Ints,
        rhs_dilation: Ints,
        lhs_spec: Ints,
        rhs_spec: Ints,
        out_spec: Ints,
        feature_groups: int = 1,
        batch_groups: int = 1,
    ) -> TensorType:
        x, w = tensor(lhs), tensor(rhs)
        numeric(x)
        if x.element is not w.element:
            raise IRError(f"operands need one element type. Received: {x} and {w}")
        if w.rank - x.rank not in (0, 1) or x.rank < 2:
            raise ShapeError(f"needs operands of one rank, 2 or more, or a kernel in panels. Received: {x} and {w}")
        lists = {"strides": strides, "lhs_dilation": lhs_dilation, "rhs_dilation": rhs_dilation}
        check_lengths(x.rank - 2, **lists, padding_low=padding_low, padding_high=padding_high)
        check_lengths(x.rank, lhs_spec=lhs_spec, rhs_spec=rhs_spec, out_spec=out_spec)
        check_least(1, **lists, feature_groups=(feature_groups,), batch_groups=(batch_groups,))
        for name, spec in (("lhs_spec", lhs_spec), ("rhs_spec", rhs_spec), ("out_spec", out_spec)):
            check_axes(name, spec, x.rank)
        batch, features, *space = (x.shape[i] for i in lhs_spec)
        outputs, inputs, *kernel = (w.shape[w.rank - x.rank + i] for i in rhs_spec)
        if w.rank > x.rank:
            outputs = outputs * w.shape[0]
        if features != inputs * feature_groups:
            raise ShapeError(
                f"the input has {features} features; the kernel takes {inputs}"
                f"{f' in each of {feature_groups} groups' if feature_groups > 1 else ''}. Received: {x} and {w}"
            )
        for what, dim, groups in (
            ("output features", outputs, feature_groups),
            ("batch", batch, batch_groups),
            ("output features", outputs, batch_groups),
        ):
            part = floor_divide(dim, groups)
            if part is None or part * groups != dim:
                raise ShapeError(f"{what} of {dim} cannot be cut into {groups} equal groups. Received: {x} and {w}")
        per_group = floor_divide(batch, batch_groups)
        sizes: list[Dim] = [batch if per_group is None else per_group, outputs]
        for i, (size, window) in enumerate(zip(space, kernel, strict=True)):
            spread = dilated(size, lhs_dilation[i])
            sizes.append(
                window_size(
                    spread, window, padding_low[i], padding_high[i], strides[i], rhs_dilation[i], f"spatial dim {i}"
                )
            )
        return TensorType(tuple(sizes[out_spec.index(i)] for i in range(x.rank)), x.element)

    def reference(
        lhs: Array,
        rhs: Array,
        *,
        strides: Ints,
        padding_low: Ints,
        padding_high: Ints,
        lhs_dilation: Ints,
        rhs_dilation: Ints,
        lhs_spec: Ints,
        rhs_spec: Ints,
        out_spec: Ints,
        feature_groups: int = 1,
        batch_groups: int = 1,
    ) -> Array:
        wide = np.float32 if lhs.dtype == np.float16 else lhs.dtype
        if rhs.ndim > lhs.ndim:  # the panels one after the other
            moved = np.moveaxis(rhs, 0, rhs_spec[0])
            rhs = moved.reshape(*rhs.shape[1 : rhs_spec[0] + 1], -1, *rhs.shape[rhs_spec[0] + 2 :])
        x, w = lhs.transpose(lhs_spec).astype(wide, copy=False), rhs.transpose(rhs_spec).astype(wide, copy=False)
        space = range(2, x.ndim)
        edges = {
            "low": (0, 0, *padding_low),
            "high": (0, 0, *padding_high),
            "interior": (0, 0, *(d - 1 for d in lhs_dilation)),
        }
        assert Pad.reference is not None
        reach = [dilated(w.shape[i], rhs_dilation[i - 2]) for i in space]
        shape = [dilated(x.shape[i], lhs_dilation[i - 2]) + padding_low[i - 2] + padding_high[i - 2] for i in space]
        out = [count_windows(n, r, s) for n, r, s in zip(shape, reach, strides, strict=True)]
        groups = feature_groups * batch_groups
        if 0 in out or 0 in x.shape or 0 in w.shape:
            made = np.zeros((x.shape[0] // batch_groups, w.shape[0], *out), wide)
        else:
            x = Pad.reference(x, np.zeros((), wide), **edges)
            views = sliding_window_view(x, reach, tuple(space))
            steps = tuple(slice(None, None, s) for s in strides) + tuple(slice(None, None, d) for d in rhs_dilation)
            views = views[(slice(None), slice(None), *steps)]  # (batch, feature, out..., window...)
            n, c, o = x.shape[0] // batch_groups, x.shape[1] // feature_groups, w.shape[0] // groups
            window = tuple(range(2 + len(out), 2 + 2 * len(out)))
            parts = []
            for g in range(groups):
                part = views[g * n : (g + 1) * n] if batch_groups > 1 else views[:, g * c : (g + 1) * c]
                product = np.tensordot(part, w[g * o : (g + 1) * o], ((1, *window), tuple(range(1, w.ndim))))
                parts.append(np.moveaxis(product, -1, 1))
            made = np.concatenate(parts, 1)
        order = [out_spec.index(i) for i in range(x.ndim)]
        return np.ascontiguousarray(made.transpose(order)).astype(lhs.dtype, copy=False)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        if len(t.shape_of(op.operands[1].type)) > len(t.shape_of(op.operands[0].type)):
            raise IRError("a kernel is put in panels after its gradient is made", str(op.location))
        return [_input_gradient(b, op, ct), _kernel_gradient(b, op, ct)]

    lower = "convolution"
    stablehlo = "stablehlo.convolution"
    samples = Samples(FLOATS, _conv_case)
    tolerance = accumulated


def _swap(spec: Ints) -> Ints:
    """The spec with its first two roles exchanged."""
    return (spec[1], spec[0], *spec[2:])


def _regroup(b: Any, x: Value, source: int, target: int, groups: int) -> Value:
    """Cut dim `source` into (groups, rest) and merge the groups into the front of dim `target`."""
    shape = list(t.shape_of(x.type))
    rest = floor_divide(shape[source], groups)
    assert rest is not None  # infer saw that the groups are equal
    cut = b.reshape(x, shape=(*shape[:source], groups, rest, *shape[source + 1 :]))
    order = [i for i in range(len(shape) + 1) if i != source]  # the dims of x, its groups taken out
    order.insert(target, source)
    moved = b.transpose(cut, permutation=tuple(order))
    shape[source] = rest
    shape[target] = shape[target] * groups
    made: Value = b.reshape(moved, shape=tuple(shape))
    return made


def _spatial(op: Operation) -> list[tuple[Any, ...]]:
    """Per spatial dim: spread input, spread kernel, spread output, padding_low. Sizes along the padded row."""
    x, w, y = t.shape_of(op.operands[0].type), t.shape_of(op.operands[1].type), t.shape_of(op.result.type)
    rows = []
    for i, (in_axis, kernel_axis, out_axis) in enumerate(
        zip(op["lhs_spec"][2:], op["rhs_spec"][2:], op["out_spec"][2:], strict=True)
    ):
        rows.append((
            dilated(x[in_axis], op["lhs_dilation"][i]), dilated(w[kernel_axis], op["rhs_dilation"][i]),
            dilated(y[out_axis], op["strides"][i]), op["padding_low"][i],
        ))  # fmt: skip
    return rows


def _input_gradient(b: Any, op: Operation, ct: Value) -> Value:
    """ct, spread by the strides, under the reversed kernel whose feature roles are exchanged."""
    lhs_spec, rhs_spec, out_spec = op["lhs_spec"], op["rhs_spec"], op["out_spec"]
    batch_groups = op.get("batch_groups", 1)
    groups = max(op.get("feature_groups", 1), batch_groups)
    kernel = op.operands[1]
    if groups > 1:
        kernel = _regroup(b, kernel, rhs_spec[0], rhs_spec[1], groups)
    low, high = [], []
    for inputs, reach, outputs, before in _spatial(op):
        low.append(reach - 1 - before)
        high.append(inputs + reach - 1 - outputs - low[-1])
    made = b.convolution(
        ct, b.reverse(kernel, axes=tuple(rhs_spec[2:])) if rhs_spec[2:] else kernel,
        strides=op["lhs_dilation"], padding_low=tuple(low), padding_high=tuple(high), lhs_dilation=op["strides"],
        rhs_dilation=op["rhs_dilation"], feature_groups=groups, batch_groups=1,
        lhs_spec=out_spec, rhs_spec=_swap(rhs_spec), out_spec=lhs_spec,
    )  # fmt: skip
    if batch_groups > 1:
        made = _regroup(b, made, lhs_spec[1], lhs_spec[0], batch_groups)
    result: Value = made
    return result


def _kernel_gradient(b: Any, op: Operation, ct: Value) -> Value:
    """lhs under ct as the kernel: batch and feature roles exchanged, strides and rhs_dilation too."""
    low, high = [], []
    for inputs, reach, outputs, before in _spatial(op):
        low.append(before)
        high.append(outputs + reach - inputs - before - 1)
    result: Value = b.convolution(
        op.operands[0], ct,
        strides=op["rhs_dilation"], padding_low=tuple(low), padding_high=tuple(high), lhs_dilation=op["lhs_dilation"],
        rhs_dilation=op["strides"], feature_groups=op.get("batch_groups", 1), batch_groups=op.get("feature_groups", 1),
        lhs_spec=_swap(op["lhs_spec"]), rhs_spec=_swap(op["out_spec"]), out_spec=_swap(op["rhs_spec"]),
    )  # fmt: skip
    return result
