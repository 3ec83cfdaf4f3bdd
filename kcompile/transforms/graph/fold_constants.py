"""fold-constants: ops on constants are computed now, by their references.

Reads graph, writes graph. A result larger than its operands (a broadcast, a counter) stays an op: it costs nothing in
a kernel.

    add(constant 1, constant 2)   =>   constant 3

Options: `limit`, the most elements of a folded result.
"""

from __future__ import annotations

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr
from kcompile.ir.core import Operation
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.interpreter import round_bf16
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("fold-constants", reads="graph", writes="graph", exact=True)
def fold_constants(module: Operation, limit: int = 1 << 16) -> bool:
    changed = False
    for op in module.walk():
        if op.dialect == "graph" and op.parent is not None and _is_foldable(op, limit):
            value = _compute(op)
            folded = Operation("graph.constant", (), [op.result.type], {"value": value}, (), op.location)
            op.parent.insert_before(op, folded)
            op.replace_by(folded.results)
            changed = True
    return changed


def _is_foldable(op: Operation, limit: int) -> bool:
    if op.name in ("graph.constant", "graph.stop_gradient") or not op.operands or op.regions or len(op.results) != 1:
        return False
    makers = [v.defining_op for v in op.operands]
    if any(m is None or m.name != "graph.constant" for m in makers) or not op.has_trait("pure"):
        return False
    size = tensor_type(op.result).size
    if isinstance(size, SymbolicDim) or size > limit:
        return False
    return size <= max(1, *(int(tensor_type(v).size) for v in op.operands))  # type: ignore[arg-type]


def _compute(op: Operation) -> DenseAttr:
    assert op.definition is not None and op.definition.reference is not None
    arrays = [v.defining_op.attributes["value"].value for v in op.operands if v.defining_op is not None]
    attributes = {name: op[name] for name in op.definition.attrs if name in op.attributes}
    type = tensor_type(op.result)
    with np.errstate(all="ignore"):
        array = np.asarray(op.definition.reference(*arrays, **attributes), t.to_numpy(type.element))
    return DenseAttr(round_bf16(array) if type.element is t.bf16 else array, type)
