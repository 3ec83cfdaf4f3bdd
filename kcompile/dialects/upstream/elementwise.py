"""How the scalar operations of `arith`, `math` and `vector` are declared: type rule, NumPy meaning, interpreter hook.

Each works on scalars, on vectors, and (in the interpreter of `linalg` bodies) on whole arrays. Integers are signless:
an operation says by its name whether it reads them as unsigned. bf16 values travel as float32 arrays and are rounded
after every operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Definition, Dialect
from kcompile.ir.types import FloatType, IndexType, IntegerType, Type, VectorType

Array = Any  # an ndarray or a NumPy scalar


def round_bfloat16(x: Array) -> Array:
    """float32 rounded to the nearest bf16, ties to even; NaN stays NaN."""
    x = np.asarray(x, np.float32)
    bits = x.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), x, rounded.view(np.float32))[()]


def fit(x: Array, type: Type) -> Array:
    """`x` as a value of `type`: its NumPy dtype, and rounded where that is wider than the type."""
    element = t.element_of(type)
    dtype = t.to_numpy(element)
    x = np.asarray(x)
    if x.dtype != dtype:
        x = x.astype(dtype)
    return round_bfloat16(x) if element is t.bf16 else x[()]


def unsigned(x: Array) -> Array:
    """The same bits, read as unsigned."""
    x = np.asarray(x)
    return x.view(f"u{x.dtype.itemsize}") if x.dtype.kind == "i" else x


def signed(x: Array) -> Array:
    """The same bits, read as signed."""
    x = np.asarray(x)
    return x.view(f"i{x.dtype.itemsize}") if x.dtype.kind == "u" else x


def is_scalar_or_vector(x: Type) -> bool:
    return isinstance(t.element_of(x) if isinstance(x, VectorType) else x, FloatType | IntegerType | IndexType)


_FLOATS: set[Type] = set()  # types known to be scalars or vectors of floats: checked once
_INTEGERS: set[Type] = set()


def same_floats(*xs: Type) -> Type:
    """One type of floats for all operands; it is the result's."""
    return _same("floats", _FLOATS, t.is_float, xs)


def same_integers(*xs: Type) -> Type:
    """One type of signless integers or indices for all operands; it is the result's."""
    return _same("signless integers", _INTEGERS, _is_signless, xs)


def _is_signless(x: Type) -> bool:
    return t.is_integer(x) and not getattr(t.element_of(x), "unsigned", False)


def _same(what: str, known: set[Type], accepts: Callable[[Type], bool], xs: Sequence[Type]) -> Type:
    first = xs[0]
    if first not in known and is_scalar_or_vector(first) and accepts(first):
        known.add(first)
    if first not in known or any(x is not first for x in xs):
        raise IRError(f"operands need one type, a scalar or vector of {what}. Received: {', '.join(map(str, xs))}")
    return first


def mask_like(x: Type) -> Type:
    """i1, or the vector of i1 with the lanes of `x`."""
    return t.with_element(x, t.i1)


def interpret_by(reference: Callable[..., Any]) -> Callable[..., list[Any]]:
    """The interpreter hook of an op without attributes: `reference`, then the dtype of the result type."""

    def interpret(interp: Any, op: Operation, operands: list[Any]) -> list[Any]:
        with np.errstate(all="ignore"):
            # the interpreter holds indices as Python ints
            arrays = [np.int64(x) if x.__class__ is int else x for x in operands]
            return [fit(reference(*arrays), op.results[0].type)]

    return interpret


def define(
    dialect: Dialect,
    name: str,
    doc: str,
    infer: Callable[..., Any],
    reference: Callable[..., Any],
    arity: int = 2,
    traits: str = "pure elementwise",
) -> Definition:
    """Register an op that is nothing but a function of its operands."""
    names = {1: "x", 2: "x y", 3: "x y z"}[arity]
    fields = {"__doc__": doc, "infer": infer, "reference": reference, "interpret": interpret_by(reference)}
    return dialect.op(name, ins=names, traits=traits)(type(name, (), fields))
