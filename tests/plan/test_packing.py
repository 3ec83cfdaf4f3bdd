"""Packing: buffers that are alive together never overlap, whatever the sizes of the symbols are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kcompile.ir.dims import Dim, evaluate, symbol
from kcompile.transforms.plan.packing import Lifetime, apart, at_most, bound, pack

B, T = symbol("b"), symbol("t")
dims = st.builds(
    lambda c, b, t, bt: c + b * B + t * T + bt * B * T,
    st.integers(0, 300), st.integers(0, 300), st.sampled_from([0, 0, 0, 7]), st.sampled_from([0, 0, 0, 3]),
)  # fmt: skip
lifetimes = st.builds(
    lambda size, first, length: Lifetime(size, first, first + length), dims, st.integers(0, 12), st.integers(0, 6)
)
sizes = st.fixed_dictionaries({"b": st.integers(0, 5000), "t": st.integers(0, 5000)})


@given(st.lists(lifetimes, max_size=14), sizes)
def test_buffers_alive_together_are_apart_and_the_arena_holds_all(buffers: list[Lifetime], at: dict[str, int]) -> None:
    offsets, total = pack(buffers)
    assert len(offsets) == len(buffers)
    places = [(evaluate(o, at), evaluate(x.size, at)) for o, x in zip(offsets, buffers, strict=True)]
    for offset, size in places:
        assert offset % 64 == 0
        assert offset >= 0
        assert offset + size <= evaluate(total, at)
    for i, (low, size) in enumerate(places):
        for j, (other, length) in enumerate(places[:i]):
            if buffers[i].meets(buffers[j]) and size and length:
                assert low + size <= other or other + length <= low, (i, j)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=12))
def test_one_symbol_packs_as_numbers_do(rows: list[tuple[int, int, int]]) -> None:
    plain = [Lifetime(64 * n, first, first + length) for n, first, length in rows]
    symbolic = [Lifetime(64 * n * B, first, first + length) for n, first, length in rows]
    offsets, total = pack(plain)
    scaled, scaled_total = pack(symbolic)
    assert [evaluate(o, {"b": 1}) for o in scaled] == offsets
    assert evaluate(scaled_total, {"b": 1}) == total


def test_a_chain_needs_two_buffers() -> None:
    chain = [Lifetime(64 * B, i, i + 1) for i in range(10)]
    assert pack(chain)[1] == 128 * B


def test_no_worse_than_the_worst_moment_where_lifetimes_nest() -> None:
    nested = [Lifetime(64, i, 9 - i) for i in range(5)]
    assert pack(nested)[1] == 5 * 64


@given(dims, sizes)
def test_a_bound_is_an_upper_one(size: Dim, at: dict[str, int]) -> None:
    assert evaluate(bound(size - 17, 64), at) >= evaluate(size - 17, at)
    assert evaluate(bound(size, 64), at) % 64 == 0


@given(dims, dims, sizes)
def test_what_compares_by_coefficients_compares_by_value(a: Dim, b: Dim, at: dict[str, int]) -> None:
    if at_most(a, b):
        assert evaluate(a, at) <= evaluate(b, at)
    if apart(0, a, b, 64):
        assert evaluate(a, at) <= evaluate(b, at)
