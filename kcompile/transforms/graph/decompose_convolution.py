"""decompose-convolution: padding becomes a pad, so that no window of a convolution leaves its input.

Reads graph, writes graph. A kernel then reads every window without a test, and the pad is memory traffic only.

    convolution(x, w) {padding 1}   =>   convolution(pad(x, 0) {low 1, high 1}, w)

With a dilated input the pad is that of the input before it is dilated, and what remains of the padding lies over zeros
that the dilation makes: such a convolution is done phase by phase (see convolution_phases), and no zero is stored or
multiplied. Where the phases are too many, or their sizes unknown, the pad has the zeros in it.

    convolution(x, w) {padding 3, lhs_dilation 2}   =>   convolution(pad(x, 0) {low 1, high 1}, w) {padding 1, ..}
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.convolution_phases import border, phases_of
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("decompose-convolution", reads="graph", writes="graph", exact=True)
def decompose_convolution(module: Operation) -> bool:
    found = [op for op in module.walk() if op.name == "graph.convolution"]
    return any([_decompose(op) for op in found])


def _decompose(op: Operation) -> bool:
    dilation = op["lhs_dilation"]
    phases = phases_of(op) if any(d != 1 for d in dilation) else None
    edges = border(op, phases) if phases is not None else None
    if edges is None:
        if not any(n != 0 for n in (*op["padding_low"], *op["padding_high"])) and all(d == 1 for d in dilation):
            return False
        edges = list(zip(op["padding_low"], op["padding_high"], strict=True))
        _pad(op, edges, dilation)
        return True
    if not any(n != 0 for pair in edges for n in pair):
        return False
    _pad(op, edges, (1,) * len(dilation))
    return True


def _pad(op: Operation, edges: list[tuple[Dim, Dim]], spread: tuple[int, ...]) -> None:
    """Put a pad by `edges`, with the input spread by `spread`, before the convolution."""
    b: GraphBuilder = GraphBuilder.before_op(op)
    lhs, rhs = op.operands
    source = tensor_type(lhs)
    low, high, interior = ([0] * source.rank for _ in range(3))
    left: dict[str, list[object]] = {"lhs_dilation": [], "padding_low": [], "padding_high": []}
    for i, axis in enumerate(op["lhs_spec"][2:]):
        low[axis], high[axis] = edges[i]  # type: ignore[assignment]
        interior[axis] = spread[i] - 1
        dilation = op["lhs_dilation"][i] // spread[i]
        left["lhs_dilation"].append(dilation)
        left["padding_low"].append(op["padding_low"][i] - edges[i][0] * dilation)
        left["padding_high"].append(op["padding_high"][i] - edges[i][1] * dilation)
    zero = b.constant(0, source.element)
    padded = b.pad(lhs, zero, low=tuple(low), high=tuple(high), interior=tuple(interior))
    attributes = {name: op[name] for name in op.attributes} | {name: tuple(values) for name, values in left.items()}
    op.replace_by([b.convolution(padded, rhs, **attributes)])
