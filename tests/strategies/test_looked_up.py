"""Rows of a table at places that indices tell: which lines are asked for ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.interpreter import Interpreter, interpret
from kcompile.strategies.parts import looked_up
from kcompile.strategies.select import lower
from tests.strategies import indexing_kernels as x

TABLE = (32768, 35)
LINE = 16  # elements


def loops_of(module: Operation) -> Operation:
    (function,) = module_functions(module)
    loops = lower(function, Target.get("x86-64-v4"))
    assert function.parent is not None
    function.parent.insert_before(function, loops)
    return loops


@pytest.mark.parametrize("places", [(30,), (6, 5), (3, 11), (2, 3, 4)])
@pytest.mark.parametrize("team", [1, 2])
def test_rows_are_asked_for_before_they_are_read(
    places: tuple[int, ...], team: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = loops_of(x.gather(TABLE, (*places, 1), axes=(0,), epilogue=True))
    asked: set[tuple[int, int]] = set()

    def note(interp: Interpreter, op: Operation, operands: Sequence[Any]) -> list[Any]:
        array, row, column = operands
        assert array.shape == TABLE and int(row) in range(TABLE[0])
        asked.add((int(row), int(column)))
        return []

    prefetch = next(op for op in loops.walk() if op.name == "memref.prefetch")
    monkeypatch.setattr(prefetch.definition, "interpret", note)
    rng = np.random.default_rng(0)
    table = rng.standard_normal(TABLE).astype(np.float32)
    rows = rng.choice(TABLE[0], places, replace=False).astype(np.int32)
    made = np.zeros((*places, TABLE[1]), np.float32)
    for worker in range(team):
        interpret(loops.parent_op, loops["sym_name"], [table, rows[..., None], made, worker, team])
    np.testing.assert_array_equal(made, 2 * table[rows])
    if len(places) < 2 or places[-1] > looked_up.AHEAD:
        later = rows.reshape(-1)[looked_up.AHEAD :]
    else:  # the next line of places, as far as it goes
        later = rows.reshape(-1, places[-1])[1:, looked_up.AHEAD - places[-1] :].reshape(-1)
    assert {(int(r), c) for r in later for c in range(0, TABLE[1], LINE)} <= asked


def test_a_small_table_is_not_asked_for() -> None:
    loops = loops_of(x.gather((1000, 35), (4, 5, 1), axes=(0,)))
    assert not any(op.name == "memref.prefetch" for op in loops.walk())
