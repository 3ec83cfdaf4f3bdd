"""narrow-convolutions: a convolution with very few output features keeps vectors busy along another axis.

Reads graph, writes graph; runs after align-operands, as narrow-dots does for dots. The features of a result are where
vectors usually run; with 1 to 3 of them most lanes would be idle. So

    convolution(x, w[.., i, o])      =>   convolution(x, transpose(w)[o, .., i])      sums along i, which both have last
    the gradient of such a w[.., i, o]      =>   transpose(the same as [.., o, i])    the many inputs are the features
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.narrow_dots import LONG, NARROW
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("narrow-convolutions", reads="graph", writes="graph")
def narrow_convolutions(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.convolution"]:
        if sums_along_inputs(op):
            changed |= _put_inputs_last(op)
        elif is_narrow_gradient(op):
            changed |= _exchange(op)
    return changed


def has_few_outputs(op: Operation) -> bool:
    """Whether there are 1 to NARROW output features, last in the result, and no groups."""
    out = tensor_type(op.result)
    features, groups = out.shape[op["out_spec"][1]], op.get("feature_groups", 1) * op.get("batch_groups", 1)
    if not isinstance(features, int) or not 0 < features <= NARROW or groups != 1:
        return False
    return bool(op["out_spec"][1] == out.rank - 1)


def sums_along_inputs(op: Operation) -> bool:
    """Whether positions and input features fill vectors: then `inner_products` is the strategy."""
    x, out = tensor_type(op.operands[0]), tensor_type(op.result)
    inputs, row = x.shape[op["lhs_spec"][1]], op["out_spec"].index(out.rank - 2)
    if not has_few_outputs(op) or op["lhs_spec"][1] != x.rank - 1 or row < 2:
        return False
    positions = out.shape[out.rank - 2]
    window = [tensor_type(op.operands[1]).shape[axis] for axis in op["rhs_spec"][2:]]
    along = isinstance(positions, int) and positions >= LONG * op["lhs_dilation"][row - 2]
    return along and isinstance(inputs, int) and inputs >= LONG and all(isinstance(n, int) for n in window)


def _put_inputs_last(op: Operation) -> bool:
    rhs, spec = op.operands[1], op["rhs_spec"]
    if spec[1] == len(spec) - 1:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    op.set_operand(1, b.transpose(rhs, permutation=(spec[0], *spec[2:], spec[1])))
    op["rhs_spec"] = (0, len(spec) - 1, *range(1, len(spec) - 1))
    return True


def is_narrow_gradient(op: Operation) -> bool:
    """Whether the batch of the result is long and contiguous in x: in the gradient of a filter it is its inputs."""
    x, out = tensor_type(op.operands[0]), tensor_type(op.result)
    return has_few_outputs(op) and op["lhs_spec"][0] == x.rank - 1 and nominal(out.shape[op["out_spec"][0]]) >= LONG


def _exchange(op: Operation) -> bool:
    rank = tensor_type(op.result).rank
    order = list(range(rank))
    batch = op["out_spec"][0]
    order[batch], order[rank - 1] = rank - 1, batch
    b: GraphBuilder = GraphBuilder.before_op(op)
    attributes = {name: op[name] for name in op.attributes}
    attributes["out_spec"] = (rank - 1, batch, *op["out_spec"][2:])
    made = b.convolution(*op.operands, **attributes)
    op.replace_by([b.transpose(made, permutation=tuple(order))])
    return True
