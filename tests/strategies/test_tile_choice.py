"""The tile of a reduction: what is asked of it besides speed."""

from __future__ import annotations

import pytest

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.dims import Dim
from kcompile.strategies import contraction
from kcompile.strategies.parts.structured import kernel
from kcompile.strategies.select import lower
from tests.strategies import linalg_kernels as k
from tests.strategies.cell_kernels import cell
from tests.strategies.test_strategies import TARGETS

FIRST_LEVEL, SECOND_LEVEL = 3, 2  # of the caches, as hints


def loops_of(module: Operation, target: str) -> Operation:
    (function,) = module_functions(module)
    return lower(function, Target.get(target))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rows", [8, 16, 256, 512, 784, 1024])
def test_results_that_may_replace_an_operand_are_computed_once(rows: int, target: str) -> None:
    """Tiles of 13 rows would overlap: the new weights would then be written elsewhere, and copied."""
    assert "kernel.once" in loops_of(k.update(k.BATCH, rows, 64), target).attributes


@pytest.mark.parametrize(("inner", "asks"), [(784, True), (256, False)])
def test_a_row_asks_ahead_for_panels_beyond_the_second_level_cache(inner: int, asks: bool) -> None:
    """The perceptron of 784, 512, 512 and 10 units took 26 us a row, and takes 23.5."""
    loops = loops_of(k.panels(k.BATCH, inner, 16, 32), "x86-64-v4")
    asked = [op for op in loops.walk() if op.name == "memref.prefetch" and int(op["localityHint"]) == FIRST_LEVEL]
    assert bool(asked) == asks


@pytest.mark.parametrize(("rows", "steps", "columns", "asks"), [
    (512, 256, 64, True),
    (k.BATCH * 64, 64, 64, True),
    (k.BATCH, 784, 64, False),  # a usual batch is in it, too
    (64, 256, 64, False),  # in the second-level cache
    (4096, 16, 64, False),  # too few steps for the lines to come in time
    (4096, 128, 16, False),  # no loads left: a tile of one vector has about as many as multiply-adds
])  # fmt: skip
def test_a_product_asks_for_the_next_rows_of_what_may_be_beyond_the_cache(
    rows: Dim, steps: int, columns: int, asks: bool
) -> None:
    """The next row tile is asked for once by the lane tiles of a group, at every step of the sum."""
    loops = loops_of(k.dense(rows, steps, columns), "x86-64-v4")
    asked = [op for op in loops.walk() if op.name == "memref.prefetch" and int(op["localityHint"]) == SECOND_LEVEL]
    assert bool(asked) == asks
    assert all(op.operands[0] is loops.body.arguments[0] for op in asked)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("rows", "steps", "asks"), [(k.BATCH * 64, 128, True), (8, 128, False), (k.BATCH * 64, 16, False)]
)
def test_a_tile_asks_for_what_its_epilogue_reads(rows: Dim, steps: int, asks: bool, target: str) -> None:
    """A residual comes from beyond the cache, all of a tile at once."""
    loops = loops_of(k.added_products(rows, [steps], 64), target)
    asked = [op for op in loops.walk() if op.name == "memref.prefetch" and op.operands[0] is loops.body.arguments[2]]
    assert bool(asked) == asks


def test_a_cell_asks_for_what_each_step_of_a_sequence_reads() -> None:
    """All parts of it; not for the state, which the step before has made."""
    loops = loops_of(cell(k.BATCH, 128, 64, sequence=True), "x86-64-v4")
    asked = [op for op in loops.walk() if op.name == "memref.prefetch"]
    assert asked
    assert {op.operands[0] for op in asked} == {loops.body.arguments[3]}
    assert len(asked) % 4 == 0
    assert not any(op.name == "memref.prefetch" for op in loops_of(cell(k.BATCH, 128, 64), "x86-64-v4").walk())


def test_an_update_of_weights_by_a_usual_batch_is_over_before_what_it_asks_for_comes() -> None:
    loops = loops_of(k.update(k.BATCH, 784, 512), "x86-64-v4")
    assert not any(op.name == "memref.prefetch" for op in loops.walk())


@pytest.mark.parametrize(("batch", "asks"), [(k.BATCH * 4, True), (2, False)])
def test_attention_asks_for_the_operands_of_the_next_head(batch: Dim, asks: bool) -> None:
    """A row of queries, keys and values for each row of scores; not where all of it is in the cache."""
    loops = loops_of(k.attention(batch, 16, 16, 2, 32, 32), "x86-64-v4")
    asked = {op.operands[0] for op in loops.walk() if op.name == "memref.prefetch"}
    assert asked == (set(loops.body.arguments[:3]) if asks else set())


@pytest.mark.parametrize(
    ("steps", "columns", "runs"), [(36, 1 << 18, True), (36, 1 << 12, False), (16, 1 << 18, False)]
)
def test_many_streams_are_read_in_long_runs(steps: int, columns: int, runs: bool) -> None:
    """Streams from memory, not those in the cache, nor a few."""
    module = k.update(steps, 9, columns)
    (function,) = module_functions(module)
    made = contraction.match(kernel(function), Target.get("x86-64-v4"))
    assert made is not None
    assert ((made.rows, made.vectors, made.group) == (3, 8, 8)) == runs
