"""narrow-dots: a dot with very few output features keeps vectors busy along another axis.

Reads graph, writes graph; runs after align-operands. Vectors run along the features of a result; with 1 to 3 of them
(a binary classifier's head, and the gradient of its weights) most lanes would be idle. So

    x[b, k] . w[k, n]   =>   x . transpose(w)[n, k]           a sum along k, which both operands have contiguous
    x[b, m]' . y[b, n]  =>   transpose(y' . x)[m, n]          the many rows become the features

The transposes are of a few columns, or, with one feature, reshapes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim, SymbolicDim, nominal, product
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type

NARROW = 3  # features; with more the contraction strategy has tiles, masked at the edge
LONG = 16  # elements that the other axis needs at least


@pass_("narrow-dots", reads="graph", writes="graph")
def narrow_dots(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.dot_general" and is_narrow(op)]:
        changed |= _sum_along_rows(op) or _exchange(op)
    return changed


def is_narrow(op: Operation) -> bool:
    """Whether the right operand gives the result 1 to NARROW features, and nothing is batched."""
    if op["rhs_batch"]:
        return False
    return has_few_features(tensor_type(op.operands[1]).shape, op["rhs_contract"])


def has_few_features(shape: Sequence[Dim], contract: Sequence[int]) -> bool:
    """Whether the axes of an operand that are not contracted make 1 to NARROW features."""
    features = product([n for i, n in enumerate(shape) if i not in contract])
    return not isinstance(features, SymbolicDim) and 0 < features <= NARROW


def _sum_along_rows(op: Operation) -> bool:
    """One contracted axis, last in the left operand: put it last in the right one, too."""
    lhs, rhs = (tensor_type(v) for v in op.operands)
    contract = op["rhs_contract"]
    if (
        lhs.rank == 0
        or op["lhs_contract"] != (lhs.rank - 1,)
        or nominal(lhs.shape[-1]) < LONG
        or contract == (rhs.rank - 1,)
    ):
        return False
    order = (*(i for i in range(rhs.rank) if i not in contract), *contract)
    b: GraphBuilder = GraphBuilder.before_op(op)
    turned = b.transpose(op.operands[1], permutation=order)
    op.set_operand(1, turned)
    op["rhs_contract"] = (rhs.rank - 1,)
    return True


def _exchange(op: Operation) -> bool:
    """The left operand's last axis is free and long: make it the features."""
    lhs, rhs = (tensor_type(v) for v in op.operands)
    if lhs.rank == 0 or lhs.rank - 1 in op["lhs_contract"] or nominal(lhs.shape[-1]) < LONG:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    swapped = b.dot_general(
        op.operands[1], op.operands[0], lhs_batch=(), rhs_batch=(), lhs_contract=op["rhs_contract"],
        rhs_contract=op["lhs_contract"],
    )  # fmt: skip
    few = rhs.rank - len(op["rhs_contract"])
    rank = tensor_type(op.result).rank
    op.replace_by([b.transpose(swapped, permutation=(*range(few, rank), *range(few)))])
    return True
