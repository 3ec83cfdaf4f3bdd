"""Dimensions: an int, or a polynomial with integer coefficients over named symbols.

Polynomials are canonical and interned, so equality is identity. There is no solver: dims are added, multiplied,
divided where the division is exact, and compared for equality.

>>> b = symbol("b")
>>> str(2 * b + 1), (2 * b) // 2 is b, evaluate(3 * b, {"b": 4})
('2*b+1', True, 12)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Union

from kcompile.errors import IRError

NOMINAL_SIZE = 32  # what a symbol counts as where sizes are compared: a usual batch

Dim = Union[int, "SymbolicDim"]
Monomial = tuple[str, ...]


class SymbolicDim:
    """A polynomial that holds at least one symbol. Make one with `symbol` and arithmetic."""

    __slots__ = ("terms",)
    terms: tuple[tuple[Monomial, int], ...]
    _pool: ClassVar[dict[tuple[tuple[Monomial, int], ...], SymbolicDim]] = {}

    def __add__(self, other: Dim) -> Dim:
        return _make(_terms(self) + _terms(other))

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: Dim) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        return _make([(tuple(sorted(m + n)), c * d) for m, c in _terms(self) for n, d in _terms(other)])

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        quotient = divide(self, other)
        if quotient is None:
            raise IRError(f"the symbolic dim {self} is not a multiple of {other}; give that axis a fixed size")
        return quotient

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            factors = "*".join(
                ([str(abs(coefficient))] if abs(coefficient) != 1 or not monomial else []) + list(monomial)
            )
            text += ("-" if coefficient < 0 else "+" if text else "") + factors
        return text

    __repr__ = __str__


def symbol(name: str) -> SymbolicDim:
    """The dim called `name`, for example the batch `b`."""
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise IRError(f"a symbolic dim needs an identifier as its name. Received: {name!r}")
    dim = _make([((name,), 1)])
    assert isinstance(dim, SymbolicDim)
    return dim


def _terms(dim: Dim) -> list[tuple[Monomial, int]]:
    return list(dim.terms) if isinstance(dim, SymbolicDim) else [((), int(dim))]


def _make(terms: Sequence[tuple[Monomial, int]]) -> Dim:
    total: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + coefficient
    kept = tuple(sorted(((m, c) for m, c in total.items() if c), key=lambda t: (-len(t[0]), t[0])))
    if all(not m for m, _ in kept):
        return kept[0][1] if kept else 0
    dim = SymbolicDim._pool.get(kept)
    if dim is None:
        dim = object.__new__(SymbolicDim)
        dim.terms = kept
        SymbolicDim._pool[kept] = dim
    return dim


def divide(dim: Dim, divisor: Dim) -> Dim | None:
    """`dim / divisor` where the division is exact and `divisor` is one monomial, else None."""
    if dim is divisor:
        return 1
    divisor_terms = _terms(divisor)
    if len(divisor_terms) != 1 or divisor_terms[0][1] == 0:
        return None
    monomial, coefficient = divisor_terms[0]
    quotient = []
    for m, c in _terms(dim):
        if c == 0:  # 0 has no other factor to look for
            continue
        rest = list(m)
        for name in monomial:
            if name not in rest:
                return None
            rest.remove(name)
        if c % coefficient:
            return None
        quotient.append((tuple(rest), c // coefficient))
    return _make(quotient)


def floor_divide(dim: Dim, divisor: int) -> Dim | None:
    """`dim / divisor` rounded down for every size of the symbols, or None where that is no polynomial.

    >>> str(floor_divide(4 * symbol("h") + 3, 2))
    '2*h+1'
    """
    quotient = []
    for monomial, coefficient in _terms(dim):
        if monomial and coefficient % divisor:
            return None
        quotient.append((monomial, coefficient // divisor))
    return _make(quotient)


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The size of `dim` when each symbol has the size given in `sizes`."""
    if not isinstance(dim, SymbolicDim):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        for name in monomial:
            coefficient *= sizes[name]
        total += coefficient
    return total


def nominal(dim: Dim) -> int:
    """A number to compare sizes with, when a dim is symbolic."""
    return evaluate(dim, dict.fromkeys(symbols_of(dim), NOMINAL_SIZE)) if isinstance(dim, SymbolicDim) else dim


def substitute(dim: Dim, sizes: Mapping[str, Dim]) -> Dim:
    """`dim` with symbols replaced; symbols that `sizes` lacks stay."""
    total: Dim = 0
    for monomial, coefficient in _terms(dim):
        term: Dim = coefficient
        for name in monomial:
            term = term * sizes.get(name, _make([((name,), 1)]))
        total = total + term
    return total


def symbols_of(dim: Dim) -> set[str]:
    """The names of the symbols in `dim`."""
    return {name for monomial, _ in _terms(dim) for name in monomial}


def product(dims: Sequence[Dim]) -> Dim:
    """The product of `dims`; 1 for none."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def parse_dim(text: str) -> Dim:
    """The dim that `str` printed."""
    total: Dim = 0
    for sign, term in re.findall(r"([+-]?)([^+-]+)", text.replace(" ", "")):
        value: Dim = -1 if sign == "-" else 1
        for factor in term.split("*"):
            value = value * (int(factor) if factor.isdigit() else symbol(factor))
        total = total + value
    return total
