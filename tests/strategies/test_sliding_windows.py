"""Convolutions whose features fill one vector of the target: at odd sizes, interpreted and as machine code."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.codegen.kernels import compile_kernels
from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import module_functions
from kcompile.ir.interpreter import interpret
from kcompile.strategies import sliding_windows
from kcompile.strategies.parts.structured import kernel
from kcompile.strategies.select import lower
from tests.guard import run_guarded
from tests.strategies.linalg_kernels import BATCH
from tests.strategies.sliding_kernels import grouped
from tests.strategies.test_native import RUNNABLE
from tests.strategies.test_strategies import SUM, TARGETS, arrays_for, run_workers

SHAPES = {  # rows, columns, groups, inputs (0: as many as features), window, stride, dilation
    "a pixel": (2, 3, 1, 1, (2, 3), 1, 1),
    "rows": (3, 31, 1, 3, (1, 3), 1, 1),
    "stride": (7, 20, 1, 2, (3, 2), 2, 1),
    "apart": (4, 29, 1, 5, (2, 2), 3, 1),
    "dilated": (7, 19, 1, 3, (3, 3), 1, 2),
    "wide": (2, 17, 1, 1, (1, 7), 1, 1),
    "groups": (4, 13, 3, 0, (3, 3), 1, 1),
    "groups and stride": (5, 12, 2, 0, (2, 3), 2, 1),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_one_vector_of_features(shape: str, target: str) -> None:
    chosen = Target.get(target)
    h, w, groups, inputs, *how = SHAPES[shape]
    lanes = chosen.lanes(t.f32)
    module = grouped(BATCH, h, w, groups, inputs or lanes, lanes, *how)
    (function,) = module_functions(module)
    arrays = arrays_for(function["function_type"].inputs, 2, seed=len(shape))
    expected = interpret(module, function["sym_name"], arrays)
    loops = lower(function, chosen)
    assert loops["kernel.strategy"].startswith("sliding_windows{")
    function.detach()
    module.body.append(loops)
    one, three = (run_workers(module, loops, arrays, expected, 2, team) for team in (1, 3))
    if target in RUNNABLE:
        (compiled,) = compile_kernels(module, chosen).values()
        outputs = [np.full(e.shape, 77, e.dtype) for e in expected]
        native = run_guarded(compiled, arrays, outputs, 2, team=2)
        np.testing.assert_array_equal(native[0], one[0])  # quarters: every order of additions gives the same
    np.testing.assert_array_equal(one[0], three[0])
    np.testing.assert_allclose(one[0], expected[0], rtol=SUM, atol=SUM * 50)


def test_more_features_than_lanes_are_left_to_register_tiles() -> None:
    for groups, inputs, features in ((1, 4, 32), (1, 4, 8), (3, 4, 4), (4, 2, 4), (2, 32, 32)):
        (function,) = module_functions(grouped(BATCH, 6, 9, groups, inputs, features))
        assert sliding_windows.match(kernel(function), Target.get("x86-64-v4")) is None
    (function,) = module_functions(grouped(BATCH, 6, 9, 1, 4, 16, window=(3, 1)))  # no taps across to share
    assert sliding_windows.match(kernel(function), Target.get("x86-64-v4")) is None
