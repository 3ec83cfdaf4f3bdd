"""Modules of the property tests as compiled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np

from kcompile.ir.core import Operation, find_function
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing.trace import ArgumentSpec, ResultSpec, TracedFunction
from tests.guard import guarded


def traced(module: Operation) -> TracedFunction:
    """@main of `module` as a function of inputs only."""
    function = find_function(module, "main")
    arguments = [ArgumentSpec("input", f"x{i}", a.type) for i, a in enumerate(function.body.arguments)]
    results = [ResultSpec(f"output_{i}", v.type) for i, v in enumerate(function.body.terminator.operands)]
    function["arg_attrs"] = tuple({"kernel.role": "input", "kernel.name": a.name} for a in arguments)
    function["res_attrs"] = tuple({"kernel.name": r.name} for r in results)
    return TracedFunction(module, arguments, results)


def compiled(module: Operation, **options: Any) -> CompiledFunction:
    """@main as native code, uncached. The module keeps its graph: compiling works on a copy."""
    return CompiledFunction(traced(module), Options.of(**{"cache": "off", "threads": 1, **options}))


def run_compiled(module: Operation, arrays: Sequence[np.ndarray], **options: Any) -> list[np.ndarray]:
    """The results of native code, run twice: its buffers right before a forbidden page, then right after one.

    A read or write one byte out of place ends in SIGSEGV, whose traceback names the test.
    """
    function = compiled(module, **options)
    function.prepare()
    results = []
    for at_end in (True, False):
        given = [guarded(a, at_end) for a in arrays]
        outputs = lambda shape, dtype=float, at_end=at_end: guarded(np.zeros(shape, dtype), at_end)
        with mock.patch.object(np, "empty", outputs):
            results.append(function(*given))
        for before, after in zip(arrays, given, strict=True):
            assert before.tobytes() == after.tobytes(), "an input was written to"
    for first, second in zip(*results, strict=True):
        assert first.tobytes() == second.tobytes(), "the result depends on where the buffers lie"
    return [a.copy() for a in results[0]]
