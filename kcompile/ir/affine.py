"""Affine maps: (d0, d1) -> (d0 * 2 + d1, 3): how a loop nest's dims index a tensor. Interned; MLIR syntax.

An expression is a sum of dims with integer coefficients plus a constant, which is all that strides, dilations, windows,
broadcasts, transposes, slices and reversals need.

>>> str(affine_map(2, [expr({0: 2, 1: 1}), expr({}, 3)]))
'(d0, d1) -> (d0 * 2 + d1, 3)'
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from kcompile.errors import IRError


class AffineExpr:
    """sum(coefficient * d_i) + constant; `terms` is sorted by dim and holds no zero coefficient."""

    __slots__ = ("constant", "terms")
    terms: tuple[tuple[int, int], ...]
    constant: int
    _pool: ClassVar[dict[tuple[tuple[tuple[int, int], ...], int], AffineExpr]] = {}

    def __new__(cls, terms: tuple[tuple[int, int], ...], constant: int) -> AffineExpr:
        self = cls._pool.get((terms, constant))
        if self is None:
            self = object.__new__(cls)
            self.terms, self.constant = terms, constant
            cls._pool[(terms, constant)] = self
        return self

    @property
    def dim(self) -> int | None:
        """The dim this expression is, with coefficient 1 and nothing added; else None."""
        if self.constant == 0 and len(self.terms) == 1 and self.terms[0][1] == 1:
            return self.terms[0][0]
        return None

    def coefficient(self, dim: int) -> int:
        return next((c for d, c in self.terms if d == dim), 0)

    def __str__(self) -> str:
        text = ""
        for dim, c in self.terms:
            body = f"d{dim}" if abs(c) == 1 else f"d{dim} * {abs(c)}"
            if not text:
                text = body if c > 0 else f"-d{dim}" if c == -1 else f"d{dim} * {c}"
            else:
                text += f" {'+' if c > 0 else '-'} {body}"
        if self.constant or not text:
            text += f"{self.constant}" if not text else f" {'+' if self.constant > 0 else '-'} {abs(self.constant)}"
        return text

    __repr__ = __str__


class AffineMap:
    """(d0, .., d_{dims-1}) -> results."""

    __slots__ = ("dims", "results", "text")
    dims: int
    results: tuple[AffineExpr, ...]
    text: str
    _pool: ClassVar[dict[tuple[int, tuple[AffineExpr, ...]], AffineMap]] = {}

    def __new__(cls, dims: int, results: tuple[AffineExpr, ...]) -> AffineMap:
        self = cls._pool.get((dims, results))
        if self is None:
            if any(d >= dims for e in results for d, _ in e.terms):
                raise IRError(f"an affine map of {dims} dims names a dim it does not have. Received: {results}")
            self = object.__new__(cls)
            self.dims, self.results = dims, results
            names = ", ".join(f"d{i}" for i in range(dims))
            self.text = f"({names}) -> ({', '.join(map(str, results))})"
            cls._pool[(dims, results)] = self
        return self

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    @property
    def is_identity(self) -> bool:
        return len(self.results) == self.dims and all(e.dim == i for i, e in enumerate(self.results))

    @property
    def is_permutation(self) -> bool:
        return sorted(e.dim if e.dim is not None else -1 for e in self.results) == list(range(self.dims))

    def compose(self, inner: AffineMap) -> AffineMap:
        """self(inner(dims)): `inner` has as many results as self has dims."""
        return _compose(self, inner)

    def used_dims(self) -> set[int]:
        return {d for e in self.results for d, _ in e.terms}


def expr(coefficients: Mapping[int, int], constant: int = 0) -> AffineExpr:
    """The expression with these coefficients by dim."""
    return AffineExpr(tuple(sorted((d, c) for d, c in coefficients.items() if c)), constant)


@functools.lru_cache(maxsize=1 << 16)  # fusion composes the same few maps over and over
def _compose(outer: AffineMap, inner: AffineMap) -> AffineMap:
    if len(inner.results) != outer.dims:
        raise IRError(f"affine maps do not compose: {outer} after {inner}")
    return AffineMap(inner.dims, tuple(substitute(e, inner.results) for e in outer.results))


@functools.cache
def dim_expr(dim: int) -> AffineExpr:
    return AffineExpr(((dim, 1),), 0)


def constant_expr(value: int) -> AffineExpr:
    return AffineExpr((), value)


def affine_map(dims: int, results: Sequence[AffineExpr]) -> AffineMap:
    return AffineMap(dims, tuple(results))


@functools.cache
def identity_map(dims: int) -> AffineMap:
    return AffineMap(dims, tuple(dim_expr(i) for i in range(dims)))


def dims_map(dims: int, results: Sequence[int]) -> AffineMap:
    """The map whose results are plain dims, for example a permutation or a projection."""
    return AffineMap(dims, tuple(dim_expr(d) for d in results))


def substitute(expression: AffineExpr, values: Sequence[AffineExpr]) -> AffineExpr:
    """`expression` with each dim replaced by the expression in `values`."""
    total: dict[int, int] = {}
    constant = expression.constant
    for dim, c in expression.terms:
        constant += c * values[dim].constant
        for inner, k in values[dim].terms:
            total[inner] = total.get(inner, 0) + c * k
    return expr(total, constant)


def parse_affine_map(text: str) -> AffineMap:
    """The map that `str` printed: `(d0, d1) -> (d0 * 2 + d1, 3)`."""
    match = re.fullmatch(r"\s*\(([^()]*)\)\s*->\s*\(([^()]*)\)\s*", text)
    if match is None:
        raise IRError(f"not an affine map of plain sums. Received: {text!r}")
    names = [n.strip() for n in match[1].split(",") if n.strip()]
    return affine_map(len(names), [_parse_expr(e, names) for e in match[2].split(",") if e.strip()])


def _parse_expr(text: str, names: list[str]) -> AffineExpr:
    total: dict[int, int] = {}
    constant = 0
    compact = text.replace(" ", "").replace("*-", "*~")
    if not re.fullmatch(r"[+-]?[\w*~]+([+-][\w*~]+)*", compact):
        raise IRError(f"not a sum of dims with integer coefficients. Received: {text!r}")
    for sign, term in re.findall(r"([+-]?)([^+-]+)", compact):
        value = -1 if sign == "-" else 1
        dim = None
        for factor in term.split("*"):
            factor = factor.replace("~", "-")
            if factor in names:
                dim = names.index(factor)
            elif re.fullmatch(r"-?\d+", factor):
                value *= int(factor)
            else:
                raise IRError(f"not a sum of dims with integer coefficients. Received: {text!r}")
        if dim is None:
            constant += value
        else:
            total[dim] = total.get(dim, 0) + value
    return expr(total, constant)
