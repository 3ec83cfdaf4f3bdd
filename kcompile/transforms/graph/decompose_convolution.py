"""decompose-convolution: padding and input dilation become a pad, so that only valid convolutions are left.

Reads graph, writes graph. A kernel then reads every window without a test, and the pad is memory traffic only.

    convolution(x, w) {padding 1, lhs_dilation 2}   =>   convolution(pad(x, 0) {low 1, high 1, interior 1}, w)
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("decompose-convolution", reads="graph", writes="graph", exact=True)
def decompose_convolution(module: Operation) -> bool:
    found = [op for op in module.walk() if op.name == "graph.convolution" and _is_padded(op)]
    for op in found:
        _decompose(op)
    return bool(found)


def _is_padded(op: Operation) -> bool:
    return any(n != 0 for n in (*op["padding_low"], *op["padding_high"])) or any(d != 1 for d in op["lhs_dilation"])


def _decompose(op: Operation) -> None:
    b: GraphBuilder = GraphBuilder.before_op(op)
    lhs, rhs = op.operands
    source = tensor_type(lhs)
    edges: dict[str, list[object]] = {
        "low": [0] * source.rank,
        "high": [0] * source.rank,
        "interior": [0] * source.rank,
    }
    for i, axis in enumerate(op["lhs_spec"][2:]):
        edges["low"][axis] = op["padding_low"][i]
        edges["high"][axis] = op["padding_high"][i]
        edges["interior"][axis] = op["lhs_dilation"][i] - 1
    zero = b.constant(0, source.element)
    padded = b.pad(lhs, zero, **{name: tuple(values) for name, values in edges.items()})
    none = (0,) * (source.rank - 2)
    attributes = {name: op[name] for name in op.attributes}
    attributes |= {"padding_low": none, "padding_high": none, "lhs_dilation": (1,) * (source.rank - 2)}
    op.replace_by([b.convolution(padded, rhs, **attributes)])
