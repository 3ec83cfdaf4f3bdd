"""Shares of buffers: what a worker of a native kernel writes and reads lies in its share, and shares that go together
are apart from worker to worker."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.kernels import Kernel, compile_kernels
from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.dims import evaluate, symbols_of
from kcompile.strategies.select import lower
from kcompile.transforms.plan.index_terms import ONE, Term
from kcompile.transforms.plan.worker_shares import KernelShares, Share, Shares, together
from tests.strategies.test_strategies import CASES, arrays_for

BATCHES = (1, 8, 9)


def span(share: Share, tid: int, team: int, size: int) -> tuple[int, int]:
    """The bytes of a buffer that a share gives a worker, where every symbol is `size`."""
    if share.alone:
        return (share.start, share.start + int(share.step.at(size))) if tid == 0 else (0, 0)
    total, every, step = (int(term.at(size)) for term in (share.total, share.every, share.step))
    pieces = math.ceil(total / share.grain)
    chunk = math.ceil(pieces / team) * share.grain
    low, high = min(tid * chunk, total), min(tid * chunk + chunk, total)
    return (low // every * step, -(-high // every) * step) if low < high else (0, 0)


def is_whole(terms: frozenset[Term], size: int, by: int = 1) -> bool:
    return all(Fraction(term.at(size)) % by == 0 for term in terms)


@functools.cache
def kernels() -> tuple[dict[str, Kernel], dict[str, Operation]]:
    """All cases of the strategies in one object, and their loops."""
    module, loops = new_module(), {}
    for case, (_, build, _, _) in CASES.items():
        (function,) = module_functions(build())
        function["sym_name"] = case.replace(" ", "_")
        loops[case] = lower(function, Target.host())
        module.body.append(loops[case])
    return compile_kernels(module, Target.host()), loops


def inside(shares: Shares, tid: int, team: int, size: int, count: int) -> np.ndarray:
    """Which of `count` bytes shares give a worker."""
    mask = np.zeros(count, np.bool_)
    for low, high in (span(share, tid, team, size) for share in shares):
        mask[low:high] = True
    return mask


def known(shares: Shares, size: int) -> bool:
    return bool(shares) and all(is_whole(share.assumed, size) for share in shares)


def workers() -> Iterator[tuple[int, int]]:
    return ((tid, team) for team in (2, 3) for tid in range(team))


def fresh_results(function: Operation, first: int, batch: int) -> list[np.ndarray]:
    """Arrays for the results of a kernel, the buffers from number `first` on."""
    made = []
    for i in range(first, first + function["kernel.outputs"]):
        shape = [evaluate(d, dict.fromkeys(symbols_of(d), batch)) for d in function["kernel.dims"][i]]
        made.append(np.full(shape, 77, t.to_numpy(t.element_of(function.body.arguments[i].type))))
    return made


@pytest.mark.parametrize("case", CASES)
def test_a_worker_writes_and_reads_only_its_share(case: str) -> None:
    compiled, loops = kernels()
    kernel, function = compiled[case.replace(" ", "_")], loops[case]
    shares = KernelShares(function)
    symbols = len(function["kernel.symbols"])
    (source,) = module_functions(CASES[case][1]())
    rng = np.random.default_rng(len(case))
    for batch in BATCHES if symbols else (1,):
        inputs = arrays_for(source["function_type"].inputs, batch, seed=batch)
        for tid, team in workers():
            results = fresh_results(function, len(inputs), batch)
            kernel([*inputs, *results], *[batch] * symbols, tid, team)
            for i, result in enumerate(results):
                mine = shares.of(len(inputs) + i)
                if known(mine, batch):
                    fresh = np.full(result.shape, 77, result.dtype).reshape(-1).view(np.uint8)
                    outside = ~inside(mine, tid, team, batch, result.nbytes)
                    assert np.array_equal(result.reshape(-1).view(np.uint8)[outside], fresh[outside])
            for i, array in enumerate(inputs):
                mine = shares.of(i)
                if array.dtype != np.float32 or not known(mine, batch):
                    continue
                other = np.array(array).reshape(-1)
                outside = ~inside(mine, tid, team, batch, array.nbytes).reshape(-1, 4).all(1)
                other[outside] = rng.standard_normal(outside.sum(), np.float32)
                changed = [*inputs[:i], other.reshape(array.shape), *inputs[i + 1 :]]
                again = fresh_results(function, len(inputs), batch)
                kernel([*changed, *again], *[batch] * symbols, tid, team)
                for a, b in zip(results, again, strict=True):
                    np.testing.assert_array_equal(a, b)


def test_shares_are_found_where_they_matter() -> None:
    """The products, reductions and elementwise kernels by rows: their rows are told apart."""
    _, loops = kernels()
    found = {
        function["kernel.strategy"].partition("{")[0]
        for function in loops.values()
        if KernelShares(function).of(len(function["kernel.dims"]) - function.get("kernel.scratch", 0) - 1)
    }
    assert {"contraction", "elementwise", "row_reduction", "column_sums", "window", "transpose"} <= found


TERMS = st.tuples(st.sampled_from([1, 2, 3, 4, 6, 8, Fraction(1, 2)]), st.sampled_from([(), ("b",)]))


@st.composite
def shares_of_a_buffer(draw: st.DrawFn) -> Share:
    total = Term(*draw(TERMS))
    every = Term(draw(st.sampled_from([1, 1, 2, 3])))
    step = Term(draw(st.sampled_from([4, 8, 12, 24])))
    if draw(st.integers(0, 4)) == 0:
        return Share(ONE, 1, ONE, step, draw(st.sampled_from([0, 0, 8, 48])), alone=True)
    return Share(total, draw(st.sampled_from([1, 1, 2])) if every == ONE else 1, every, step)


@settings(max_examples=400, deadline=None)
@given(shares_of_a_buffer(), shares_of_a_buffer(), st.integers(1, 12), st.integers(1, 4))
def test_shares_that_go_together_are_apart_from_worker_to_worker(a: Share, b: Share, size: int, team: int) -> None:
    needs = together((a,), (b,))
    totals = frozenset(s.total for s in (a, b))
    if needs is None or not is_whole(needs, size, team) or not is_whole(totals, size):
        return
    for tid in range(team):
        for other in range(team):
            if tid != other:
                low, high = span(a, tid, team, size)
                first, last = span(b, other, team, size)
                assert min(high, last) <= max(low, first)


def test_tiles_and_rows_meet_where_the_team_divides_both() -> None:
    b = ("b",)
    tiles = Share(Term(42, b), 1, Term(3), Term(14 * 384))
    rows = Share(Term(196, b), 1, ONE, Term(384))
    assert together((tiles,), (rows,)) == {Term(14, b), Term(196, b)}
    assert together((rows,), (rows,)) == frozenset()
    assert together((tiles,), (tiles,)) == {Term(14, b)}
    assert together((rows,), (Share(Term(98, b), 1, ONE, Term(384)),)) is None
    assert together((rows,), ()) is None
