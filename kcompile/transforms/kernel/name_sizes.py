"""name-sizes: empty tensors and slices with symbolic dims take their sizes as operands, as in upstream's dialect.

    %0 = tensor.empty() : tensor<?x8xf32>    =>    %b = kernel.size {dims = #graph.dims<["b"]>} : index
                                                   %0 = tensor.empty(%b) : tensor<?x8xf32>

Nothing reads these operands: types hold the sizes. With them mlir-opt accepts the linalg stage. Reads, writes linalg.
"""

from __future__ import annotations

from collections.abc import Callable

from kcompile.ir import types as t
from kcompile.ir.attributes import DimsAttr, IntArrayAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.passes import pass_

# What takes sizes: the operand or result whose dims they are, and its place among operandSegmentSizes.
_SLICES: dict[str, tuple[Callable[[Operation], Value], int]] = {
    "tensor.extract_slice": (lambda op: op.result, 2),
    "tensor.insert_slice": (lambda op: op.operands[0], 3),
}


@pass_("name-sizes", reads="linalg", writes="linalg", exact=True)
def name_sizes(module: Operation) -> bool:
    """Give every tensor.empty and slice the sizes of its symbolic dims; each size is made once a function, at its
    top.
    """
    changed = False
    for function in module_functions(module):
        made: dict[Dim, Value] = {}
        for op in list(function.body.ops):
            if op.name == "tensor.empty" and not op.operands:
                sizes, segments = _sizes(function, made, op, op.result), None
            elif op.name in _SLICES:
                part, place = _SLICES[op.name]
                segments = list(op["operandSegmentSizes"])
                sizes = [] if segments[place] else _sizes(function, made, op, part(op))
                segments[place] = len(sizes)
            else:
                continue
            if sizes:
                sized = Builder(function.body, op, op.location)
                attributes = dict(op.attributes)
                if segments is not None:
                    attributes["operandSegmentSizes"] = IntArrayAttr(tuple(segments), t.i32)
                named = sized.create(op.name, [*op.operands, *sizes], attributes, [op.result.type])
                op.replace_by([named.result])
                changed = True
    return changed


def _sizes(function: Operation, made: dict[Dim, Value], op: Operation, tensor: Value) -> list[Value]:
    """The symbolic sizes of a tensor as values."""
    symbolic = [d for d in t.shape_of(tensor.type) if isinstance(d, SymbolicDim)]
    first = Builder(function.body, function.body.first, op.location)
    for dim in symbolic:
        if dim not in made:
            made[dim] = first.create("kernel.size", (), {"dims": DimsAttr((dim,))}, [t.index]).result
    return [made[d] for d in symbolic]
