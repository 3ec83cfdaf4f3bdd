"""Random operands and attributes of each op: they drive the property tests, the gradient checks and the kernels' tests.

>>> from kcompile.ir.definition import lookup
>>> case = lookup("graph.add").samples.draw(np.random.default_rng(0), t.f32)      # doctest: +SKIP
>>> case.types, case.attributes                                                  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.types import TensorType, Type

Array = np.ndarray[Any, np.dtype[Any]]
Rng = np.random.Generator

FLOATS: tuple[Type, ...] = (t.f32, t.f64, t.f16, t.bf16)
SIGNED: tuple[Type, ...] = (t.i8, t.i16, t.i32, t.i64)
UNSIGNED: tuple[Type, ...] = (t.ui8, t.ui16, t.ui32, t.ui64)
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTEGERS
BITS: tuple[Type, ...] = (t.i1, *INTEGERS)
EVERYTHING: tuple[Type, ...] = (*NUMBERS, t.i1)


@dataclass(frozen=True)
class Case:
    """Operands that an op accepts: their arrays, their types, and the attributes."""

    arrays: list[Array]
    types: list[TensorType]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Samples:
    """`draw(rng, element)` gives a random Case for one of `elements`; its first operands have that element type."""

    elements: tuple[Type, ...]
    draw: Callable[[Rng, Type], Case]


def case(element: Type, *arrays: Array, **attributes: Any) -> Case:
    """A case whose operands all have `element`."""
    return Case(list(arrays), [TensorType(a.shape, element) for a in arrays], attributes)


def values(rng: Rng, shape: tuple[int, ...], element: Type, low: float = -3.0, high: float = 3.0) -> Array:
    """Random elements of `shape`: floats in [low, high), small integers (unsigned from 0), truth values."""
    dtype = t.to_numpy(element)
    if t.is_float(element):
        return round_to_element(rng.uniform(low, high, shape), element)
    if element is t.i1:
        return rng.integers(0, 2, shape).astype(np.bool_)
    first = 0 if t.is_unsigned(element) else int(low) * 3
    return rng.integers(first, max(int(high) * 3, 2), shape).astype(dtype)


def distinct(rng: Rng, shape: tuple[int, ...], element: Type) -> Array:
    """Elements that differ by 1/16 or more where the type has room, so that no two tie for a maximum."""
    size = int(np.prod(shape))
    order = rng.permutation(size)
    if t.is_float(element):
        return round_to_element((order - size // 2) / 16, element).reshape(shape)
    return (order % 127).astype(t.to_numpy(element)).reshape(shape)


def round_to_element(array: Any, element: Type) -> Array:
    """`array` as values of `element` (bf16 in float32 arrays)."""
    made = np.asarray(array).astype(t.to_numpy(element))
    if element is not t.bf16:
        return made
    bits = made.view(np.uint32) if made.ndim else made.reshape(1).view(np.uint32)
    bits = (bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(made), bits.view(np.float32).reshape(made.shape), made)


def shape(rng: Rng, low: int = 0, high: int = 4, largest: int = 7) -> tuple[int, ...]:
    """A shape of `low` to `high` - 1 dims; one in twenty dims is 0."""
    rank = int(rng.integers(low, high))
    return tuple(0 if rng.random() < 0.05 else int(rng.integers(1, largest)) for _ in range(rank))


def integers(rng: Rng, low: int, high: int, count: int) -> tuple[int, ...]:
    """`count` random integers in [low, high)."""
    return tuple(int(v) for v in rng.integers(low, high, count))


def elementwise(
    operands: int, elements: tuple[Type, ...], low: float = -3.0, high: float = 3.0, **attributes: Callable[[Rng], Any]
) -> Samples:
    """Operands of one shape with values in [low, high); `attributes` are drawn by functions of the generator."""

    def draw(rng: Rng, element: Type) -> Case:
        dims = shape(rng)
        arrays = [values(rng, dims, element, low, high) for _ in range(operands)]
        return case(element, *arrays, **{k: f(rng) for k, f in attributes.items()})

    return Samples(elements, draw)


def choice(*options: Any) -> Callable[[Rng], Any]:
    """A function that draws one of `options`."""
    return lambda rng: options[int(rng.integers(len(options)))]
