"""Legality questions, one by one, and the mechanics of merging."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches
from kcompile.transforms.kernel.fuse_row_chains import is_row_chain, row_space
from kcompile.transforms.kernel.legality import (
    is_epilogue,
    is_inlinable,
    is_movement_dispatch,
    is_prologue,
    is_same_space,
)
from tests.transforms.models import B

ROWS, ROW = TensorType((B, 4), t.f32), TensorType((B,), t.f32)


def formed(b: GraphBuilder) -> tuple[Operation, list[Operation]]:
    """The module and its dispatches, one an op."""
    run_pipeline(b.module, "form-kernels", verify_each=True)
    main = find_function(b.module, "main")
    return b.module, [op for op in main.body.ops if op.name == "kernel.dispatch"]


def test_same_space_needs_one_shape_and_plain_reads() -> None:
    b = GraphBuilder.function("main", [ROWS, TensorType((4, 4), t.f32)])
    x, square = b.block.arguments
    b.ret(b.neg(b.exp(x)), b.neg(b.transpose(b.abs(square), permutation=(1, 0))))
    _, found = formed(b)
    by_op = {d.body.first.name: d for d in found}  # type: ignore[union-attr]
    names = [d.body.first.name for d in found]  # type: ignore[union-attr]
    assert names[0] == "graph.exp" and names[1] == "graph.neg"
    assert is_same_space(found[0], found[1])
    absolute, transpose, negate = by_op["graph.abs"], found[-2], found[-1]
    assert not is_same_space(absolute, transpose)  # read transposed
    assert is_inlinable(absolute, transpose)
    assert is_same_space(transpose, negate)
    assert is_movement_dispatch(transpose) and not is_movement_dispatch(negate)


def test_an_epilogue_reads_the_root_point_for_point() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 4), t.f32)] * 2)
    x, w = b.block.arguments
    dot = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    b.ret(b.exp(dot), b.transpose(dot, permutation=(1, 0)))
    _, (root, exp, transpose) = formed(b)
    assert is_epilogue(root, exp)
    assert not is_epilogue(root, transpose)
    assert not is_epilogue(exp, transpose)


def test_a_pad_takes_no_epilogue_and_a_dot_no_prologue() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 4), t.f32)])
    x = b.argument(0)
    e = b.exp(x)
    dot = b.dot_general(e, e, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    padded = b.pad(e, 0.0, low=(1, 1), high=(0, 0), interior=(0, 0))
    b.ret(dot, b.neg(padded))
    _, (exp, root, pad, neg) = formed(b)
    assert not is_prologue(exp, root)
    assert is_prologue(exp, pad)
    assert not is_epilogue(pad, neg)


def test_a_prologue_may_not_be_read_beside_the_root() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 1), t.f32)])
    e = b.exp(b.argument(0))
    total = b.reduce(e, axes=(1,), kind="add")
    b.ret(b.add(total, b.reshape(b.neg(e), shape=(4,))))
    _, found = formed(b)
    assert is_prologue(found[0], found[1])


def test_a_detour_keeps_two_dispatches_apart() -> None:
    """relu and the residual add: between them lies the dot."""
    b = GraphBuilder.function("main", [TensorType((4, 4), t.f32)] * 2)
    x, w = b.block.arguments
    e = b.exp(x)
    dot = b.dot_general(e, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    b.ret(b.add(dot, e))
    module, (exp, root, add) = formed(b)
    dispatches = Dispatches(find_function(module, "main").body)
    assert dispatches.is_between(exp, add)
    assert not dispatches.is_between(root, add)
    assert not dispatches.is_between(exp, root)


def test_merging_moves_what_came_between_and_needs_the_producer() -> None:
    b = GraphBuilder.function("main", [ROWS])
    x = b.argument(0)
    e = b.exp(x)
    late = b.reduce(e, axes=(1,), kind="add")  # stands before the consumer, needs the producer
    early = b.reduce(x, axes=(1,), kind="max")  # stands before the consumer, which needs it
    y = b.add(e, b.broadcast_in_dim(early, shape=ROWS.shape, dims=(0,)))
    b.ret(y, late)
    module, (exp, add_up, largest, spread, add) = formed(b)
    arrays = [np.random.default_rng(0).random((3, 4)).astype(np.float32)]
    before = interpret(module, "main", arrays)
    dispatches = Dispatches(find_function(module, "main").body)
    merged = dispatches.merge(exp, add, "elementwise")
    verify(module)
    order = [op for op in find_function(module, "main").body.ops if op.name == "kernel.dispatch"]
    assert order == [largest, spread, merged, add_up]
    assert [dispatches.position[op] for op in order] == sorted(dispatches.position[op] for op in order)
    assert len(merged.results) == 2  # e is still read by the sum
    for x_, y_ in zip(before, interpret(module, "main", arrays), strict=True):
        np.testing.assert_array_equal(x_, y_)


@pytest.mark.parametrize("copy", [False, True])
def test_merging_keeps_or_copies_the_producer(copy: bool) -> None:
    b = GraphBuilder.function("main", [ROWS])
    e = b.neg(b.argument(0))
    b.ret(b.exp(e), b.abs(e))
    module, (neg, exp, absolute) = formed(b)
    Dispatches(find_function(module, "main").body).merge(neg, exp, "elementwise", copy=copy)
    verify(module)
    dispatches = [op for op in find_function(module, "main").body.ops if op.name == "kernel.dispatch"]
    assert [len(d.results) for d in dispatches] == ([1, 1, 1] if copy else [2, 1])
    assert absolute in dispatches


def test_row_spaces() -> None:
    b = GraphBuilder.function("main", [TensorType((B, 3, 4), t.f32)])
    x = b.argument(0)
    b.ret(*(b.reduce(x, axes=axes, kind="add") for axes in ((2,), (1, 2), (0,), (0, 1, 2))))
    _, (last, both, first, everything) = formed(b)
    assert row_space(last).rows == (B, 3)  # type: ignore[union-attr]
    assert row_space(both).rows == (B,)  # type: ignore[union-attr]
    assert row_space(first) is None and row_space(everything) is None


def test_a_row_chain_stays_in_its_row() -> None:
    b = GraphBuilder.function("main", [TensorType((4, 4), t.f32)])
    x = b.argument(0)
    m = b.reduce(x, axes=(1,), kind="max")
    own = b.sub(x, b.broadcast_in_dim(m, shape=(4, 4), dims=(0,)))
    other = b.sub(x, b.broadcast_in_dim(m, shape=(4, 4), dims=(1,)))  # row i needs the maximum of row j
    b.ret(own, other)
    module, _ = formed(b)
    run_pipeline(module, "fuse-elementwise")
    found = [op for op in find_function(module, "main").body.ops if op.name == "kernel.dispatch"]
    largest, *readers = found
    assert sorted(is_row_chain(largest, r) for r in readers) == [False, True]


def test_recomputing_pays_only_where_less_is_moved() -> None:
    b = GraphBuilder.function("main", [ROWS, ROWS])
    x, y = b.block.arguments
    cheap, dear, wide = b.neg(x), b.exp(x), b.add(x, y)
    b.ret(*(b.reduce(v, axes=(1,), kind="add") for v in (cheap, dear, wide)))
    _, (neg, exp, add, *sums) = formed(b)
    size = cost_model.nominal_size(x)
    assert not cost_model.pays_to_copy(exp, sums[1], size)
    assert not cost_model.pays_to_copy(add, sums[2], size)
    assert cost_model.dispatch_work(exp) > cost_model.dispatch_work(neg) > 0


def test_a_row_chain_reads_its_rows_in_memory_order() -> None:
    """A row that is read backwards, or down a column, gives vectors nothing to load."""
    for moved in (
        lambda b, x: b.reverse(x, axes=(1,)),
        lambda b, x: b.transpose(x, permutation=(1, 0)),
        lambda b, x: b.abs(x),
    ):
        b = GraphBuilder.function("main", [TensorType((4, 4), t.f32)])
        y = b.exp(moved(b, b.argument(0)))
        largest = b.reduce(y, axes=(1,), kind="max")
        b.ret(b.sub(y, b.broadcast_in_dim(largest, shape=(4, 4), dims=(0,))))
        module, _ = formed(b)
        run_pipeline(module, "fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains", verify_each=True)
        dispatches = [op for op in find_function(module, "main").body.ops if op.name == "kernel.dispatch"]
        chain = next(d for d in dispatches if d["kernel.root"] == "row_chain")
        inside = {op.name for op in chain.body.ops}
        assert not inside & {"graph.reverse", "graph.transpose"}
        assert ("graph.exp" in inside) == ("graph.abs" in inside)
