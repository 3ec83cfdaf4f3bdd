"""tune-strategies: each kernel gets the parameters of its strategy that run fastest here, by measurement.

    func.func @dispatch_3(..)   =>   func.func @dispatch_3(..) {kernel.strategy = "contraction{rows=12, vectors=2, ..}"}

The candidates are the parameters that the strategy chooses by itself and their `variants`. They are compiled together
and timed in turn, on one thread, with symbolic sizes at `batch`. What was found is kept in the object
cache, under the hash of the kernel, the target, the batch and the versions; a machine measures a kernel once.
"""

from __future__ import annotations

import hashlib
from types import ModuleType
from typing import Any

from kcompile.codegen import cache
from kcompile.codegen.object import versions
from kcompile.codegen.target import Target
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.passes import pass_
from kcompile.strategies.parts.lanes import LaneError
from kcompile.strategies.parts.structured import Kernel, kernel
from kcompile.strategies.select import candidates, is_kernel, lower
from kcompile.strategies.variants import variants

MOST = 24  # candidates of a kernel
WORTH = 0.97  # a candidate has to be 3 % faster than the choice by rule: less is noise


@pass_("tune-strategies", reads="linalg", writes="linalg")
def tune_strategies(
    module: Operation, *, target: Target | str = "host", batch: int = 1, cache_directory: str = ""
) -> bool:
    """Set `kernel.strategy` on every kernel that runs faster with other parameters than its own."""
    chosen = Target.get(target) if isinstance(target, str) else target
    if not chosen.runs_here():
        return False
    changed = False
    for function in module_functions(module):
        if not is_kernel(function) or "kernel.strategy" in function.attributes:
            continue
        view = kernel(function)
        by_rule = next(candidates(view, chosen), None)
        if by_rule is None:
            continue  # emit-loops says so

        def find(view: Kernel = view, by_rule: tuple[ModuleType, Any] = by_rule) -> bytes:
            return fastest(view, by_rule, chosen, batch).encode()

        name = _name(view, chosen, f"{batch} {by_rule[1]}")
        found = cache.get_or_make(name, find, cache_directory).decode()
        if found:
            function["kernel.strategy"] = found
            changed = True
    return changed


def fastest(view: Kernel, by_rule: tuple[ModuleType, Any], target: Target, batch: int) -> str:
    """The strategy and parameters to ask for, or "" where the choice by rule stands."""
    from kcompile.codegen.kernels import compile_kernels
    from kcompile.codegen.timing import least_times

    strategy, own = by_rule
    name = strategy.__name__.rpartition(".")[2]
    module = new_module()
    wishes: list[str] = []
    functions: list[Operation] = []
    for parameters in [own, *variants(view, own, target)][:MOST]:
        loops = _loops(view, f"{name}{{{parameters}}}", target, len(wishes))
        if loops is not None:
            module.body.append(loops)
            functions.append(loops)
            wishes.append(f"{name}{{{parameters}}}")
    if len(functions) < 2:
        return ""
    compiled = compile_kernels(module, target)
    sizes = dict.fromkeys(view.symbols, batch)
    times = least_times([compiled[f["sym_name"]] for f in functions], functions, sizes)
    best = min(range(len(times)), key=times.__getitem__)
    return wishes[best] if times[best] < WORTH * times[0] else ""


def _loops(view: Kernel, wish: str, target: Target, number: int) -> Operation | None:
    """The kernel lowered as wished, under a name of its own; None where the strategy cannot."""
    copy = view.function.clone()
    copy["sym_name"] = f"candidate_{number}"
    copy["kernel.strategy"] = wish
    try:
        return lower(copy, target)
    except LaneError:
        return None


def _name(view: Kernel, target: Target, question: str) -> str:
    """What the answer is called in the cache."""
    copy = view.function.clone()
    copy["sym_name"] = "kernel"
    parts = (versions(), target.key, question, copy)
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest() + ".tuned"
