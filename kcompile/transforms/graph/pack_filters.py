"""pack-filters: the kernel of a direct convolution is laid out in panels of as many features as a tile takes at a time.

Reads graph, writes graph; for kernels that are known at load, right before hoist-weights, which moves the packing into
@prepare. A tile of features then reads one stream. Out of the rows of all features it would read short pieces that lie
apart by so many bytes, in few sets of a cache where that is a power of two (7x7x512->512: 1.42 ms, in panels 1.10;
27x27x96->256 of 5 x 5: 3.99 ms and 3.37).

    convolution(x, w[kh, kw, c, f])   =>   convolution(x, transpose(reshape(w))[f / 32, kh, kw, c, 32])
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.pack_weights import LEAST, WIDTHS
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.kernel.kinds import tensor_type

TILE = {32: 32, 16: 48}  # features that a tile would take at once, as they lie


@pass_("pack-filters", reads="graph", writes="graph", exact=True)
def pack_filters(module: Operation, least: int = LEAST) -> bool:
    """`least`: the bytes from which on a kernel is packed; smaller ones stay in the first-level cache in any order."""
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        made: dict[tuple[Value, int, Block | None], Value] = {}  # for all readers of a block
        for op in [op for op in function.walk() if op.name == "graph.convolution"]:
            width = panel_width(op, least) if op.operands[1] in weight_only else 0
            if width and op.result not in weight_only:
                key = (op.operands[1], width, op.parent)
                made[key] = made.get(key) or packed(op, width)
                op.set_operands([op.operands[0], made[key]])
                changed = True
    return changed


def panel_width(op: Operation, least: int) -> int:
    """The features of a panel, if each is multiplied with all inputs, and they lie side by side; else 0."""
    x, w = (tensor_type(v) for v in op.operands)
    plain = op.get("feature_groups", 1) == op.get("batch_groups", 1) == 1 and all(n == 1 for n in op["lhs_dilation"])
    if not plain or w.rank != x.rank or op["rhs_spec"][0] != w.rank - 1 or op["out_spec"][1] != w.rank - 1:
        return 0
    features = w.shape[-1]
    if not isinstance(w.size, int) or not isinstance(features, int) or w.size * t.bitwidth(w) // 8 < least:
        return 0
    return next((width for width in WIDTHS if features % width == 0 and features > TILE[width]), 0)


def packed(op: Operation, width: int) -> Value:
    """The kernel of a convolution in panels of so many features."""
    b: GraphBuilder = GraphBuilder.before_op(op)
    *others, features = tensor_type(op.operands[1]).shape
    assert isinstance(features, int)
    cut = b.reshape(op.operands[1], shape=(*others, features // width, width))
    last = len(others)
    made: Value = b.transpose(cut, permutation=(last, *range(last), last + 1))
    return made
