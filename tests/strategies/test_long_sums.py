"""long_sums: what its tiles are, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.dims import evaluate
from kcompile.ir.interpreter import Interpreter, interpret
from kcompile.strategies import long_sums
from kcompile.strategies.parts import sum_cut
from kcompile.strategies.parts.structured import kernel
from kcompile.strategies.select import lower
from tests.strategies import convolution_kernels as c
from tests.strategies import linalg_kernels as k
from tests.strategies.sum_kernels import dot_of_pieces
from tests.strategies.test_strategies import forced

LINE = 16  # elements


@pytest.mark.parametrize("target", ["x86-64-v3", "x86-64-v4", "aarch64"])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("width", [1, 3, 5, 7])
def test_no_row_of_a_filter_is_summed_twice(target: str, columns: int, width: int) -> None:
    """The first layer of ResNet50, 7 wide, took 17.6 ms in tiles of six rows, 7.9 in tiles of seven."""
    rows, vectors = sum_cut.tile_of(width, columns, Target.get(target))
    assert (rows, columns % vectors) == (width, 0)


@pytest.mark.parametrize(
    ("inputs", "outputs", "steps", "turned"),
    [(144, 24, 3136, True), (24, 144, 3136, False), (32, 16, 3136, True), (144, 24, 16, False), (64, 64, 3136, False)],
)
def test_lanes_run_along_the_dim_that_fills_vectors(inputs: int, outputs: int, steps: int, turned: bool) -> None:
    """144x24 sums of 25088 products took 947 us with half of every other vector idle, and take 747 turned."""
    (function,) = module_functions(forced("long_sums", k.dot_of_rows(k.BATCH * steps, inputs, outputs)))
    made = long_sums.match(kernel(function), Target.get("x86-64-v4"))
    assert made is not None and made.turned == turned


@pytest.mark.parametrize(
    ("module", "block", "teams"),
    [
        (lambda: k.update(k.BATCH, 40, 64), 5 * 4 * (40 + 64), (1, 2, 3)),  # 5 steps, and a last block of 2
        (lambda: k.dot_of_rows(k.BATCH, 16, 96), 3 * 4 * (16 + 96), (1, 2)),  # more than a line a step
        (lambda: c.filter_gradient(k.BATCH, 2, 2, 32, 64, 1), 3 * 4 * 4 * (32 + 64), (1, 2)),  # three images
        (lambda: c.filter_gradient(k.BATCH, 4, 2, 32, 64, 1), 2 * 2 * 4 * (32 + 64), (1, 2)),  # two rows of an image
        (lambda: dot_of_pieces(k.BATCH, 3, 8, 32, 48), 2 * 8 * 4 * (32 + 48), (1,)),  # a piece of two images
        (lambda: dot_of_pieces(k.BATCH, 3, 8, 32, 48), 4 * 4 * (32 + 48), (1,)),  # half a piece of one
    ],
)
def test_all_tiles_together_ask_for_the_next_block(
    module: Callable[[], Operation], block: int, teams: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weight gradient of an LSTM, 128 x 512 sums of 3200, took 2.1 ms from memory, and takes 1.75."""
    (function,) = module_functions(forced(f"long_sums{{block={block}}}", module()))
    loops = lower(function, Target.get("x86-64-v4"))
    assert function.parent is not None
    function.parent.insert_before(function, loops)
    asks = next(op for op in loops.walk() if op.name == "memref.prefetch")
    asked: dict[int, set[int]] = {}

    def note(interp: Interpreter, op: Operation, operands: Sequence[Any]) -> list[Any]:
        array, *at = operands
        place = sum(int(i) * stride for i, stride in zip(at, np.array(array.strides) // array.itemsize, strict=True))
        asked.setdefault(id(array), set()).add(place // LINE)
        return []

    monkeypatch.setattr(asks.definition, "interpret", note)
    arrays = [np.zeros([evaluate(d, {"b": 32}) for d in dims], np.float32) for dims in loops["kernel.dims"]]
    pieces = len(arrays[0][0]) if arrays[0].ndim == 4 and arrays[-1].shape[0] == 3 else 1
    for team in teams:
        asked.clear()
        for worker in range(team):
            interpret(loops.parent_op, loops["sym_name"], [*arrays, 32, worker, team])
        bytes_ = sum(a.nbytes for a in arrays[:2])
        for array in arrays[:2]:
            first = -(-array.size * block * pieces // (bytes_ * LINE))  # what is before it comes as it is read
            missing = set(range(first, array.size // LINE)) - asked[id(array)]
            assert len(missing) <= 0.05 * array.size / LINE, sorted(missing)[:9]
