"""Reads and writes at places that are known when the model runs: rows of a table, elements along an axis.

Both ops share their attributes. `indices` is [.., len(axes)]: its last dim holds a coordinate for each of `axes` of x.
Dims of x in `batch_axes` go together with the leading dims of `indices`; the other dims of x are taken whole.

    embedding       x [v, d],    indices [b, t, 1], axes=(0,)                   ->  [b, t, d]
    along an axis   x [b, t, d], indices [b, d, n, 1], axes=(1,), batch (0, 2)  ->  [b, d, n]
    points          x [h, w, c], indices [n, 2], axes=(0, 1)                    ->  [n, c]

With `clamp` a coordinate outside of its axis counts as the nearest one inside; without, it reads 0 and writes nothing.
"""
# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, Type

from .dialect import Array, check_axes, check_choice, graph, signed, tensor
from .sampling import EVERYTHING, NUMBERS, Case, Rng, Samples, values
from .tolerance import Tolerance, exact

Ints = tuple[int, ...]
KINDS = ("set", "add", "mul", "min", "max")


def window_axes(rank: int, axes: Sequence[int], batch_axes: Sequence[int]) -> Ints:
    """The dims of x that are taken whole."""
    return tuple(i for i in range(rank) if i not in axes and i not in batch_axes)


def _result_shape(x: TensorType, indices: Type, axes: Ints, batch_axes: Ints, clamp: bool) -> tuple[Dim, ...]:
    """The shape of what is read or written; raises where the operands do not fit."""
    at = signed(indices)
    check_axes("'axes' and 'batch_axes'", (*axes, *batch_axes), x.rank)
    if t.is_float(at) or not axes or at.rank <= len(batch_axes) or at.shape[-1] != len(axes):
        raise ShapeError(
            f"needs signed integer indices [{'batch.., ' if batch_axes else ''}.., {len(axes)}], a coordinate for each "
            f"of the axes {tuple(axes)}. Received: {indices}"
        )
    for axis, size in zip(batch_axes, at.shape[:-1], strict=False):
        if x.shape[axis] != size:
            raise ShapeError(f"the batch axes {tuple(batch_axes)} of {x} are the leading dims of the indices {indices}")
    if clamp and any(x.shape[a] == 0 for a in axes):
        raise ShapeError(f"there is nothing at any index of an axis of size 0. Received: {x}, axes={tuple(axes)}")
    return (*at.shape[:-1], *(x.shape[i] for i in window_axes(x.rank, axes, batch_axes)))


def _places(x: Array, indices: Array, axes: Ints, batch_axes: Ints) -> tuple[tuple[Array, ...], Array]:
    """Where to index x with its dims in the order batch, axes, window; and which of the coordinates are inside."""
    space = indices.shape[:-1]
    at = indices.astype(np.int64)
    places: list[Array] = []
    for i, axis in enumerate(batch_axes):
        count = np.arange(x.shape[axis]).reshape([-1 if k == i else 1 for k in range(len(space))])
        places.append(np.broadcast_to(count, space))
    inside = np.ones(space, np.bool_)
    for i, axis in enumerate(axes):
        inside &= (at[..., i] >= 0) & (at[..., i] < x.shape[axis])
        places.append(np.clip(at[..., i], 0, max(x.shape[axis] - 1, 0)))
    return tuple(places), inside


def _order(rank: int, axes: Ints, batch_axes: Ints) -> Ints:
    return (*batch_axes, *axes, *window_axes(rank, axes, batch_axes))


def _draw(rng: Rng) -> tuple[Ints, Array, Ints, dict[str, Any]]:
    """Shape of x, indices (some outside), shape of what is read, attributes."""
    rank = int(rng.integers(1, 5))
    shape = tuple(int(n) for n in rng.integers(1, 6, rank))
    order = rng.permutation(rank).tolist()
    count = int(rng.integers(1, min(rank, 2) + 1))
    axes = tuple(order[:count])
    batch_axes = tuple(order[count : count + int(rng.integers(0, rank - count + 1))])
    if rng.random() < 0.5:
        batch_axes = ()
    dims = [shape[a] for a in batch_axes] + [int(n) for n in rng.integers(1, 5, int(rng.integers(0, 3)))]
    # few enough that places repeat; one in ten is outside
    indices = np.stack([rng.integers(-1 if rng.random() < 0.2 else 0, shape[a], dims) for a in axes], -1)
    indices = np.where(rng.random(indices.shape) < 0.05, indices + 7, indices).astype(np.int32)
    read = (*dims, *(shape[i] for i in window_axes(rank, axes, batch_axes)))
    return shape, indices, read, {"axes": axes, "batch_axes": batch_axes, "clamp": bool(rng.random() < 0.5)}


def _gather_case(rng: Rng, element: Type) -> Case:
    shape, indices, _, attributes = _draw(rng)
    types = [TensorType(shape, element), TensorType(indices.shape, t.i32)]
    return Case([values(rng, shape, element), indices], types, attributes)


@graph.op("gather", ins="x indices")
class Gather:
    """The slices of x at `indices`: [batch.., places.., the whole dims of x]. See the head of this file."""

    def infer(x: Type, indices: Type, *, axes: Ints, batch_axes: Ints = (), clamp: bool = True) -> TensorType:
        source = tensor(x)
        return TensorType(_result_shape(source, indices, axes, batch_axes, clamp), source.element)

    def reference(x: Array, indices: Array, *, axes: Ints, batch_axes: Ints = (), clamp: bool = True) -> Array:
        places, inside = _places(x, indices, axes, batch_axes)
        source = np.transpose(x, _order(x.ndim, axes, batch_axes))
        if 0 in source.shape[: len(places)]:
            return np.zeros((*inside.shape, *source.shape[len(places) :]), x.dtype)
        read = source[places]
        if clamp:
            return np.array(read)
        return np.where(inside.reshape((*inside.shape, *[1] * (read.ndim - inside.ndim))), read, x.dtype.type(0))

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, indices = op.operands
        return [b.scatter(b.full(0.0, x.type), indices, ct, kind="add", **_attributes(op)), None]

    lower = "indexing"
    stablehlo = "stablehlo.gather"
    samples = Samples(EVERYTHING, _gather_case)
    tolerance = exact


def _attributes(op: Operation) -> dict[str, Any]:
    return {"axes": op["axes"], "batch_axes": op.get("batch_axes") or (), "clamp": bool(op.get("clamp", True))}


def _scatter_case(rng: Rng, element: Type) -> Case:
    shape, indices, read, attributes = _draw(rng)
    kinds = KINDS[:3] if t.is_unsigned(element) else KINDS
    attributes["kind"] = kinds[int(rng.integers(len(kinds)))]
    arrays = [values(rng, shape, element), indices, values(rng, read, element)]
    types = [TensorType(a.shape, t.i32 if i == 1 else element) for i, a in enumerate(arrays)]
    return Case(arrays, types, attributes)


@graph.op("scatter", ins="x indices updates")
class Scatter:
    """x with updates at `indices`: they replace what is there (kind set) or are combined with it (add mul min max).

    The updates have the shape that gather reads. They are taken in row-major order: the last of several for one place
    is set, and sums are rounded to the element type at each step. min and max take numbers with a sign.
    The gradient of mul divides by the updates.
    """

    def infer(
        x: Type, indices: Type, updates: Type, *, axes: Ints, kind: str, batch_axes: Ints = (), clamp: bool = True
    ) -> TensorType:
        source = tensor(x)
        check_choice("kind", kind, KINDS)
        if kind != "set" and (source.element is t.i1 or (kind in ("min", "max") and t.is_unsigned(source))):
            raise IRError(
                f"scatter {kind} needs numbers{'' if kind in ('add', 'mul') else ' with a sign'}. Received: {x}"
            )
        wanted = TensorType(_result_shape(source, indices, axes, batch_axes, clamp), source.element)
        if updates is not wanted:
            raise ShapeError(f"needs updates of type {wanted}, as they would be read. Received: {updates}")
        return source

    def reference(
        x: Array, indices: Array, updates: Array, *, axes: Ints, kind: str, batch_axes: Ints = (), clamp: bool = True
    ) -> Array:
        places, inside = _places(x, indices, axes, batch_axes)
        order = _order(x.ndim, axes, batch_axes)
        target = np.transpose(x, order).copy()
        taken = np.ones_like(inside) if clamp else inside
        at = tuple(p[taken] for p in places)
        if at[0].size:
            if kind == "set":
                target[at] = updates[taken]
            else:
                function = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[kind]
                function.at(target, at, updates[taken])
        return np.ascontiguousarray(np.transpose(target, np.argsort(order)))

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        x, indices, updates = op.operands
        at, kind = _attributes(op), op["kind"]
        if kind == "add":
            return [ct, None, b.gather(ct, indices, **at)]
        if kind == "set":
            kept = b.scatter(ct, indices, b.full(0.0, updates.type), kind="set", **at)
            return [kept, None, b.select(_is_last(b, x, indices, updates, at), b.gather(ct, indices, **at), 0.0)]
        if kind == "mul":
            own = b.div(b.gather(b.mul(ct, op.result), indices, **at), updates)
            return [b.scatter(ct, indices, updates, kind="mul", **at), None, own]
        # the cotangent is shared by all that are equal to the extreme
        hits = b.convert(b.compare(x, op.result, direction="eq"), dtype=t.element_of(x.type))
        chosen = b.convert(
            b.compare(updates, b.gather(op.result, indices, **at), direction="eq"), dtype=t.element_of(x.type)
        )
        share = b.div(ct, b.scatter(hits, indices, chosen, kind="add", **at))
        return [b.mul(hits, share), None, b.mul(chosen, b.gather(share, indices, **at))]

    lower = "indexing"
    stablehlo = "stablehlo.scatter"
    samples = Samples(NUMBERS, _scatter_case)
    tolerance = Tolerance(accumulates=True, narrow=True, addends=(0, 2))


def _is_last(b: Any, x: Value, indices: Value, updates: Value, at: dict[str, Any]) -> Value:
    """Which updates are what a scatter of kind set leaves at their place: each place keeps the number of the last."""
    shape, places = t.shape_of(updates.type), t.shape_of(indices.type)[:-1]
    count: Dim = 1
    for size in places:
        count = count * size
    if not places:
        return b.full(True, TensorType(shape, t.i1))  # type: ignore[no-any-return]
    numbers = b.reshape(b.iota(shape=(count,), axis=0, dtype=t.i32), shape=places)
    numbers = b.broadcast_in_dim(numbers, shape=shape, dims=tuple(range(len(places))))
    left = b.scatter(b.full(-1, TensorType(t.shape_of(x.type), t.i32)), indices, numbers, kind="set", **at)
    return b.compare(b.gather(left, indices, **at), numbers, direction="eq")  # type: ignore[no-any-return]
