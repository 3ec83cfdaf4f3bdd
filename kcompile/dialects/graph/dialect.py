"""The graph dialect object and the rules that its families share.

One op is one class in one family file. Its fields:

infer(*types, *, attributes) -> type
    The type rule, which is the verifier too; an attribute is a keyword-only argument.
reference(*arrays, **attributes) -> array
    The meaning in NumPy. Symbolic sizes in attributes are numbers by then; bf16 values are float32 arrays that the
    caller rounds.
vjp(b, op, ct) -> [cotangent of each operand]
    The gradient as ops, None where it is zero; or NOT_DIFFERENTIABLE.
scalar(b, *xs, unsigned, **attributes)
    The body of its loop on scalars or vectors with a LoopBuilder. Integers are signless there, so `unsigned` says
    whether the first operand's element counts as unsigned (i1 does). Ops without one have `lower`, a lowering's name.
stablehlo
    The op it exports to, or NONE.
samples, tolerance
    Random operands and attributes for tests (sampling.py), and how far compiled results may be from the reference
    (tolerance.py).
numbers
    Names of the operands that are scalars: a Python number given for them stays one.

Traits: `elementwise` (the result's element i depends on the operands' elements i only), `movement` (elements only
move), `commutative`, `linear` (in all its operands together), `source` (made of attributes), `pure` (all of them are).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Definition, Dialect
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import TensorType, Type

Array = np.ndarray[Any, np.dtype[Any]]

NOT_DIFFERENTIABLE = "not differentiable"  # the vjp of an op that has a gradient which is not written
NONE = "none"  # the stablehlo row of an op that has no counterpart


class GraphDialect(Dialect):
    """A dialect whose references always give arrays, and give inf and nan without a warning."""

    def op(self, name: str, ins: str = "", traits: str = "pure") -> Callable[[type], Definition]:
        register = super().op(name, ins, traits)

        def register_quiet(body: type) -> Definition:
            definition = register(body)
            if definition.reference is not None:
                definition.reference = quiet(definition.reference)
            return definition

        return register_quiet


def quiet(function: Callable[..., Any]) -> Callable[..., Array]:
    """`function` without NumPy's floating-point warnings, its result an array even when it is a scalar."""

    @functools.wraps(function)
    def call(*arrays: Any, **attributes: Any) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*arrays, **attributes))

    return call


graph = GraphDialect("graph")


# -- type rules
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


def numeric(*xs: Type) -> TensorType:
    """`same`, of floats or integers, not of truth values."""
    first = same(*xs)
    if first.element is t.i1 or not (t.is_float(first) or t.is_integer(first)):
        raise IRError(f"needs numbers. Received: {first}; convert it first")
    return first


def signed(*xs: Type) -> TensorType:
    """`numeric`, without the unsigned integers."""
    first = numeric(*xs)
    if t.is_unsigned(first):
        raise IRError(f"needs numbers with a sign. Received: {first}")
    return first


def integral(*xs: Type) -> TensorType:
    """`same`, of integers."""
    first = same(*xs)
    if not t.is_integer(first) or first.element is t.i1:
        raise IRError(f"needs integers. Received: {first}")
    return first


def bits(*xs: Type) -> TensorType:
    """`same`, of integers or truth values."""
    first = same(*xs)
    if not t.is_integer(first):
        raise IRError(f"needs integers or truth values. Received: {first}")
    return first


def ordered(*xs: Type) -> TensorType:
    """`same`, of floats, integers or truth values."""
    return floating(*xs) if t.is_float(xs[0]) else bits(*xs)


def check_axes(what: str, axes: Sequence[int], rank: int) -> None:
    """Axes are different and count from 0 up to the rank."""
    if len(set(axes)) != len(axes) or any(not 0 <= a < rank for a in axes):
        raise ShapeError(f"{what} needs different axes from 0 to {rank - 1}. Received: {tuple(axes)}")


def check_lengths(rank: int, **lists: Sequence[Any]) -> None:
    """Each attribute has one entry for each of `rank` dims."""
    for name, values in lists.items():
        if len(values) != rank:
            raise ShapeError(f"'{name}' needs {rank} entries, one for each dim. Received: {tuple(values)}")


def check_least(least: int, **lists: Sequence[Any]) -> None:
    """Each entry of each attribute is `least` or more, where it is a number."""
    for name, values in lists.items():
        if any(not isinstance(v, SymbolicDim) and v < least for v in values):
            raise ShapeError(f"'{name}' needs entries of {least} or more. Received: {tuple(values)}")


def check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise IRError(f"'{what}' is one of {', '.join(choices)}. Received: {value!r}")


def is_below(x: Dim, y: Dim) -> bool:
    """Whether x < y for sure; symbols make it uncertain unless they cancel."""
    difference = y - x
    return not isinstance(difference, SymbolicDim) and difference > 0


@overload
def dilated(size: int, dilation: int) -> int: ...
@overload
def dilated(size: Dim, dilation: int) -> Dim: ...
def dilated(size: Dim, dilation: int) -> Dim:
    """The size of a row of `size` elements with dilation - 1 gaps between neighbours."""
    if size == 0 or dilation == 1:
        return size
    return (size - 1) * dilation + 1


def count_windows(size: int, reach: int, stride: int) -> int:
    """How many windows that reach over `reach` elements and move by `stride` fit in a row of `size`."""
    return (size - reach) // stride + 1 if size >= reach else 0


def zero_gradient(b: Any, op: Operation, ct: Any) -> list[None]:
    """The vjp of an op that is constant almost everywhere, or has no float operands."""
    return [None] * len(op.operands)


def signless(element: Type) -> Type:
    """The element type that `scalar` bodies see: integers without a sign."""
    if isinstance(element, t.IntegerType) and element.unsigned:
        return t.IntegerType(element.width)
    return element
