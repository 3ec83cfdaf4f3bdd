"""How far a compiled result may be from the reference: bounds derived from the arithmetic, not guessed.

exact          bit for bit (nan equals nan)
ulp(n)         each element within n units in its last place
accumulated    sums: |error| <= count * eps * (the same sum over absolute values), the bound for any order of adding
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.definition import Definition
from kcompile.ir.types import Type

Array = np.ndarray[Any, np.dtype[Any]]

_EPSILON: dict[Type, float] = {t.f16: 2.0**-10, t.bf16: 2.0**-7, t.f32: 2.0**-23, t.f64: 2.0**-52}
_SMALLEST: dict[Type, float] = {t.f16: 2.0**-24, t.bf16: 2.0**-133, t.f32: 2.0**-149, t.f64: 2.0**-1074}  # near 0
_EXPONENT: dict[Type, int] = {t.f16: -14, t.bf16: -126, t.f32: -126, t.f64: -1022}


@dataclass(frozen=True)
class Tolerance:
    """`ulps` in the last place, plus the rounding of sums where `accumulates`.

    narrow     sums of f16 and bf16 are rounded at each step, not once from f32
    addends    the operands that are summed (all unless said); the others only choose what is
    """

    ulps: float = 0.0
    accumulates: bool = False
    narrow: bool = False
    addends: tuple[int, ...] | None = None

    def bound(
        self,
        definition: Definition,
        arrays: Sequence[Array],
        attributes: Mapping[str, Any],
        expected: Array,
        element: Type,
    ) -> Array:
        """The largest allowed |actual - expected| for each element of a result of type `element`."""
        if not t.is_float(element):
            return np.zeros(expected.shape)
        bound = self.ulps * ulp_of(expected, element)
        if self.accumulates and definition.reference is not None and expected.size:
            wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
            for i in range(len(wide)) if self.addends is None else self.addends:
                wide[i] = np.abs(wide[i]) if wide[i].dtype.kind == "f" else wide[i]
            magnitude = np.asarray(definition.reference(*wide, **attributes), np.float64)
            count = max(2.0, sum(a.size for a in arrays) / max(1, expected.size) + 8.0)
            step = _EPSILON[t.f32] if element in (t.f16, t.bf16) and not self.narrow else _EPSILON[element]
            bound = bound + count * step * magnitude + ulp_of(expected, element)
        return np.asarray(bound)


def ulp(n: float) -> Tolerance:
    return Tolerance(float(n))


exact = Tolerance()
accumulated = Tolerance(0.0, True)


def ulp_of(x: Array, element: Type) -> Array:
    """The distance from |x| to the next float of `element`."""
    with np.errstate(all="ignore"):
        magnitude = np.abs(np.asarray(x, np.float64))
        exponent = np.where(magnitude > 0, np.frexp(magnitude)[1] - 1, _EXPONENT[element])
        step = np.ldexp(_EPSILON[element], np.maximum(exponent, _EXPONENT[element]))
    return np.where(np.isfinite(magnitude), np.maximum(step, _SMALLEST[element]), 0.0)


def mismatch(
    definition: Definition,
    arrays: Sequence[Array],
    attributes: Mapping[str, Any],
    actual: Array,
    expected: Array,
    element: Type,
) -> str | None:
    """A sentence about the worst element if `actual` is further from `expected` than the op's tolerance; else None."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return f"{actual.dtype}{actual.shape} instead of {expected.dtype}{expected.shape}"
    if not t.is_float(element):
        wrong = actual != expected
    else:
        bound = definition.tolerance.bound(definition, arrays, attributes, expected, element)
        with np.errstate(all="ignore"):
            close = np.abs(actual.astype(np.float64) - expected.astype(np.float64)) <= bound
        wrong = ~(close | (actual == expected) | (np.isnan(actual) & np.isnan(expected)))
    if not wrong.any():
        return None
    worst = tuple(int(i) for i in np.argwhere(wrong)[0])
    found = f"at {worst}: {actual[worst]!r} instead of {expected[worst]!r}"
    return f"{int(wrong.sum())} of {wrong.size} elements differ; {found}"
