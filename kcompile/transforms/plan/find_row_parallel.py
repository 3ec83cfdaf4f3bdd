"""find-row-parallel: marks @main when every row of the batch is computed from the same row of the inputs alone.

    func.func @main .. {kernel.row_parallel}

Such a model can run a few rows at a time, start to end, while they are in the cache, and other rows on other threads
without any barrier. It reads the linalg forms of the kernels, before dims are collapsed: the batch must be the first
axis of every tensor that has it, always indexed by one parallel dim as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim, SymbolicDim, symbol
from kcompile.ir.passes import pass_
from kcompile.strategies.structured import generic

BATCH = symbol("b")
ROWS_APART = ("graph.winograd_convolution",)  # graph ops that keep the rows of their first operand apart
_SIZES = ("arith.constant", "arith.muli", "arith.addi", "tensor.dim", "tensor.empty", "linalg.fill", "func.return")


@pass_("find-row-parallel", reads="linalg", writes="linalg", exact=True)
def find_row_parallel(module: Operation) -> bool:
    """Set kernel.row_parallel on @main where it holds."""
    main = find_function(module, "main")
    if not is_row_parallel(module, main):
        return False
    main.attributes["kernel.row_parallel"] = UnitAttr()
    return True


def is_row_parallel(module: Operation, main: Operation) -> bool:
    """Whether rows of the batch never meet."""
    if any("kernel.donates" in result for result in main.get("res_attrs", ())):
        return False
    returned = main.body.terminator.operands
    if not returned or not all(has_rows(v) for v in returned):
        return False
    kernels = set()
    for op in main.body.ops:
        if op.name not in ("kernel.call", "graph.reshape", "graph.constant", "func.return"):
            return False
        if not all(has_rows(v) or not is_symbolic(v) for v in (*op.operands, *op.results)):
            return False
        if op.name == "graph.reshape" and has_rows(op.operands[0]) != has_rows(op.result):
            return False
        if op.name == "kernel.call":
            kernels.add(op["callee"])
    return all(keeps_rows(find_function(module, name)) for name in sorted(kernels))


def has_rows(value: Value) -> bool:
    """Whether the first axis is the batch, and no other axis depends on a symbol."""
    shape: Sequence[Dim] = t.shape_of(value.type)
    return bool(shape) and shape[0] is BATCH and not any(isinstance(d, SymbolicDim) for d in shape[1:])


def is_symbolic(value: Value) -> bool:
    return any(isinstance(d, SymbolicDim) for d in t.shape_of(value.type))


def keeps_rows(function: Operation) -> bool:
    """Whether a kernel computes row i of its results from row i of its operands."""
    for op in function.body.ops:
        if op.name in _SIZES:
            continue
        if not all(has_rows(v) or not is_symbolic(v) for v in (*op.operands, *op.results)):
            return False
        if op.name == "linalg.generic":
            if not _generic_keeps_rows(op):
                return False
        elif op.name == "tensor.pad":
            if any(op[name][0] != 0 for name in ("static_low", "static_high")):
                return False
        elif op.name == "tensor.concat":
            if op["dim"] == 0:
                return False
        elif op.name in ("tensor.insert_slice", "tensor.extract_slice"):
            if op["static_offsets"][0] != 0 or op["static_strides"][0] != 1:
                return False
        elif op.name in ("tensor.expand_shape", "tensor.collapse_shape"):
            if any(has_rows(v) for v in op.operands) and tuple(op["reassociation"][0]) != (0,):
                return False
        elif op.name in ROWS_APART:
            if has_rows(op.operands[0]) != has_rows(op.result) or any(is_symbolic(v) for v in op.operands[1:]):
                return False
        elif any(is_symbolic(v) for v in (*op.operands, *op.results)):
            return False
    return True


def _generic_keeps_rows(op: Operation) -> bool:
    view = generic(op)
    tensors = list(zip((*view.inputs, *view.inits), view.maps, strict=True))
    rows = {m.results[0].dim for value, m in tensors if has_rows(value)}
    if not rows:
        return not any(is_symbolic(v) for v, _ in tensors)
    if len(rows) != 1 or None in rows:
        return False
    (row,) = rows
    if row not in view.parallel:
        return False
    for value, map_ in tensors:
        others = map_.results[1:] if has_rows(value) else map_.results
        if any(dim == row for e in others for dim, _ in e.terms):
            return False
    if any(o.name == "tensor.extract" and is_symbolic(o.operands[0]) for o in view.body.ops):
        return False  # the row that is read is known when the model runs
    # A result that depends on the number of its row would be another one in another batch.
    return not any(o.name == "linalg.index" and o["dim"] == row for o in view.body.ops)
