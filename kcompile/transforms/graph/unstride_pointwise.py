"""unstride-pointwise: a 1x1 convolution with strides, and its gradients, become plain ones of what is read.

Reads graph, writes graph; runs before decompose-convolution and pointwise-to-dot. What is left are products of
matrices, and copies that move a quarter of the data.

    convolution(x, w) {1x1, strides 2}                        =>   convolution(x[::2, ::2], w)
    convolution(dy, w) {1x1, lhs_dilation 2}                  =>   pad(convolution(dy, w), interior 1)
    convolution(x, dy) {rhs_dilation 2}, of one position      =>   convolution(x[::2, ::2], dy)
    add(pad(a, interior 1), pad(b, interior 1))               =>   pad(add(a, b), interior 1)       of such gradients
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of
from kcompile.transforms.kernel.kinds import tensor_type

Ints = tuple[int, ...]


@pass_("unstride-pointwise", reads="graph", writes="graph")
def unstride_pointwise(module: Operation) -> bool:
    found = [op for op in module.walk() if op.name == "graph.convolution" and is_fixed(op)]
    changed = any([_forward(op) or _input_gradient(op) or _filter_gradient(op) for op in found])
    return any([_sum(op) for op in [op for op in module.walk() if op.name == "graph.add"]]) or changed


def is_fixed(op: Operation) -> bool:
    """Whether all spatial sizes are numbers, and none is 0."""
    x, w = (tensor_type(v).shape for v in op.operands)
    out = tensor_type(op.result).shape
    space = [
        *(x[axis] for axis in op["lhs_spec"][2:]), *(w[axis] for axis in op["rhs_spec"][2:]),
        *(out[axis] for axis in op["out_spec"][2:]), *op["padding_low"], *op["padding_high"],
    ]  # fmt: skip
    return not any(isinstance(n, SymbolicDim) for n in space) and 0 not in space[: -2 * len(op["strides"])]


def window(op: Operation) -> Ints:
    """The sizes of the kernel."""
    shape = tensor_type(op.operands[1]).shape
    return tuple(shape[axis] for axis in op["rhs_spec"][2:])


def _forward(op: Operation) -> bool:
    count = len(op["strides"])
    if set(window(op)) != {1} or all(s == 1 for s in op["strides"]) or any(d != 1 for d in op["lhs_dilation"]):
        return False
    if any((*op["padding_low"], *op["padding_high"])):
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    places = tuple(tensor_type(op.result).shape[axis] for axis in op["out_spec"][2:])
    x = _every(b, op.operands[0], op["lhs_spec"][2:], op["strides"], places)
    op.replace_by([b.convolution(x, op.operands[1], **_with(op, strides=(1,) * count))])
    return True


def _input_gradient(op: Operation) -> bool:
    ones = (1,) * len(op["strides"])
    if set(window(op)) != {1} or tuple(op["strides"]) != ones or tuple(op["lhs_dilation"]) == ones:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    none = (0,) * len(ones)
    made = b.convolution(*op.operands, **_with(op, lhs_dilation=ones, padding_low=none, padding_high=none))
    low, high, interior = ([0] * tensor_type(made).rank for _ in range(3))
    for i, axis in enumerate(op["out_spec"][2:]):
        low[axis], high[axis] = op["padding_low"][i], op["padding_high"][i]
        interior[axis] = op["lhs_dilation"][i] - 1
    zero = b.constant(0, tensor_type(made).element)
    op.replace_by([b.pad(made, zero, low=tuple(low), high=tuple(high), interior=tuple(interior))])
    return True


def _filter_gradient(op: Operation) -> bool:
    ones = (1,) * len(op["strides"])
    steps, places = op["rhs_dilation"], [tensor_type(op.result).shape[axis] for axis in op["out_spec"][2:]]
    if all(n == 1 or d == 1 for n, d in zip(window(op), steps, strict=True)) or set(places) != {1}:
        return False
    if any(d != 1 for d in op["lhs_dilation"]) or any(op["padding_low"]) or any(n > 0 for n in op["padding_high"]):
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    x = _every(b, op.operands[0], op["lhs_spec"][2:], steps, window(op))
    none = (0,) * len(ones)
    attributes = _with(op, rhs_dilation=ones, strides=ones, padding_low=none, padding_high=none)
    op.replace_by([b.convolution(x, op.operands[1], **attributes)])
    return True


def _sum(op: Operation) -> bool:
    """Branches that read the same positions: their gradients are added before they are spread."""
    first, second = (v.defining_op for v in op.operands)
    if first is None or second is None or first is second or first.name != "graph.pad" or second.name != "graph.pad":
        return False
    edges = ("low", "high", "interior")
    if not any(first["interior"]) or any(tuple(first[name]) != tuple(second[name]) for name in edges):
        return False
    fillers = [splat_of(pad.operands[1]) for pad in (first, second)]
    if fillers != [0, 0] or not first.result.has_one_use or not second.result.has_one_use:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    total = b.add(first.operands[0], second.operands[0])
    op.replace_by([b.pad(total, first.operands[1], **{name: first[name] for name in edges})])
    first.erase()
    second.erase()
    return True


def _with(op: Operation, **changes: Ints) -> dict[str, object]:
    """The attributes of a convolution, some of them changed."""
    return {name: op[name] for name in op.attributes} | changes


def _every(b: GraphBuilder, x: Value, axes: Ints, steps: Ints, counts: Ints) -> Value:
    """x at `counts` positions along each of `axes`, `steps` apart."""
    shape = tensor_type(x).shape
    limit, strides = list(shape), [1] * len(shape)
    for axis, step, count in zip(axes, steps, counts, strict=True):
        limit[axis], strides[axis] = (count - 1) * step + 1, step
    made: Value = b.slice(x, start=(0,) * len(shape), limit=tuple(limit), strides=tuple(strides))
    return made
