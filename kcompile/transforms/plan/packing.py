"""Packing: offsets in one arena for buffers with lifetimes, so that buffers alive at the same time never overlap.

Greedy by size: the largest buffer first, each at the lowest place that no overlapping lifetime has taken. Sizes are
polynomials with coefficients >= 0 in the symbols; p <= q is decided coefficient by coefficient, so a placement that is
found holds for every size of every symbol. Where two polynomials cannot be compared, a buffer goes on top of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.ir.dims import NOMINAL_SIZE, Dim, Monomial, SymbolicDim, symbol

Terms = dict[Monomial, int]
Coefficients = np.ndarray[Any, np.dtype[np.int64]]

# Which of two buffers counts as the larger is decided at this size of every symbol: a usual batch.


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A buffer of `size` bytes that is alive from step `first` to step `last`, both included."""

    size: Dim
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        return self.first <= other.last and other.first <= self.last


def terms_of(dim: Dim) -> Terms:
    """The polynomial as {monomial: coefficient}."""
    return dict(dim.terms) if isinstance(dim, SymbolicDim) else ({(): dim} if dim else {})


def dim_of(terms: Terms) -> Dim:
    """The dim of {monomial: coefficient}."""
    total: Dim = 0
    for monomial, coefficient in terms.items():
        term: Dim = coefficient
        for name in monomial:
            term = term * symbol(name)
        total = total + term
    return total


def bound(size: Dim, alignment: int) -> Dim:
    """A polynomial of coefficients >= 0, all multiples of `alignment`, that is never below `size`.

    >>> bound(40 * symbol("b") - 4, 64)
    64*b
    """
    return dim_of({m: -(-c // alignment) * alignment for m, c in terms_of(size).items() if c > 0})


def at_most(a: Dim, b: Dim) -> bool:
    """Whether a <= b for all sizes, as far as the coefficients tell; both have coefficients >= 0."""
    larger = terms_of(b)
    return all(c <= larger.get(m, 0) for m, c in terms_of(a).items())


def apart(offset: Dim, size: Dim, other_offset: Dim, other_size: Dim) -> bool:
    """Whether two ranges never overlap, whatever the sizes are."""
    return at_most(offset + size, other_offset) or at_most(other_offset + other_size, offset)


def pack(lifetimes: Sequence[Lifetime], alignment: int = 64) -> tuple[list[Dim], Dim]:
    """An offset for each lifetime, and the bytes of the arena.

    >>> pack([Lifetime(64, 0, 1), Lifetime(128, 1, 2), Lifetime(64, 2, 3)])
    ([128, 0, 128], 192)
    """
    bounds = [terms_of(bound(lifetime.size, alignment)) for lifetime in lifetimes]
    monomials = sorted({m for terms in bounds for m in terms}, key=lambda m: (len(m), m))
    sizes = np.array([[terms.get(m, 0) for m in monomials] for terms in bounds], np.int64)
    sizes = sizes.reshape(len(bounds), len(monomials))
    weights = np.array([float(NOMINAL_SIZE) ** len(m) for m in monomials])
    first = np.array([lifetime.first for lifetime in lifetimes], np.int64)
    last = np.array([lifetime.last for lifetime in lifetimes], np.int64)
    offsets = np.zeros_like(sizes)
    total = np.zeros(len(monomials), np.int64)
    placed = np.zeros(len(bounds), np.bool_)
    weighed = sizes @ weights
    for i in sorted(range(len(bounds)), key=lambda i: (-weighed[i], lifetimes[i].first, i)):
        if not sizes[i].any():
            continue
        rivals = placed & (first <= last[i]) & (last >= first[i])
        offsets[i] = _lowest(sizes[i], offsets[rivals], offsets[rivals] + sizes[rivals], weights)
        placed[i] = True
        total = np.maximum(total, offsets[i] + sizes[i])
    named = [dim_of(dict(zip(monomials, map(int, row), strict=True))) for row in (*offsets, total)]
    return named[:-1], named[-1]


_AT_ONCE = 16  # candidates


def _lowest(size: Coefficients, lows: Coefficients, tops: Coefficients, weights: Any) -> Coefficients:
    """The lowest of: 0, on top of one rival, on top of all; rivals occupy lows .. tops."""
    candidates = np.concatenate([np.zeros((1, len(size)), np.int64), tops])
    if len(tops):
        candidates = np.concatenate([candidates, tops.max(0)[None]])  # apart from all rivals: a place always exists
    candidates = np.unique(candidates, axis=0)
    heights = candidates @ weights
    order = np.argsort(heights, kind="stable")  # equal ones stay in their order, which `unique` has made
    for start in range(0, len(order), _AT_ONCE):  # mostly one of the first is free
        some = order[start : start + _AT_ONCE]
        tried = candidates[some]
        below = above = np.ones((len(some), len(tops)), np.bool_)
        for k in range(len(size)):  # a column at a time: reducing over an axis of one or two is ten times slower
            below = below & (tried[:, k, None] + size[k] <= lows[None, :, k])
            above = above & (tops[None, :, k] <= tried[:, k, None])
        free = np.flatnonzero(np.all(below | above, axis=1))
        if len(free):
            lowest: Coefficients = tried[free[0]]
            return lowest
    raise AssertionError("on top of all rivals there is always a place")
