"""Symbolic dims compute as the integers they stand for, and equal polynomials are one object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.errors import IRError
from kcompile.ir.dims import Dim, SymbolicDim, divide, evaluate, parse_dim, product, substitute, symbol, symbols_of

SIZES = {"b": 3, "t": 5, "long_name": 7}
leaves = st.one_of(st.integers(-9, 9), st.sampled_from([symbol(n) for n in SIZES]))
dims = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda x, y: x + y, inner, inner),
        st.builds(lambda x, y: x - y, inner, inner),
        st.builds(lambda x, y: x * y, inner, inner),
    ),
    max_leaves=6,
)


@given(dims, dims)
def test_arithmetic_is_that_of_the_sizes(x: Any, y: Any) -> None:
    for made, expected in (
        (x + y, evaluate(x, SIZES) + evaluate(y, SIZES)),
        (x - y, evaluate(x, SIZES) - evaluate(y, SIZES)),
        (x * y, evaluate(x, SIZES) * evaluate(y, SIZES)),
    ):
        assert evaluate(made, SIZES) == expected


@given(dims, dims, dims)
def test_equal_polynomials_are_one_object(x: Any, y: Any, z: Any) -> None:
    for one, other in ((x + y, y + x), (x * y, y * x), ((x + y) * z, x * z + y * z), (x - x, 0), ((x + y) - y, x)):
        assert one is other or one == other
        assert isinstance(one, SymbolicDim) == isinstance(other, SymbolicDim)
        assert not isinstance(one, SymbolicDim) or one is other


@given(dims)
def test_text_is_read_back(x: Dim) -> None:
    assert parse_dim(str(x)) == x


@given(dims, st.one_of(st.integers(1, 9), st.sampled_from([symbol("b"), 2 * symbol("t"), symbol("b") * symbol("t")])))
def test_an_exact_division_undoes_a_product(x: Any, divisor: Any) -> None:
    assert divide(x * divisor, divisor) == x


@given(dims, st.integers(2, 9))
def test_a_division_is_exact_or_refused(x: Any, divisor: int) -> None:
    quotient: Any = divide(x, divisor)
    assert quotient is None or quotient * divisor == x


def test_a_division_that_leaves_a_rest_is_explained() -> None:
    with pytest.raises(IRError, match=r"the symbolic dim b is not a multiple of 2"):
        symbol("b") // 2
    assert divide(symbol("b") + 1, symbol("b")) is None
    assert divide(symbol("b"), symbol("b") + 1) is None
    assert divide(symbol("b") + 1, symbol("b") + 1) == 1
    assert divide(symbol("b"), 0) is None


@given(dims, dims)
def test_substitution_is_evaluation_in_two_steps(x: Dim, y: Dim) -> None:
    replaced = substitute(x, {"b": y})
    assert evaluate(replaced, SIZES) == evaluate(x, {**SIZES, "b": evaluate(y, SIZES)})
    assert "b" not in symbols_of(replaced) or "b" in symbols_of(y)


@given(st.lists(dims, max_size=4))
def test_product(xs: list[Any]) -> None:
    expected = 1
    for x in xs:
        expected *= evaluate(x, SIZES)
    assert evaluate(product(xs), SIZES) == expected


@pytest.mark.parametrize("name", ["", "2b", "a-b", "a b"])
def test_a_symbol_is_an_identifier(name: str) -> None:
    with pytest.raises(IRError, match="identifier"):
        symbol(name)
