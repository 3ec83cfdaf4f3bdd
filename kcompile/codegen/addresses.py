"""Index arithmetic while a function is printed: sums of values times coefficients.

An index is kept as `constant + sum(coefficient * value)` for as long as it can be. When it is needed, the terms that
belong to outer loops are added up outside, once; what is left inside is one addition and a constant offset. The same is
done for addresses. LLVM would find most of this in its loop passes, which do not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kcompile.ir.core import Value
from kcompile.ir.dims import Dim

Code = list["str | Code"]


@dataclass(slots=True)
class Linear:
    """constant + sum of coefficient * value; coefficients may hold symbols."""

    terms: dict[Value, Dim] = field(default_factory=dict)
    constant: Dim = 0

    def plus(self, other: Linear, factor: Dim = 1) -> Linear:
        """self + other * factor."""
        terms = dict(self.terms)
        for value, coefficient in other.terms.items():
            total = terms.get(value, 0) + coefficient * factor
            if total == 0:
                terms.pop(value, None)
            else:
                terms[value] = total
        return Linear(terms, self.constant + other.constant * factor)


@dataclass(slots=True)
class Scope:
    """A region being printed.

    hook    code that runs right before the region is entered: what is hoisted out of it
    known   names of what was computed for this region and all inside, by what it is
    """

    hook: Code
    known: dict[object, str] = field(default_factory=dict)
