"""fold-scale-into-weights: a per-feature scale after a convolution or dot goes into its weights (batch norm at
inference).

Reads graph, writes graph. Only where scale and weights are known when the model is loaded (role "weight" or
constants), so that `hoist-weights` can do the scaling once.

    mul(convolution(x, w), broadcast(s))            =>   convolution(x, mul(w, broadcast(s)))
    mul(add(y, broadcast(c)), broadcast(s))         =>   add(mul(y, broadcast(s)), broadcast(mul(c, s)))   for such a y
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.kernel.kinds import tensor_type


@pass_("fold-scale-into-weights", reads="graph", writes="graph")
def fold_scale_into_weights(module: Operation) -> bool:
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        for op in list(function.body.ops):
            if op.name == "graph.mul" and op.parent is not None:
                changed |= _fold(op, weight_only)
    return changed


def _fold(op: Operation, weight_only: WeightOnly) -> bool:
    for scaled, spread in (op.operands, op.operands[::-1]):
        feature = _feature_vector(spread, weight_only)
        maker = scaled.defining_op
        if feature is None or maker is None or not scaled.has_one_use:
            continue
        if maker.name == "graph.add":
            for inner, shift in (maker.operands, maker.operands[::-1]):
                base = inner.defining_op
                constant = _feature_vector(shift, weight_only)
                if base is None or constant is None or constant[1] != feature[1] or not inner.has_one_use:
                    continue
                if _weight_axis(base, feature[1], weight_only) is not None:
                    _scale_weights_below(op, base, feature, constant[0], weight_only)
                    return True
        elif _weight_axis(maker, feature[1], weight_only) is not None:
            b: GraphBuilder = GraphBuilder.before_op(op)
            op.replace_by([_scaled(b, maker, feature, weight_only)])
            maker.erase()
            return True
    return False


def _scale_weights_below(
    op: Operation, base: Operation, feature: tuple[Value, int], shift: Value, known: WeightOnly
) -> None:
    b: GraphBuilder = GraphBuilder.before_op(op)
    scaled = _scaled(b, base, feature, known)
    vector = b.mul(shift, feature[0])
    known.known[vector] = True
    op.replace_by([b.add(scaled, b.broadcast_in_dim(vector, shape=tensor_type(scaled).shape, dims=(feature[1],)))])


def _feature_vector(value: Value, weight_only: WeightOnly) -> tuple[Value, int] | None:
    """(v, axis) where `value` is the weight-only vector v along one axis, broadcast over the others."""
    op = value.defining_op
    if op is None or op.name != "graph.broadcast_in_dim":
        return None
    source, dims = op.operands[0], op["dims"]
    axes = [(i, d) for i, d in enumerate(dims) if tensor_type(source).shape[i] != 1]
    if len(axes) != 1 or source not in weight_only:
        return None
    if tensor_type(source).rank != 1:
        b: GraphBuilder = GraphBuilder.before_op(op)
        source = b.reshape(source, shape=(tensor_type(source).shape[axes[0][0]],))
        weight_only.known[source] = True
    return source, axes[0][1]


def _weight_axis(op: Operation, axis: int, weight_only: WeightOnly) -> int | None:
    """Which axis of the weights (the right operand) makes `axis` of the result; None if none does."""
    if op.name not in ("graph.convolution", "graph.dot_general") or op.operands[1] not in weight_only:
        return None
    if op.operands[0] in weight_only:
        return None  # the whole op is done at load
    if op.name == "graph.convolution":
        return int(op["rhs_spec"][0]) if axis == op["out_spec"][1] and op.get("batch_groups", 1) == 1 else None
    rank = tensor_type(op.operands[1]).rank
    free = [i for i in range(rank) if i not in op["rhs_batch"] and i not in op["rhs_contract"]]
    first = tensor_type(op.result).rank - len(free)
    return free[axis - first] if axis >= first else None


def _scaled(b: GraphBuilder, op: Operation, feature: tuple[Value, int], weight_only: WeightOnly) -> Value:
    """The convolution or dot with scaled weights."""
    vector, axis = feature
    weights = op.operands[1]
    at = _weight_axis(op, axis, weight_only)
    assert at is not None
    scaled = b.mul(weights, b.broadcast_in_dim(vector, shape=tensor_type(weights).shape, dims=(at,)))
    weight_only.known[scaled] = True
    with b.located(op.location):
        made: Value = b.create(op.name, [op.operands[0], scaled], dict(op.attributes)).result
    return made
