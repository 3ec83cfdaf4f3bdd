"""Modules of the property tests as compiled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.ir.core import Operation, find_function
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing.trace import ArgumentSpec, ResultSpec, TracedFunction


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
    return compiled(module, **options)(*arrays)
