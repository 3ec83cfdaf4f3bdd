"""Comparison, and choice by truth values."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, Type

from .dialect import Array, check_choice, graph, ordered, same, tensor, zero_gradient
from .sampling import EVERYTHING, Case, Rng, Samples, choice, elementwise, shape, values
from .tolerance import exact

_COMPARE = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


@graph.op("compare", ins="x y", traits="pure elementwise")
class Compare:
    """x == y, or != < <= > >= by `direction` (eq ne lt le gt ge), as truth values. With nan only ne holds."""

    def infer(x: Type, y: Type, *, direction: str) -> TensorType:
        check_choice("direction", direction, tuple(_COMPARE))
        return TensorType(ordered(x, y).shape, t.i1)

    def reference(x: Array, y: Array, *, direction: str) -> Array:
        return np.asarray(_COMPARE[direction](x, y))

    def scalar(b: Any, x: Any, y: Any, *, direction: str, unsigned: bool = False) -> Any:
        return b.cmp(direction, x, y, unsigned=unsigned)

    vjp = zero_gradient
    stablehlo = "stablehlo.compare"
    samples = elementwise(2, EVERYTHING, direction=choice(*_COMPARE))
    tolerance = exact


def _draw_select(rng: Rng, element: Type) -> Case:
    dims = shape(rng)
    arrays = [values(rng, dims, e) for e in (t.i1, element, element)]
    return Case(arrays, [TensorType(dims, e) for e in (t.i1, element, element)])


@graph.op("select", ins="predicate on_true on_false", traits="pure elementwise")
class Select:
    """on_true where the predicate holds, else on_false, element by element; all three have one shape."""

    def infer(predicate: Type, on_true: Type, on_false: Type) -> TensorType:
        condition, result = tensor(predicate), same(on_true, on_false)
        if condition.element is not t.i1:
            raise IRError(f"needs truth values (i1) to choose by. Received: {condition}")
        if condition.shape != result.shape:
            raise ShapeError(f"needs a predicate of the shape of the values. Received: {condition} and {result}")
        return result

    def reference(predicate: Array, on_true: Array, on_false: Array) -> Array:
        return np.where(predicate, on_true, on_false)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        predicate = op.operands[0]
        return [None, b.select(predicate, ct, 0.0), b.select(predicate, 0.0, ct)]

    def scalar(b: Any, predicate: Any, on_true: Any, on_false: Any, *, unsigned: bool = False) -> Any:
        return b.select(predicate, on_true, on_false)

    stablehlo = "stablehlo.select"
    samples = Samples(EVERYTHING, _draw_select)
    tolerance = exact
