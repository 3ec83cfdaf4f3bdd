"""Index arithmetic while a function is printed: sums of values times coefficients.

An index is kept as `constant + sum(coefficient * value)` for as long as it can be. When it is needed, the terms that
belong to outer loops are added up outside, once; what is left inside is one addition and a constant offset. The same is
done for addresses. LLVM would find most of this in its loop passes, which do not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim

Code = list["str | Code"]
LARGE_LOOP = 200  # operations; 200 to 1000 run alike, and transforms of Winograd tiles have 300


@dataclass(slots=True)
class Linear:
    """constant + sum of coefficient * value; coefficients may hold symbols."""

    terms: dict[Value, Dim] = field(default_factory=dict)
    constant: Dim = 0

    def plus(self, other: Linear, factor: Dim = 1) -> Linear:
        """self + other * factor."""
        if not self.terms and not self.constant and factor == 1:
            return other
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


def large_loops(function: Operation) -> set[Operation]:
    """The loops in which LLVM is not to look for better addresses: what their index is hides behind a freeze.

    Loop strength reduction takes more than linear time, nine tenths of the compile time of a Winograd kernel, and finds
    nothing there; in short loops it is worth 1 to 3 %.
    """
    found: set[Operation] = set()

    def count(op: Operation) -> int:
        inside = 1
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    inside += count(inner) if inner.regions else 1
        if inside >= LARGE_LOOP and op.name == "scf.for":
            found.add(op)
        return inside

    count(function)
    return found
