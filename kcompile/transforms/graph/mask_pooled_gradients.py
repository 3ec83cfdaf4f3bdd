"""mask-pooled-gradients: the gradient of relu before a max pooling is taken on the pooled values, where they are fewer.

Reads graph, writes graph. An element that a window chose is above 0 exactly if the window's maximum is, so with
y = relu(z) and p = max pooling of y

    select(z > 0, window_gradient(y, ct), 0)   =>   window_gradient(y, select(p > 0, ct, 0))

bit for bit, nan included. That spares a pass over the large tensor, and keeping its mask from the forward pass.
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation, Value
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of
from kcompile.transforms.kernel.cost_model import nominal_size

_WINDOW = ("window", "strides", "padding_low", "padding_high", "kind")


@pass_("mask-pooled-gradients", reads="graph", writes="graph", exact=True)
def mask_pooled_gradients(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.select"]:
        changed |= _rewrite(op)
    return changed


def _rewrite(masked: Operation) -> bool:
    predicate, on_true, on_false = masked.operands
    keeps_true = _is_zero(on_false)
    gradient = (on_true if keeps_true else on_false).defining_op
    if not keeps_true and not _is_zero(on_true):
        return False
    if gradient is None or gradient.name != "graph.reduce_window_grad" or gradient["kind"] != "max":
        return False
    activated, cotangent = gradient.operands
    compare = predicate.defining_op
    pooled = _pooling_of(activated, gradient)
    if pooled is None or compare is None or not gradient.result.has_one_use:
        return False
    if not _is_relu(activated, compare, keeps_true) or not pooled.is_before(gradient):
        return False
    if 2 * nominal_size(pooled.result) > nominal_size(activated):
        return False
    b: GraphBuilder = GraphBuilder.before_op(gradient)
    chosen = b.compare(pooled.result, 0.0, direction=compare["direction"])
    if keeps_true:
        cotangent = b.select(chosen, cotangent, 0.0)
    else:
        cotangent = b.select(chosen, b.full(0.0, cotangent.type), cotangent)  # type: ignore[arg-type]
    gradient.set_operand(1, cotangent)
    masked.replace_by([gradient.result])
    return True


def _is_zero(value: Value) -> bool:
    number = splat_of(value)
    return number is not None and number == 0


def _is_relu(value: Value, compare: Operation, keeps_true: bool) -> bool:
    """Whether `value` is select(z > 0, z, 0), or select(z <= 0, 0, z), by this very comparison."""
    op = value.defining_op
    wanted = "gt" if keeps_true else "le"
    if op is None or op.name != "graph.select" or compare.name != "graph.compare" or compare["direction"] != wanted:
        return False
    z, zero = compare.operands
    kept, dropped = op.operands[1:] if keeps_true else op.operands[:0:-1]
    return op.operands[0] is compare.result and _is_zero(zero) and kept is z and _is_zero(dropped)


def _pooling_of(value: Value, gradient: Operation) -> Operation | None:
    """The forward pooling that the gradient belongs to."""
    for user in value.users:
        if user.name == "graph.reduce_window" and all(d == 1 for d in user.get("window_dilation") or ()):
            if all(user[name] == gradient[name] for name in _WINDOW):
                return user
    return None
