"""Every strategy as machine code between forbidden pages: what the kernel says, and not one byte too far."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from kcompile.codegen.kernels import Kernel, compile_kernels
from kcompile.codegen.target import Target
from kcompile.ir.builder import new_module
from kcompile.ir.core import module_functions
from kcompile.ir.interpreter import interpret
from kcompile.strategies.select import lower
from tests.guard import run_guarded
from tests.strategies.test_strategies import CASES, TARGETS, arrays_for

RUNNABLE = [name for name in TARGETS if Target.get(name).runs_here()]
BATCHES = (1, 3, 8)  # of the kernels with a symbol: one row, fewer rows than a tile has, more workers' shares than one


@functools.cache
def kernels(target: str) -> tuple[dict[str, Kernel], dict[str, int]]:
    """All cases for a target in one object, and how many symbols each has."""
    module = new_module()
    symbols = {}
    for case, (_, build, _, _) in CASES.items():
        (function,) = module_functions(build())
        function["sym_name"] = case.replace(" ", "_")
        loops = lower(function, Target.get(target))
        symbols[case] = len(loops["kernel.symbols"])
        module.body.append(loops)
    return compile_kernels(module, Target.get(target)), symbols


@functools.cache
def expected_of(case: str, batch: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Arguments, and what the interpreter of the linalg level makes of them."""
    module = CASES[case][1]()
    (function,) = module_functions(module)
    arrays = arrays_for(function["function_type"].inputs, batch, seed=len(case) + batch)
    return arrays, interpret(module, function["sym_name"], arrays)


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("case", CASES)
def test_machine_code_stays_within_its_buffers(case: str, target: str) -> None:
    tolerance = CASES[case][3]
    compiled, symbols = kernels(target)
    for batch in BATCHES if symbols[case] else BATCHES[:1]:
        arrays, expected = expected_of(case, batch)
        outputs = [np.full(e.shape, 77, np.int8 if e.dtype == np.bool_ else e.dtype) for e in expected]
        sizes = [batch] * symbols[case]
        kernel = compiled[case.replace(" ", "_")]
        one, three = (run_guarded(kernel, arrays, outputs, *sizes, team=team) for team in (1, 3))
        for alone, together, wanted in zip(one, three, expected, strict=True):
            np.testing.assert_array_equal(alone, together, "one worker and three must agree bitwise")
            np.testing.assert_allclose(
                alone.astype(np.float64), wanted.astype(np.float64), rtol=tolerance, atol=tolerance * 50
            )


BY_ROWS = ("dense", "panels", "four", "three", "softmax", "row sum", "separable")
ROWS = [case for case in CASES if case.startswith(BY_ROWS) and "of" not in case.split()]


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("case", ROWS)
def test_a_row_does_not_depend_on_the_others(case: str, target: str) -> None:
    compiled, symbols = kernels(target)
    if not symbols[case]:
        pytest.skip("the number of rows is fixed")
    rng = np.random.default_rng(len(case))
    arrays, expected = expected_of(case, 9)
    arrays = [rng.standard_normal(a.shape, np.float32) for a in arrays]
    kernel, results = compiled[case.replace(" ", "_")], {}
    for batch in (9, 8, 5, 3, 2, 1):
        outputs = [np.zeros((batch, *e.shape[1:]), e.dtype) for e in expected]
        kernel([np.ascontiguousarray(arrays[0][:batch]), *arrays[1:], *outputs], batch, 0, 1)
        results[batch] = outputs
    for batch, outputs in results.items():
        for alone, together in zip(outputs, results[9], strict=True):
            np.testing.assert_array_equal(alone, together[:batch])
