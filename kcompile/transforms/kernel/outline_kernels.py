"""outline-kernels: every dispatch becomes a function of the module and a `kernel.call` of it.

Reads kernel, writes kernel.

    %y = kernel.dispatch(%x) {kernel.root = "elementwise"} { .. }   =>   %y = kernel.call(%x) {callee = @dispatch_0}
"""

from __future__ import annotations

from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.attributes import Attribute, StringAttr, SymbolRefAttr
from kcompile.ir.core import Operation, find_function, module_functions
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType


@pass_("outline-kernels", reads="kernel", writes="kernel", exact=True)
def outline_kernels(module: Operation) -> bool:
    taken = {f.get("sym_name") for f in module_functions(module)}
    number = 0
    changed = False
    for op in [op for block in code_blocks(find_function(module, "main")) for op in block.ops]:
        if op.name != "kernel.dispatch":
            continue
        while f"dispatch_{number}" in taken:
            number += 1
        name = f"dispatch_{number}"
        taken.add(name)
        _outline(module, op, name)
        changed = True
    return changed


def _outline(module: Operation, dispatch: Operation, name: str) -> None:
    assert dispatch.parent is not None
    region = dispatch.regions.pop()
    body = region.blocks[0]
    end = body.terminator
    results = end.operands
    end.erase()
    body.append(Operation("func.return", results, location=dispatch.location))
    attributes: dict[str, Attribute] = {"sym_name": StringAttr(name)}
    function = Operation("func.func", (), (), attributes, [region], dispatch.location)
    function["function_type"] = FunctionType(tuple(a.type for a in body.arguments), tuple(v.type for v in results))
    function["kernel.root"] = dispatch["kernel.root"]
    module.body.append(function)
    types = [r.type for r in dispatch.results]
    call = Operation("kernel.call", dispatch.operands, types, {"callee": SymbolRefAttr(name)}, (), dispatch.location)
    dispatch.parent.insert_before(dispatch, call)
    for old, new in zip(dispatch.results, call.results, strict=True):
        new.hint = old.hint
    dispatch.replace_by(call.results)
