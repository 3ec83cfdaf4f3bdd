"""name-sizes: an empty tensor with symbolic dims takes their sizes as operands, as upstream's tensor.empty does.

    %0 = tensor.empty() : tensor<?x8xf32>    =>    %b = kernel.size {dims = #graph.dims<["b"]>} : index
                                                   %0 = tensor.empty(%b) : tensor<?x8xf32>

Nothing reads these operands: types hold the sizes. With them mlir-opt accepts the linalg stage. Reads, writes linalg.
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.attributes import DimsAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.passes import pass_


@pass_("name-sizes", reads="linalg", writes="linalg", exact=True)
def name_sizes(module: Operation) -> bool:
    """Give every tensor.empty the sizes of its symbolic dims; each size is made once a function, at its top."""
    changed = False
    for function in module_functions(module):
        made: dict[Dim, Value] = {}
        for op in list(function.body.ops):
            if op.name != "tensor.empty" or op.operands:
                continue
            symbolic = [d for d in t.shape_of(op.result.type) if isinstance(d, SymbolicDim)]
            if symbolic:
                first = Builder(function.body, function.body.first, op.location)
                for dim in symbolic:
                    if dim not in made:
                        made[dim] = first.create("kernel.size", (), {"dims": DimsAttr((dim,))}, [t.index]).result
                sized = Builder(function.body, op, op.location)
                empty = sized.create("tensor.empty", [made[d] for d in symbolic], None, [op.result.type])
                op.replace_by([empty.result])
                changed = True
    return changed
