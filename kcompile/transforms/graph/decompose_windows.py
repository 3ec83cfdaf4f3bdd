"""decompose-windows: the padding of a reduce_window becomes a pad with what changes nothing (0, -inf, inf).

Reads graph, writes graph. A window of one element in every dim is a strided slice.

    reduce_window(x) {max, padding 1}   =>   reduce_window(pad(x, -inf) {low 1, high 1}) {max}
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.reduction import identity
from kcompile.ir.core import Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("decompose-windows", reads="graph", writes="graph", exact=True)
def decompose_windows(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.reduce_window"]:
        if any(n != 0 for n in (*op["padding_low"], *op["padding_high"])):
            op = _pad(op)
            changed = True
        if all(n == 1 for n in op["window"]):
            b: GraphBuilder = GraphBuilder.before_op(op)
            x = op.operands[0]
            shape = tensor_type(x).shape
            # the type rule of the window is that of the slice, so the limit is the size
            op.replace_by([b.slice(x, start=(0,) * len(shape), limit=shape, strides=op["strides"])])
            changed = True
    return changed


def _pad(op: Operation) -> Operation:
    b: GraphBuilder = GraphBuilder.before_op(op)
    x = op.operands[0]
    source = tensor_type(x)
    fill = b.constant(identity(op["kind"], source.element), source.element)
    padded = b.pad(x, fill, low=op["padding_low"], high=op["padding_high"], interior=(0,) * source.rank)
    none = (0,) * source.rank
    attributes = {name: op[name] for name in op.attributes} | {"padding_low": none, "padding_high": none}
    made = b.reduce_window(padded, **attributes)
    op.replace_by([made])
    return made.owner  # type: ignore[no-any-return]
