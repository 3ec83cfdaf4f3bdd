"""Movement: the same elements in another shape, order or place."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim, floor_divide
from kcompile.ir.types import TensorType, Type

from . import sampling
from .dialect import Array, check_axes, check_least, check_lengths, graph, is_below, tensor
from .sampling import EVERYTHING, Case, Rng, Samples, case, values
from .tolerance import exact

MOVEMENT = "pure movement linear"


def _broadcast_case(rng: Rng, element: Type) -> Case:
    result = sampling.shape(rng, 0, 5, 5)
    rank = int(rng.integers(len(result) + 1))
    dims = tuple(int(d) for d in sorted(rng.permutation(len(result))[:rank]))
    dims = tuple(rng.permutation(dims).tolist()) if rng.random() < 0.2 else dims
    operand = tuple(1 if rng.random() < 0.3 else result[d] for d in dims)
    return case(element, values(rng, operand, element), shape=result, dims=dims)


@graph.op("broadcast_in_dim", ins="x", traits=MOVEMENT)
class BroadcastInDim:
    """x repeated to `shape`: operand dim i is result dim dims[i], of the same size or 1; all other dims repeat."""

    def infer(x: Type, *, shape: tuple[Dim, ...], dims: tuple[int, ...]) -> TensorType:
        source = tensor(x)
        check_lengths(source.rank, dims=dims)
        check_axes("'dims'", dims, len(shape))
        for size, dim in zip(source.shape, dims, strict=True):
            if size != 1 and size != shape[dim]:
                raise ShapeError(
                    f"an operand dim is 1 or the result's dim. Received: {source}, shape={shape}, dims={dims}"
                )
        return TensorType(tuple(shape), source.element)

    def reference(x: Array, *, shape: tuple[int, ...], dims: tuple[int, ...]) -> Array:
        order = sorted(range(len(dims)), key=lambda i: dims[i])
        placed = [1] * len(shape)
        for size, dim in zip(x.shape, dims, strict=True):
            placed[dim] = size
        return np.broadcast_to(np.transpose(x, order).reshape(placed), shape).copy()

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        source, dims = op.operands[0].type, op["dims"]
        assert isinstance(source, TensorType)
        shape = op["shape"]
        kept = [d for s, d in zip(source.shape, dims, strict=True) if s == shape[d]]
        summed = tuple(i for i in range(len(shape)) if i not in kept)
        made = b.reduce(ct, axes=summed, kind="add") if summed else ct
        order = tuple(sorted(kept).index(d) for d in kept)
        if order != tuple(range(len(order))):
            made = b.transpose(made, permutation=order)
        return [made if made.type is source else b.reshape(made, shape=source.shape)]

    lower = "movement"
    stablehlo = "stablehlo.broadcast_in_dim"
    samples = Samples(EVERYTHING, _broadcast_case)
    tolerance = exact


def _reshape_case(rng: Rng, element: Type) -> Case:
    dims = [int(d) for d in rng.integers(1, 4, int(rng.integers(0, 4)))]
    cut = int(rng.integers(len(dims) + 1))
    merged = [int(np.prod(dims[:cut])), *dims[cut:]] if rng.random() < 0.7 else [*dims[:cut], 1, *dims[cut:]]
    first, second = (dims, merged) if rng.random() < 0.5 else (merged, dims)
    return case(element, values(rng, tuple(first), element), shape=tuple(second))


@graph.op("reshape", ins="x", traits=MOVEMENT)
class Reshape:
    """x with the same elements, in row-major order, as `shape`."""

    def infer(x: Type, *, shape: tuple[Dim, ...]) -> TensorType:
        source = tensor(x)
        result = TensorType(tuple(shape), source.element)
        if result.size != source.size:
            raise ShapeError(
                f"cannot reshape {source} ({source.size} elements) to {tuple(shape)} ({result.size} elements)"
            )
        return result

    def reference(x: Array, *, shape: tuple[int, ...]) -> Array:
        return np.reshape(x, shape)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.reshape(ct, shape=t.shape_of(op.operands[0].type))]

    lower = "movement"
    stablehlo = "stablehlo.reshape"
    samples = Samples(EVERYTHING, _reshape_case)
    tolerance = exact


def _transpose_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 0, 5, 5)
    return case(element, values(rng, dims, element), permutation=tuple(rng.permutation(len(dims)).tolist()))


@graph.op("transpose", ins="x", traits=MOVEMENT)
class Transpose:
    """x with its dims in another order: result dim i is operand dim permutation[i]."""

    def infer(x: Type, *, permutation: tuple[int, ...]) -> TensorType:
        source = tensor(x)
        check_lengths(source.rank, permutation=permutation)
        check_axes("'permutation'", permutation, source.rank)
        return TensorType(tuple(source.shape[i] for i in permutation), source.element)

    def reference(x: Array, *, permutation: tuple[int, ...]) -> Array:
        return np.ascontiguousarray(np.transpose(x, permutation)).reshape([x.shape[i] for i in permutation])

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        permutation = op["permutation"]
        return [b.transpose(ct, permutation=tuple(permutation.index(i) for i in range(len(permutation))))]

    lower = "movement"
    stablehlo = "stablehlo.transpose"
    samples = Samples(EVERYTHING, _transpose_case)
    tolerance = exact


def _slice_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 0, 4, 8)
    start = tuple(int(rng.integers(d + 1)) for d in dims)
    limit = tuple(int(rng.integers(s, d + 1)) for s, d in zip(start, dims, strict=True))
    strides = tuple(int(rng.integers(1, 4)) if rng.random() < 0.5 else 1 for _ in dims)
    return case(element, values(rng, dims, element), start=start, limit=limit, strides=strides)


def strided_size(span: Dim, stride: int, what: str) -> Dim:
    """How many of `span` elements are met when every stride-th is taken, the first included."""
    size = floor_divide(span + (stride - 1), stride)
    if size is None:
        raise ShapeError(
            f"{what}: {span} elements cannot be strided by {stride} for every size; give that axis a fixed size"
        )
    return size


@graph.op("slice", ins="x", traits=MOVEMENT)
class Slice:
    """x[start:limit:strides], one entry of each for each dim, 0 <= start <= limit <= size."""

    def infer(x: Type, *, start: tuple[Dim, ...], limit: tuple[Dim, ...], strides: tuple[int, ...]) -> TensorType:
        source = tensor(x)
        check_lengths(source.rank, start=start, limit=limit, strides=strides)
        check_least(1, strides=strides)
        check_least(0, start=start)
        for first, last, size in zip(start, limit, source.shape, strict=True):
            if is_below(last, first) or is_below(size, last):
                raise ShapeError(f"needs start <= limit <= size. Received: {source}, start={start}, limit={limit}")
        sizes = [strided_size(hi - lo, s, "slice") for lo, hi, s in zip(start, limit, strides, strict=True)]
        return TensorType(tuple(sizes), source.element)

    def reference(x: Array, *, start: tuple[int, ...], limit: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        return x[tuple(slice(lo, hi, s) for lo, hi, s in zip(start, limit, strides, strict=True))].copy()

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        start, strides = op["start"], op["strides"]
        high: list[Dim] = []
        for size, taken, first, stride in zip(
            t.shape_of(op.operands[0].type), t.shape_of(op.result.type), start, strides, strict=True
        ):
            reached = (taken - 1) * stride + 1 if taken != 0 else 0
            high.append(size - first - reached)
        zero = b.constant(0.0, t.element_of(ct.type))
        return [b.pad(ct, zero, low=start, high=tuple(high), interior=tuple(s - 1 for s in strides))]

    lower = "movement"
    stablehlo = "stablehlo.slice"
    samples = Samples(EVERYTHING, _slice_case)
    tolerance = exact


def _pad_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 0, 4, 6)
    interior = tuple(int(rng.integers(3)) if rng.random() < 0.5 else 0 for _ in dims)
    sizes = [d + max(d - 1, 0) * i for d, i in zip(dims, interior, strict=True)]
    low = tuple(int(rng.integers(-(d // 2), 4)) for d in sizes)
    high = tuple(int(rng.integers(-min(d, d + p) // 2 if d + p > 0 else 0, 4)) for d, p in zip(sizes, low, strict=True))
    arrays = [values(rng, dims, element), values(rng, (), element)]
    return case(element, *arrays, low=low, high=high, interior=interior)


@graph.op("pad", ins="x value", traits=MOVEMENT)
class Pad:
    """x with `interior` copies of the scalar `value` between neighbours, then `low` before and `high` after each dim.

    Negative low and high crop.
    """

    numbers = ("value",)

    def infer(
        x: Type, value: Type, *, low: tuple[Dim, ...], high: tuple[Dim, ...], interior: tuple[int, ...]
    ) -> TensorType:
        source = tensor(x)
        if value is not TensorType((), source.element):
            raise IRError(f"pads with a scalar of the operand's element. Received: {source} and {value}")
        check_lengths(source.rank, low=low, high=high, interior=interior)
        check_least(0, interior=interior)
        sizes: list[Dim] = []
        for size, before, after, gap in zip(source.shape, low, high, interior, strict=True):
            spread = size if gap == 0 or size == 0 else size * (gap + 1) - gap
            sizes.append(spread + before + after)
        if any(not isinstance(s, SymbolicDim) and s < 0 for s in sizes):
            raise ShapeError(
                f"crops more than there is. Received: {source}, low={low}, high={high}, interior={interior}"
            )
        return TensorType(tuple(sizes), source.element)

    def reference(
        x: Array, value: Array, *, low: tuple[int, ...], high: tuple[int, ...], interior: tuple[int, ...]
    ) -> Array:
        spread = [d + max(d - 1, 0) * i for d, i in zip(x.shape, interior, strict=True)]
        whole = np.full(
            [d + max(lo, 0) + max(hi, 0) for d, lo, hi in zip(spread, low, high, strict=True)], value, x.dtype
        )
        inside = [slice(max(lo, 0), max(lo, 0) + d, i + 1) for d, lo, i in zip(spread, low, interior, strict=True)]
        whole[tuple(inside)] = x
        crop = [slice(max(-lo, 0), n - max(-hi, 0)) for n, lo, hi in zip(whole.shape, low, high, strict=True)]
        return whole[tuple(crop)].copy()

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, value = op.operands
        shape, interior = t.shape_of(x.type), op["interior"]
        zero = b.constant(0.0, t.element_of(ct.type))
        back = {"low": tuple(-p for p in op["low"]), "high": tuple(-p for p in op["high"])}
        whole = (
            b.pad(ct, zero, **back, interior=(0,) * len(shape))
            if any(p != 0 for ps in back.values() for p in ps)
            else ct
        )
        to_x = whole
        if any(interior):
            steps = tuple(i + 1 for i in interior)
            to_x = b.slice(whole, start=(0,) * len(shape), limit=t.shape_of(whole.type), strides=steps)
        if value.defining_op is not None and value.defining_op.name == "graph.constant":
            return [to_x, None]
        axes = tuple(range(len(shape)))
        total, inside = b.reduce(ct, axes=axes, kind="add"), b.reduce(to_x, axes=axes, kind="add")
        return [to_x, b.sub(total, inside)]

    lower = "movement"
    stablehlo = "stablehlo.pad"
    samples = Samples(EVERYTHING, _pad_case)
    tolerance = exact


def _concatenate_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 1, 4, 5)
    axis = int(rng.integers(len(dims)))
    count = int(rng.integers(1, 4))
    shapes = [tuple(int(rng.integers(0, 4)) if i == axis else d for i, d in enumerate(dims)) for _ in range(count)]
    return case(element, *[values(rng, s, element) for s in shapes], axis=axis)


@graph.op("concatenate", ins="x *xs", traits=MOVEMENT)
class Concatenate:
    """The operands one after the other along `axis`; their other dims are equal."""

    def infer(*xs: Type, axis: int) -> TensorType:
        if not xs:
            raise IRError("needs at least one operand. Received: none")
        types = [tensor(x) for x in xs]
        first = types[0]
        if not 0 <= axis < first.rank:
            raise ShapeError(f"'axis' is from 0 to {first.rank - 1}. Received: axis={axis}, {first}")
        total: Dim = 0
        for x in types:
            others = (*x.shape[:axis], *x.shape[axis + 1 :])
            if x.element is not first.element:
                raise IRError(f"operands need one element type. Received: {first} and {x}")
            if x.rank != first.rank or others != (*first.shape[:axis], *first.shape[axis + 1 :]):
                raise ShapeError(f"operands differ outside of axis {axis}. Received: {first} and {x}")
            total = total + x.shape[axis]
        return TensorType((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.element)

    def reference(*xs: Array, axis: int) -> Array:
        return np.concatenate(xs, axis)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        axis, position = op["axis"], 0
        shape = t.shape_of(ct.type)
        cotangents: list[Value | None] = []
        for x in op.operands:
            end = position + t.shape_of(x.type)[axis]
            start = tuple(position if i == axis else 0 for i in range(len(shape)))
            limit = tuple(end if i == axis else d for i, d in enumerate(shape))
            cotangents.append(b.slice(ct, start=start, limit=limit, strides=(1,) * len(shape)))
            position = end
        return cotangents

    lower = "movement"
    stablehlo = "stablehlo.concatenate"
    samples = Samples(EVERYTHING, _concatenate_case)
    tolerance = exact


def _reverse_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 0, 4, 6)
    axes = tuple(i for i in range(len(dims)) if rng.random() < 0.5)
    return case(element, values(rng, dims, element), axes=axes)


@graph.op("reverse", ins="x", traits=MOVEMENT)
class Reverse:
    """x with the order of its elements turned around along `axes`."""

    def infer(x: Type, *, axes: tuple[int, ...]) -> TensorType:
        source = tensor(x)
        check_axes("'axes'", axes, source.rank)
        return source

    def reference(x: Array, *, axes: tuple[int, ...]) -> Array:
        return np.flip(x, axes).copy()

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [b.reverse(ct, axes=op["axes"])]

    lower = "movement"
    stablehlo = "stablehlo.reverse"
    samples = Samples(EVERYTHING, _reverse_case)
    tolerance = exact
