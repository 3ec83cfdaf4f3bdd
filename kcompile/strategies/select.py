"""emit-loops: every kernel of a module becomes loops by the first strategy that takes it.

A kernel may name its strategy, and fields of its parameters, in the attribute `kernel.strategy`:
`"contraction{rows=4, vectors=2}"`. That is how tests, the tuner and `bench --sweep` choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from types import ModuleType
from typing import Any

from kcompile.codegen.target import Target
from kcompile.errors import IRError, UnsupportedError
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.passes import pass_
from kcompile.strategies import (
    attention,
    column_sums,
    contraction,
    convolution,
    depthwise,
    dots,
    elementwise,
    expanded_depthwise,
    inner_products,
    long_sums,
    open_columns,
    phases,
    pooled_convolution,
    product_statistics,
    product_sums,
    row_reduction,
    scalar_loops,
    scatter,
    separable,
    sliding_windows,
    transpose,
    window,
    window_gradient,
    winograd,
    winograd_filter,
)
from kcompile.strategies.parts.lanes import LaneError
from kcompile.strategies.parts.structured import Kernel, kernel

STRATEGIES: dict[str, ModuleType] = {
    "attention": attention,
    "winograd": winograd,
    "winograd_filter": winograd_filter,
    "inner_products": inner_products,
    "dots": dots,
    "long_sums": long_sums,
    "contraction": contraction,
    "product_sums": product_sums,
    "open_columns": open_columns,
    "expanded_depthwise": expanded_depthwise,
    "depthwise": depthwise,
    "separable": separable,
    "pooled_convolution": pooled_convolution,
    "sliding_windows": sliding_windows,
    "convolution": convolution,
    "phases": phases,
    "product_statistics": product_statistics,
    "column_sums": column_sums,
    "window": window,
    "window_gradient": window_gradient,
    "scatter": scatter,
    "row_reduction": row_reduction,
    "transpose": transpose,
    "elementwise": elementwise,
    "scalar_loops": scalar_loops,
}


@pass_("emit-loops", reads="linalg", writes="loops")
def emit_loops(module: Operation, *, target: Target | str = "host") -> bool:
    """Replace every kernel function of `module` by its loops for `target`."""
    chosen = Target.get(target) if isinstance(target, str) else target
    changed = False
    for function in module_functions(module):
        if not is_kernel(function):
            continue
        loops = lower(function, chosen)
        assert function.parent is not None
        function.parent.insert_before(function, loops)
        function.drop_operands()
        function.detach()
        changed = True
    return changed


def is_kernel(function: Operation) -> bool:
    """Whether a function is a kernel that is still on tensors."""
    return "kernel.root" in function.attributes and "kernel.outputs" not in function.attributes


def lower(function: Operation, target: Target) -> Operation:
    """The loops of one kernel function."""
    view = kernel(function)
    error: LaneError | None = None
    for strategy, parameters in candidates(view, target):
        try:
            loops: Operation = strategy.emit(view, parameters, target)
            return loops
        except LaneError as found:  # what match does not look into, such as an epilogue that reads a row backwards
            error = error or found
    if error is not None:
        raise error
    roots = [op.name for op in view.roots]
    raise UnsupportedError(f"no strategy takes the kernel {view.name} with roots {roots}", str(view.function.location))


def candidates(view: Kernel, target: Target) -> Iterator[tuple[ModuleType, Any]]:
    """The strategies that take a kernel, the best first, and their parameters."""
    wish = view.function.get("kernel.strategy")
    if wish is not None:
        name, options = parse_wish(wish)
        if name not in STRATEGIES:
            raise IRError(f"there is no strategy '{name}'; there are {sorted(STRATEGIES)}", view.name)
        parameters = STRATEGIES[name].match(view, target)
        if parameters is None:
            raise IRError(f"the strategy '{name}' does not take this kernel", view.name)
        yield STRATEGIES[name], override(parameters, options)
        return
    for strategy in STRATEGIES.values():
        parameters = strategy.match(view, target)
        if parameters is not None:
            yield strategy, parameters


def parse_wish(text: str) -> tuple[str, dict[str, str]]:
    """'name{key=value, ..}' taken apart."""
    match = re.fullmatch(r"\s*(\w+)\s*(?:\{(.*)\})?\s*", text)
    if match is None:
        raise IRError(f"kernel.strategy reads 'name{{field=value, ...}}'. Received: {text!r}")
    pairs = [p.split("=", 1) for p in (match[2] or "").split(",") if "=" in p]
    return match[1], {k.strip(): v.strip() for k, v in pairs}


def override(parameters: Any, options: dict[str, str]) -> Any:
    """The parameters with some fields set from text."""
    kinds = {f.name: type(getattr(parameters, f.name)) for f in fields(parameters)}
    values: dict[str, Any] = {}
    for key, text in options.items():
        if key not in kinds:
            raise IRError(f"{type(parameters).__name__} has no field '{key}'; it has {sorted(kinds)}")
        values[key] = text == "true" if kinds[key] is bool else kinds[key](text)
    return replace(parameters, **values)
