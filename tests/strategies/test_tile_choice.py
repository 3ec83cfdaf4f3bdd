"""The tile of a reduction: what is asked of it besides speed."""

from __future__ import annotations

import pytest

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, module_functions
from kcompile.strategies.select import lower
from tests.strategies import linalg_kernels as k
from tests.strategies.test_strategies import TARGETS


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
    asked = [op for op in loops.walk() if op.name == "memref.prefetch"]
    assert bool(asked) == asks
    assert {int(op["localityHint"]) for op in asked} <= {3}
