"""Terms of sums of indices: numbers times symbols, and what they count: units of workers, turns of loops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Union

from kcompile.ir.core import Value
from kcompile.ir.dims import Dim, Monomial, SymbolicDim

Number = Union[int, Fraction]


class UnknownIndexError(Exception):
    """An index that is no sum of units, counters and sizes."""


@dataclass(frozen=True, slots=True)
class Term:
    """A number times symbols, each at least 1."""

    number: Number = 1
    symbols: Monomial = ()

    def times(self, other: Term) -> Term:
        if other is ONE:
            return self
        symbols = tuple(sorted((*self.symbols, *other.symbols))) if other.symbols else self.symbols
        return Term(_whole(self.number * other.number), symbols)

    def over(self, other: Term) -> Term:
        if other is ONE:
            return self
        rest = list(self.symbols)
        for name in other.symbols:
            if name not in rest:
                raise UnknownIndexError
            rest.remove(name)
        number, rest_of_number = divmod(self.number, other.number)
        return Term(number if rest_of_number == 0 else Fraction(self.number) / other.number, tuple(rest))

    def at(self, size: int) -> Number:
        """The value where every symbol is `size`."""
        return _whole(self.number * size ** len(self.symbols))


ONE = Term()


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Places in range(total) that workers share out, pieces of `grain` never cut: a share is from `low` to `high`."""

    low: Value
    high: Value
    total: Term
    grain: int
    digits: dict[Term, Digit] = field(default_factory=dict)

    def digit(self, every: Term) -> Digit:
        """The unit number // every."""
        found = self.digits.get(every)
        if found is None:
            found = self.digits[every] = Digit(self, every)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """u // every: one object for each, made by `Units.digit`."""

    units: Units
    every: Term


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """What varies between two sums: the variable of a loop inside, or one of two values."""

    variable: Value
    depth: int


Atom = Union[Digit, Counter, None]  # None: the number 1
Sum = dict[tuple[Atom, Monomial], Number]


def _whole(number: Number) -> Number:
    return number if number.__class__ is int or number.denominator != 1 else number.numerator


def add(a: Sum, b: Sum, times: Number = 1) -> Sum:
    """a + times * b."""
    total = dict(a)
    for key, number in b.items():
        made = _whole(total.get(key, 0) + times * number)
        if made:
            total[key] = made
        else:
            total.pop(key, None)
    return total


def scale(a: Sum, size: Sum) -> Sum:
    """a times a size."""
    total: Sum = {}
    for (_, symbols), number in size.items():
        factor = Term(number, symbols)
        for (atom, own), n in a.items():
            made = Term(n, own).times(factor)
            total = add(total, {(atom, made.symbols): made.number})
    return total


def constant(number: Number) -> Sum:
    return {(None, ()): number} if number else {}


def is_size(a: Sum) -> bool:
    return all(atom is None for atom, _ in a)


def never_negative(a: Sum) -> bool:
    """Whether a size is at least 0 wherever every symbol is at least 1, as far as the coefficients tell."""
    return all(n > 0 or not symbols for (_, symbols), n in a.items()) and sum(a.values()) >= 0


def one_term(a: Sum) -> Term:
    """A size that is one positive term."""
    if len(a) != 1 or not is_size(a):
        raise UnknownIndexError
    ((_, symbols), number) = next(iter(a.items()))
    if number <= 0:
        raise UnknownIndexError
    return Term(number, symbols)


@dataclass(frozen=True, slots=True)
class Digits:
    """(every, what one more of this digit adds, how many values it has), the least first."""

    steps: tuple[tuple[Term, Sum, Term], ...]

    def ends(self, up: bool) -> Sum:
        """The greatest sum of all, or the least."""
        total: Sum = {}
        for _, step, size in self.steps:
            if not step:
                continue
            grows = all(n > 0 for n in step.values())
            if not grows and not all(n < 0 for n in step.values()):
                raise UnknownIndexError
            if grows == up:
                total = add(total, scale(step, add(scale_one(size), constant(1), -1)))
        return total


def scale_one(term: Term) -> Sum:
    return {(None, term.symbols): term.number}


def unit(units: Units) -> Sum:
    """The unit itself; 0 where there is only one."""
    return {(units.digit(ONE), ()): 1} if units.total != ONE else {}


def units_of(sums: Iterable[Sum]) -> set[Units]:
    """Whose units occur."""
    return {atom.units for a in sums for atom, _ in a if isinstance(atom, Digit)}


def size_of(dim: Dim) -> Sum:
    """A dim as a sum."""
    if not isinstance(dim, SymbolicDim):
        return constant(dim)
    return {(None, symbols): number for symbols, number in dim.terms}
