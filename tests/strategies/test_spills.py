"""The innermost loops of all register tiles: no vector goes to the stack and comes back."""

from __future__ import annotations

import pytest

from kcompile.codegen.llvm import print_llvm
from kcompile.codegen.object import emit_assembly, loop_spills
from kcompile.codegen.target import Target
from kcompile.codegen.text import symbol_name
from kcompile.ir import types as t
from kcompile.ir.core import Operation, module_functions
from kcompile.strategies.parts.tile_choice import rows_limit
from kcompile.strategies.select import lower
from tests.strategies import convolution_kernels as c
from tests.strategies import linalg_kernels as k
from tests.strategies.test_strategies import TARGETS


def assembly(module: Operation, target: Target, wish: str) -> tuple[str, str]:
    """The code of the only kernel of a module, and its name in it."""
    (function,) = module_functions(module)
    function["kernel.strategy"] = wish
    loops = lower(function, target)
    function.detach()
    module.body.append(loops)
    return emit_assembly(print_llvm(module, target), target), symbol_name(loops["sym_name"])


@pytest.mark.parametrize("vectors", [1, 2, 3, 4])
@pytest.mark.parametrize("target", TARGETS)
def test_the_largest_tiles_stay_in_registers(target: str, vectors: int) -> None:
    made = Target.get(target)
    rows, columns = rows_limit(vectors, made), vectors * made.lanes(t.f32)
    kernels = {
        "contraction": k.dense(rows * 4, 96, columns),
        "convolution": c.convolution(1, 58, 58, 64, columns, 3, 1),
    }
    for strategy, module in kernels.items():
        code, name = assembly(module, made, f"{strategy}{{rows={rows}, vectors={vectors}}}")
        assert loop_spills(code, name) == 0, f"{strategy} {rows}x{vectors}"


@pytest.mark.parametrize("target", TARGETS)
def test_windows_that_overlap_stay_in_registers(target: str) -> None:
    """A first layer: all its steps would fit into straight code, with more values alive than registers."""
    made = Target.get(target)
    code, name = assembly(c.convolution(1, 34, 66, 1, 32, 3, 1), made, "convolution")
    assert loop_spills(code, name) == 0


def test_a_tile_that_is_too_large_is_noticed() -> None:
    target = Target.get("x86-64-v3")
    code, name = assembly(k.dense(64, 96, 32), target, "contraction{rows=6, vectors=4}")
    assert loop_spills(code, name) > 0
