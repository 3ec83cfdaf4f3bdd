"""pointwise-to-dot: a convolution whose window covers one position, or everything, is a product of matrices.

Reads graph, writes graph; runs after decompose-convolution. Products have more freedom in the choice of their rows: all
positions of all images are one axis (see collapse-rows), and their weights can be packed.

    convolution(x[n, h, w, i], k[1, 1, i, o])                    =>   x . k[i, o]
    convolution(x[n, h, w, i], dy[n, h, w, o]; window h x w)     =>   sum over n, h, w     the gradient of such a k
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("pointwise-to-dot", reads="graph", writes="graph")
def pointwise_to_dot(module: Operation) -> bool:
    found = [op for op in module.walk() if op.name == "graph.convolution" and is_plain(op)]
    return any([_one_position(op) or _all_positions(op) for op in found])


def is_plain(op: Operation) -> bool:
    """Whether the convolution has one group, no padding and no dilated input."""
    groups = op.get("feature_groups", 1) * op.get("batch_groups", 1)
    padded = any(n != 0 for n in (*op["padding_low"], *op["padding_high"]))
    return groups == 1 and not padded and all(d == 1 for d in op["lhs_dilation"])


def _one_position(op: Operation) -> bool:
    """A window of one position, without stride: the result has the positions of x."""
    lhs, rhs = op.operands
    window = [tensor_type(rhs).shape[axis] for axis in op["rhs_spec"][2:]]
    rank = tensor_type(lhs).rank
    last = (0, rank - 1, *range(1, rank - 1))  # batch, features, positions: features are the last axis
    if any(n != 1 for n in window) or any(s != 1 for s in op["strides"]) or (op["lhs_spec"], op["out_spec"]) != (
        last, last,
    ):  # fmt: skip
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    features, inputs = op["rhs_spec"][0], op["rhs_spec"][1]
    order = sorted((features, inputs))
    weights = b.reshape(rhs, shape=tuple(tensor_type(rhs).shape[axis] for axis in order))
    made = b.dot_general(
        lhs, weights, lhs_batch=(), rhs_batch=(), lhs_contract=(rank - 1,), rhs_contract=(order.index(inputs),)
    )
    op.replace_by([made])
    return True


def _all_positions(op: Operation) -> bool:
    """A window of the size of x: the result has one position."""
    lhs, rhs = op.operands
    x, w = tensor_type(lhs), tensor_type(rhs)
    pairs = list(zip(op["lhs_spec"][2:], op["rhs_spec"][2:], strict=True))
    if any(x.shape[i] != w.shape[j] for i, j in pairs) or any(d != 1 for d in op["rhs_dilation"]):
        return False
    summed = sorted([(op["lhs_spec"][1], op["rhs_spec"][1]), *pairs])
    b: GraphBuilder = GraphBuilder.before_op(op)
    made = b.dot_general(
        lhs, rhs, lhs_batch=(), rhs_batch=(), lhs_contract=tuple(i for i, _ in summed),
        rhs_contract=tuple(j for _, j in summed),
    )  # fmt: skip
    if op["out_spec"][0] > op["out_spec"][1]:
        made = b.transpose(made, permutation=(1, 0))
    op.replace_by([b.reshape(made, shape=tensor_type(op.result).shape)])
    return True
