"""Affine maps compute what they print, compose as functions, and are interned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.errors import IRError
from kcompile.ir.affine import AffineMap, affine_map, dims_map, expr, identity_map, parse_affine_map


@st.composite
def maps(draw: Any, dims: int, results: int) -> AffineMap:
    coefficients = st.dictionaries(st.integers(0, dims - 1), st.integers(-5, 5), max_size=3) if dims else st.just({})
    return affine_map(dims, [expr(draw(coefficients), draw(st.integers(-9, 9))) for _ in range(results)])


def apply(map_: AffineMap, point: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(e.constant + sum(c * point[d] for d, c in e.terms) for e in map_.results)


@given(st.data())
def test_text_is_read_back_and_means_what_it_says(data: st.DataObject) -> None:
    dims = data.draw(st.integers(0, 4))
    map_ = data.draw(maps(dims, data.draw(st.integers(0, 3))))
    assert parse_affine_map(str(map_)) is map_
    point = tuple(data.draw(st.integers(-9, 9)) for _ in range(dims))
    body = str(map_).partition("->")[2].strip()
    values = eval(f"({body[1:-1]},)" if map_.results else "()", {f"d{i}": v for i, v in enumerate(point)})
    assert values == apply(map_, point)


@given(st.data())
def test_composition(data: st.DataObject) -> None:
    outer_dims, inner_dims = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    outer = data.draw(maps(outer_dims, 2))
    inner = data.draw(maps(inner_dims, outer_dims))
    point = tuple(data.draw(st.integers(-9, 9)) for _ in range(inner_dims))
    assert apply(outer.compose(inner), point) == apply(outer, apply(inner, point))
    assert identity_map(2).compose(outer) is outer
    assert outer.compose(identity_map(outer_dims)) is outer


@given(st.permutations(range(4)))
def test_predicates(order: list[int]) -> None:
    map_ = dims_map(4, order)
    assert map_.is_permutation
    assert map_.is_identity == (order == [0, 1, 2, 3])
    assert map_.used_dims() == {0, 1, 2, 3}
    assert not dims_map(4, order[:3]).is_permutation


def test_what_is_refused() -> None:
    with pytest.raises(IRError, match="names a dim it does not have"):
        dims_map(1, [1])
    with pytest.raises(IRError, match="do not compose"):
        identity_map(2).compose(identity_map(3))
    for text in ("(d0) -> (d0 floordiv 2)", "(d0)[s0] -> (s0)", "(d0) -> (d1)", "d0"):
        with pytest.raises(IRError):
            parse_affine_map(text)
