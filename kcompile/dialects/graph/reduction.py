"""Reductions over whole axes."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, Type

from . import sampling
from .dialect import Array, bits, check_axes, check_choice, graph, numeric, ordered, tensor, zero_gradient
from .sampling import NUMBERS, Case, Rng, Samples, case, values
from .tolerance import accumulated, exact

KINDS = ("add", "mul", "max", "min", "and", "or")


def identity(kind: str, element: Type) -> Any:
    """The number that changes nothing when it is combined: 0, 1, the ends of the range, all bits."""
    if kind in ("add", "or"):
        return False if element is t.i1 else 0.0 if t.is_float(element) else 0
    if kind == "mul":
        return 1.0 if t.is_float(element) else 1
    if t.is_float(element):
        return -np.inf if kind == "max" else np.inf
    if element is t.i1:
        return kind != "max"
    info = np.iinfo(t.to_numpy(element))
    if kind == "and":
        return info.max if t.is_unsigned(element) else -1
    return int(info.min if kind == "max" else info.max)


def check_kind(kind: str, x: Type, kinds: tuple[str, ...] = KINDS) -> None:
    """`kind` is known, and combines elements of x."""
    check_choice("kind", kind, kinds)
    (numeric if kind in ("add", "mul") else ordered if kind in ("max", "min") else bits)(x)


def element_from_array(x: Array) -> Type:
    return t.from_numpy(x.dtype)


def _reduce_case(rng: Rng, element: Type) -> Case:
    dims = sampling.shape(rng, 0, 5, 6)
    axes = tuple(i for i in range(len(dims)) if rng.random() < 0.5)
    kinds = KINDS[:4] if t.is_float(element) else KINDS[2:] if element is t.i1 else KINDS
    return case(element, values(rng, dims, element), axes=axes, kind=kinds[int(rng.integers(len(kinds)))])


@graph.op("reduce", ins="x")
class Reduce:
    """All elements along `axes` combined by `kind` (add mul max min and or); the axes go away.

    f16 and bf16 are added and multiplied in f32, and rounded once. max and min give nan where any is nan.
    """

    def infer(x: Type, *, axes: tuple[int, ...], kind: str) -> TensorType:
        source = tensor(x)
        check_kind(kind, source)
        check_axes("'axes'", axes, source.rank)
        return TensorType(tuple(d for i, d in enumerate(source.shape) if i not in axes), source.element)

    def reference(x: Array, *, axes: tuple[int, ...], kind: str) -> Array:
        axes = tuple(axes)
        if kind in ("add", "mul"):
            wide = np.float32 if x.dtype == np.float16 else x.dtype
            return np.asarray((np.add if kind == "add" else np.multiply).reduce(x, axes, dtype=wide)).astype(x.dtype)
        if kind in ("max", "min"):
            function = np.maximum if kind == "max" else np.minimum
            return np.asarray(function.reduce(x, axes, initial=identity(kind, element_from_array(x))))
        return np.asarray((np.bitwise_and if kind == "and" else np.bitwise_or).reduce(x, axes))

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, axes, kind = op.operands[0], op["axes"], op["kind"]
        shape = t.shape_of(x.type)
        if kind == "add":
            return [b.expand(ct, axes, shape)]
        if kind == "mul":
            return [_product_gradient(b, x, axes, ct)]
        # ties share the cotangent
        best = b.compare(x, b.expand(op.result, axes, shape), direction="eq")
        mask = b.convert(best, dtype=t.element_of(x.type))
        share = b.div(ct, b.reduce(mask, axes=axes, kind="add"))
        return [b.select(best, b.expand(share, axes, shape), 0.0)]

    lower = "reduction"
    stablehlo = "stablehlo.reduce"
    samples = Samples((*NUMBERS, t.i1), _reduce_case)
    tolerance = accumulated


def _product_gradient(b: Any, x: Value, axes: tuple[int, ...], ct: Value) -> Value:
    """The product of the others, also where one factor is 0 (then only that one's is not 0)."""
    shape, element = t.shape_of(x.type), t.element_of(x.type)
    is_zero = b.compare(x, 0.0, direction="eq")
    safe = b.select(is_zero, 1.0, x)
    zeros = b.reduce(b.convert(is_zero, dtype=element), axes=axes, kind="add")
    scaled = b.mul(ct, b.reduce(safe, axes=axes, kind="mul"))
    to_zeros = b.expand(b.select(b.compare(zeros, 1.0, direction="eq"), scaled, 0.0), axes, shape)
    to_others = b.expand(b.select(b.compare(zeros, 0.0, direction="eq"), scaled, 0.0), axes, shape)
    made: Value = b.select(is_zero, to_zeros, b.div(to_others, safe))
    return made


def _arg_reduce_case(rng: Rng, element: Type) -> Case:
    dims = tuple(max(d, 1) for d in sampling.shape(rng, 1, 4, 6))
    axis = int(rng.integers(len(dims)))
    kind = ("max", "min")[int(rng.integers(2))]
    return case(element, values(rng, dims, element), axis=axis, kind=kind, dtype=(t.i32, t.i64)[int(rng.integers(2))])


@graph.op("arg_reduce", ins="x")
class ArgReduce:
    """Where along `axis` the largest (`kind` max) or smallest (min) element is, as `dtype`; the first of several.

    A nan counts as both, so the first nan is found.
    """

    def infer(x: Type, *, axis: int, kind: str, dtype: Type = t.i32) -> TensorType:
        source = ordered(x)
        check_choice("kind", kind, ("max", "min"))
        check_axes("'axis'", (axis,), source.rank)
        if dtype not in (t.i32, t.i64):
            raise IRError(f"gives i32 or i64. Received: dtype={dtype}")
        if source.shape[axis] == 0:
            raise ShapeError(f"the axis is empty, nothing is the {kind}imum. Received: {source}, axis={axis}")
        return TensorType((*source.shape[:axis], *source.shape[axis + 1 :]), dtype)

    def reference(x: Array, *, axis: int, kind: str, dtype: Type = t.i32) -> Array:
        found = np.argmax(x, axis) if kind == "max" else np.argmin(x, axis)
        return np.asarray(found).astype(t.to_numpy(dtype))

    vjp = zero_gradient
    lower = "reduction"
    stablehlo = "stablehlo.reduce"
    samples = Samples((*NUMBERS, t.i1), _arg_reduce_case)
    tolerance = exact
