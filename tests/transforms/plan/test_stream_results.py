"""Streamed results: the same bits as plain stores, between forbidden pages, for every size of registers."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

from kcompile.codegen.kernels import Kernel, compile_kernels
from kcompile.codegen.llvm import print_llvm
from kcompile.codegen.target import Target
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.strategies.select import lower
from tests.guard import run_guarded
from tests.strategies import linalg_kernels as k
from tests.strategies.test_strategies import arrays_for

B = k.BATCH
CASES: dict[str, Callable[[], Operation]] = {
    "one axis": lambda: k.exponentials(331),
    "rows": lambda: k.exponentials(B, 3, 5, 64),
    "rows and a rest": lambda: k.exponentials(B, 3, 48),
    "transpose": lambda: k.transpose(16, 32),
    "transpose and its edges": lambda: k.transpose(35, 32),
    "transpose inside": lambda: k.transpose_inside(B, 16, 32),
    "softmax": lambda: k.softmax(B, 128),
    "softmax of long rows": lambda: k.softmax(B, 800),
    "pooling": lambda: k.pooling(B, 6, 6, 32, 2, 2, "max"),
    "border": lambda: k.pad(B, 3, 32, (0, 1, 16), (0, 2, 16)),
    "parts": lambda: k.concatenate(B, (64, 32, 48), 2),
}
TARGETS = [name for name in ("x86-64", "x86-64-v3", "x86-64-v4") if Target.get(name).runs_here()]


@functools.cache
def kernels(target: str, least: int) -> dict[str, tuple[Kernel, int]]:
    """The cases as machine code with the number of their symbols; results of `least` bytes are streamed, 0: none."""
    module = new_module()
    for case, build in CASES.items():
        (function,) = module_functions(build())
        function["sym_name"] = case.replace(" ", "_")
        module.body.append(lower(function, Target.get(target)))
    if least:
        run_pipeline(module, f"stream-results{{target={target},least={least}}}")
    symbols = [len(f["kernel.symbols"]) for f in module_functions(module)]
    if least == 1:
        assert all("nontemporal" in str(function) for function in module_functions(module))
    return dict(
        zip(CASES, zip(compile_kernels(module, Target.get(target)).values(), symbols, strict=True), strict=True)
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES)
def test_streaming_changes_no_bit_and_stays_within_the_buffers(case: str, target: str) -> None:
    """Buffers begin at a line and are streamed, or end at a page and are mostly not."""
    module = CASES[case]()
    (function,) = module_functions(module)
    plain, symbols = kernels(target, 0)[case]
    for batch in (1, 3, 8) if symbols else (1,):
        arrays = arrays_for(function["function_type"].inputs, batch, seed=batch)
        outputs = [np.full_like(e, 77) for e in interpret(module, function["sym_name"], arrays)]
        wanted = run_guarded(plain, arrays, outputs, *[batch] * symbols, team=1)
        for least, team in ((1, 1), (1, 3), (1 << 14, 1)):  # always, always by three, some batches
            made = run_guarded(kernels(target, least)[case][0], arrays, outputs, *[batch] * symbols, team=team)
            for one, other in zip(wanted, made, strict=True):
                np.testing.assert_array_equal(one, other, f"batch {batch}, team {team}, least {least}")


@pytest.mark.parametrize("target", TARGETS)
def test_other_cores_see_what_was_streamed(target: str) -> None:
    """Each branch that streams ends with a fence; plain loops have none."""
    (function,) = module_functions(k.softmax(B, 128))
    module = new_module()
    module.body.append(lower(function, Target.get(target)))
    assert "sfence" not in print_llvm(module, Target.get(target))
    run_pipeline(module, f"stream-results{{target={target},least=1}}")
    (changed,) = module_functions(module)
    branches = sum(op.name == "scf.if" for op in changed.body.ops)
    text = print_llvm(module, Target.get(target))
    assert text.count("call void @llvm.x86.sse.sfence()\n  br label %join") == branches > 0
    assert "!nontemporal" in text and "!nontemporal" not in text.rpartition("sfence()")[2].partition("\n}")[0]


def test_where_a_half_register_would_be_stored_nothing_is_streamed() -> None:
    (function,) = module_functions(k.softmax(B, 128))
    module = new_module()
    module.body.append(lower(function, Target.get("aarch64")))
    assert not run_pipeline(module, "stream-results{target=aarch64,least=1}")
