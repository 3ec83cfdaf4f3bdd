"""The graph dialect object and the type rules that its families share."""

from __future__ import annotations

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.definition import Dialect
from kcompile.ir.types import TensorType, Type

graph = Dialect("graph")

NOT_DIFFERENTIABLE = "not differentiable"  # the vjp of an op whose result does not vary smoothly with its operands
NONE = "none"  # the stablehlo row of an op that has no counterpart


def tensor(x: Type) -> TensorType:
    if not isinstance(x, TensorType):
        raise IRError(f"needs a tensor. Received: {x}")
    return x


def same(*xs: Type) -> TensorType:
    """All operands have one type, which is the result's."""
    first = tensor(xs[0])
    for x in xs[1:]:
        if x is not first:
            what = ShapeError if t.element_of(x) is first.element else IRError
            raise what(f"operands need one type. Received: {first} and {x}")
    return first


def floating(*xs: Type) -> TensorType:
    """`same`, of floats."""
    first = same(*xs)
    if not t.is_float(first):
        raise IRError(f"needs floats. Received: {first}")
    return first
