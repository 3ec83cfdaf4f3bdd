"""find-row-parallel: marks @main when every row of the batch is computed from the same row of the inputs alone.

    func.func @main .. {kernel.row_parallel}

Such a model can run a few rows at a time, start to end, while they are in the cache, and other rows on other threads
without any barrier. It reads the linalg forms of the kernels, before dims are collapsed: the batch must be one axis of
every tensor that has it (the first one of arguments and results), always indexed by one parallel dim as it is. In a
scan rows go through all steps: time is an axis like others, until it is the batch that is scanned.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph.control import ScanView, code_blocks
from kcompile.ir import types as t
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim, SymbolicDim, product, symbol
from kcompile.ir.passes import pass_
from kcompile.strategies.parts.structured import generic

BATCH = symbol("b")
ROWS_APART = ("graph.winograd_convolution",)  # graph ops that keep the rows of their first operand apart
_SIZES = ("arith.constant", "arith.muli", "arith.addi", "tensor.dim", "tensor.empty", "linalg.fill", "func.return")
_PLANNED = ("kernel.call", "graph.reshape", "graph.constant", "graph.scan", "graph.yield", "func.return")


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
    if not returned or not all(row_axis(v) == 0 for v in returned):
        return False
    if any(is_symbolic(a) and row_axis(a) != 0 for a in main.body.arguments):
        return False
    kernels = set()
    for op in (op for block in code_blocks(main) for op in block.ops):
        if op.name not in (
            "kernel.call",
            "graph.reshape",
            "graph.constant",
            "graph.scan",
            "graph.yield",
            "func.return",
        ):
            return False
        if not all(row_axis(v) is not None or not is_symbolic(v) for v in (*op.operands, *op.results)):
            return False
        if op.name == "graph.reshape" and not _reshape_keeps_rows(op):
            return False
        if op.name == "graph.scan" and any(row_axis(x) == 0 for x in ScanView(op).xs):
            return False  # a step is a row
        if op.name == "kernel.call":
            kernels.add(op["callee"])
    return all(keeps_rows(find_function(module, name)) for name in sorted(kernels))


def row_axis(value: Value) -> int | None:
    """The axis that is the batch, where no other axis depends on a symbol; None if there is none."""
    shape: Sequence[Dim] = t.shape_of(value.type)
    symbolic = [i for i, d in enumerate(shape) if isinstance(d, SymbolicDim)]
    return symbolic[0] if len(symbolic) == 1 and shape[symbolic[0]] is BATCH else None


def is_symbolic(value: Value) -> bool:
    return any(isinstance(d, SymbolicDim) for d in t.shape_of(value.type))


def _reshape_keeps_rows(op: Operation) -> bool:
    source, result = op.operands[0], op.result
    before, after = row_axis(source), row_axis(result)
    if before is None or after is None:
        return before is after
    return product(t.shape_of(source.type)[:before]) == product(t.shape_of(result.type)[:after])


def keeps_rows(function: Operation) -> bool:
    """Whether a kernel computes row i of its results from row i of its operands."""
    for op in function.body.ops:
        if op.name in _SIZES:
            continue
        if not all(row_axis(v) is not None or not is_symbolic(v) for v in (*op.operands, *op.results)):
            return False
        if op.name == "linalg.generic":
            if not _generic_keeps_rows(op):
                return False
        elif any(is_symbolic(v) for v in (*op.operands, *op.results)) and not _keeps_axis(op):
            return False
    return True


def _keeps_axis(op: Operation) -> bool:
    """Whether an operation that moves tensors leaves the rows where they are."""
    axes = {row_axis(v) for v in (*op.operands, *op.results) if is_symbolic(v)}
    if op.name in ("tensor.expand_shape", "tensor.collapse_shape"):
        before, after = row_axis(op.operands[0]), row_axis(op.result)
        groups = [tuple(group) for group in op["reassociation"]]
        wide, narrow = (after, before) if op.name == "tensor.expand_shape" else (before, after)
        return wide is not None and narrow is not None and wide in groups[narrow]
    if len(axes) != 1:
        return False
    (axis,) = axes
    if op.name == "tensor.pad":
        return all(op[name][axis] == 0 for name in ("static_low", "static_high"))
    if op.name == "tensor.concat":
        return bool(op["dim"] != axis)
    if op.name in ("tensor.insert_slice", "tensor.extract_slice"):
        return bool(op["static_offsets"][axis] == 0 and op["static_strides"][axis] == 1)
    if op.name in ROWS_APART:
        both = row_axis(op.operands[0]) == row_axis(op.result) == 0
        return both and not any(is_symbolic(v) for v in op.operands[1:])
    return False


def _generic_keeps_rows(op: Operation) -> bool:
    view = generic(op)
    tensors = list(zip((*view.inputs, *view.inits), view.maps, strict=True))
    places = [row_axis(value) for value, _ in tensors]
    rows = {m.results[place].dim for (_, m), place in zip(tensors, places, strict=True) if place is not None}
    if not rows:
        return not any(is_symbolic(v) for v, _ in tensors)
    if len(rows) != 1 or None in rows:
        return False
    (row,) = rows
    if row not in view.parallel:
        return False
    for (_, map_), place in zip(tensors, places, strict=True):
        others = [e for i, e in enumerate(map_.results) if i != place]
        if any(dim == row for e in others for dim, _ in e.terms):
            return False
    numbers = {o.result for o in view.body.ops if o.name == "linalg.index" and o["dim"] == row}
    for o in view.body.ops:
        if o.name == "tensor.extract" and is_symbolic(o.operands[0]):
            place = row_axis(o.operands[0])
            if place is None or o.operands[1 + place] not in numbers:
                return False  # the row that is read is known when the model runs
    # A result that depends on the number of its row otherwise would be another one in another batch.
    return all(_chooses_row(user, position) for number in numbers for user, position in number.uses)


def _chooses_row(user: Operation, position: int) -> bool:
    """Whether a number is where a read from a tensor with rows says which."""
    return user.name == "tensor.extract" and row_axis(user.operands[0]) == position - 1
