"""dedupe-kernels: kernels with one text are one function.

Reads kernel, writes kernel. A network of equal layers compiles each kernel once, and the ones that are alike share
code.

    kernel.call @dispatch_0; kernel.call @dispatch_3 (the same text)   =>   both call @dispatch_0
"""

from __future__ import annotations

from kcompile.ir.attributes import SymbolRefAttr
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.passes import pass_
from kcompile.ir.printer import print_operation
from kcompile.transforms.kernel.kinds import is_kernel_function


@pass_("dedupe-kernels", reads="kernel", writes="kernel", exact=True)
def dedupe_kernels(module: Operation) -> bool:
    first: dict[str, str] = {}
    other: dict[str, str] = {}
    for function in list(module_functions(module)):
        if not is_kernel_function(function):
            continue
        name = function["sym_name"]
        kept = first.setdefault(_text(function), name)
        if kept is not name:
            other[name] = kept
            function.erase()
    for call in module.walk():
        if call.name == "kernel.call" and call["callee"] in other:
            call.attributes["callee"] = SymbolRefAttr(other[call["callee"]])
    return bool(other)


def _text(function: Operation) -> str:
    """The text of a kernel without its name, and without the names that its values have in dumps."""
    name = function["sym_name"]
    function["sym_name"] = "kernel"
    hints = []
    for op in function.walk():
        for value in (*op.results, *(a for r in op.regions for block in r.blocks for a in block.arguments)):
            if value.hint is not None:
                hints.append((value, value.hint))
                value.hint = None
    text = print_operation(function)
    for value, hint in hints:
        value.hint = hint
    function["sym_name"] = name
    return text
