"""share-moments: the sums of a tensor and of its squared distances from their mean are taken in one sweep.

Reads graph, writes graph; after split-reductions. The second sum waits for the mean, so the tensor would be read twice.
Both follow from sums about any k. With an element of the tensor itself, k is about as far from the mean m as the others
are, so that the subtraction loses a bit or two; with k = 0, plain squares, it would lose all where m is far from 0.

    s = sum(x); q = sum((x - m)^2)      =>      k = x[0, middle]; S = sum(x - k); Q = sum((x - k)^2)
                                                s = S + n k;  q = Q + (m - k) (n (m - k) - 2 S)

Where a product makes x, the row of k is made by a product of its own, so that the sums need not wait for x and can be
made with it (see fuse-sums). A k that is not finite is none: 0 is taken then, and the mean of an infinite x is right.
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.cost_model import nominal_size
from kcompile.transforms.kernel.kinds import tensor_type
from kcompile.transforms.kernel.product_rows import LEAST, sums_along_tiles

DEAR = 8  # times as large as the weights must x be: they are read once more for its row


@pass_("share-moments", reads="graph", writes="graph")
def share_moments(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.reduce"]:
        found = _distances(op)
        total = None if found is None else _sum_before(found[0], op)
        if found is not None and total is not None:
            _share(total, op, *found)
            changed = True
    return changed


def _distances(op: Operation) -> tuple[Value, Value] | None:
    """x and m where the op is the sum of (x - m)^2 over all axes but the last, done in two steps; this is the last."""
    inner = _first_step(op)
    square = None if inner is None else inner.operands[0].defining_op
    if square is None or square.name != "graph.mul" or square.operands[0] is not square.operands[1]:
        return None
    away = square.operands[0].defining_op
    if away is None or away.name != "graph.sub":
        return None
    x, spread = away.operands
    maker, kind = spread.defining_op, tensor_type(x)
    if kind.element is not t.f32 or nominal_size(x) < LEAST or any(isinstance(n, SymbolicDim) for n in kind.shape[1:]):
        return None
    if maker is None or maker.name != "graph.broadcast_in_dim" or tuple(maker["dims"]) != (kind.rank - 1,):
        return None
    return x, maker.operands[0]


def _first_step(op: Operation) -> Operation | None:
    """The inner one of two sums that split-reductions made of one."""
    inner = op.operands[0].defining_op
    if inner is None or op.name != "graph.reduce" or tuple(op["axes"]) != (0,) or inner.name != op.name:
        return None
    axes = tuple(range(1, tensor_type(inner.operands[0]).rank - 1))
    both = op["kind"] == inner["kind"] == "add" and tuple(inner["axes"]) == axes
    return inner if both and inner.result.has_one_use else None


def _sum_before(x: Value, distances: Operation) -> Operation | None:
    """The sum of x itself over the same axes, done in two steps as well."""
    for inner in x.users:
        for op in inner.result.users if inner.name == "graph.reduce" else []:
            if _first_step(op) is inner and op.parent is distances.parent and op.is_before(distances):
                return op
    return None


def _share(total: Operation, distances: Operation, x: Value, mean: Value) -> None:
    shape = tensor_type(x).shape
    rank, axes, pixels = len(shape), tuple(range(1, len(shape) - 1)), 1
    for n in shape[1:-1]:
        assert isinstance(n, int)
        pixels *= n
    inner = _first_step(total)
    assert inner is not None
    b: GraphBuilder = GraphBuilder.before_op(inner)
    near = _finite(b, _row_of_product(b, x) or _middle(b, x))
    away = b.sub(x, b.broadcast_in_dim(near, shape=shape, dims=(rank - 1,)))
    first = b.reduce(b.reduce(away, axes=axes, kind="add"), axes=(0,), kind="add")
    second = b.reduce(b.reduce(b.mul(away, away), axes=axes, kind="add"), axes=(0,), kind="add")
    ones = b.broadcast_in_dim(b.constant(float(pixels), t.f32), shape=shape[:1], dims=())
    count = b.broadcast_in_dim(b.reduce(ones, axes=(0,), kind="add"), shape=shape[-1:], dims=())
    total.replace_by([b.add(first, b.mul(count, near))])
    b = GraphBuilder.before_op(distances)
    off = b.sub(mean, near)
    spread = b.add(second, b.mul(off, b.sub(b.mul(count, off), b.mul(first, 2.0))))
    distances.replace_by([b.max(spread, 0.0)])  # rounding may take it below


def _middle(b: GraphBuilder, x: Value) -> Value:
    """The middle row of the first image."""
    shape = tensor_type(x).shape
    start = (0, *(n // 2 for n in shape[1:-1]), 0)
    limit = (1, *(n // 2 + 1 for n in shape[1:-1]), shape[-1])
    row: Value = b.reshape(b.slice(x, start=start, limit=limit, strides=(1,) * len(shape)), shape=shape[-1:])
    return row


def _row_of_product(b: GraphBuilder, x: Value) -> Value | None:
    """The same row of `product` or `product + bias`, made from the operands; None where the sums stay apart from x."""
    made, bias = x.defining_op, None
    if made is not None and made.name == "graph.add":
        bias = made.operands[1].defining_op
        made = made.operands[0].defining_op
        if bias is None or bias.name != "graph.broadcast_in_dim" or tuple(bias["dims"]) != (tensor_type(x).rank - 1,):
            return None
    if made is None or made.name != "graph.dot_general" or not sums_along_tiles(made, tensor_type(x).shape):
        return None
    lhs, weights = made.operands
    if nominal_size(x) < DEAR * nominal_size(weights) or tensor_type(weights).rank != 2:
        return None
    row = b.reshape(_middle(b, lhs), shape=(1, tensor_type(lhs).shape[-1]))
    near = b.dot_general(row, weights, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    near = b.reshape(near, shape=tensor_type(x).shape[-1:])
    return b.add(near, bias.operands[0]) if bias is not None else near  # type: ignore[no-any-return]


def _finite(b: GraphBuilder, near: Value) -> Value:
    finite = b.compare(b.abs(near), float("inf"), direction="lt")
    return b.select(finite, near, 0.0)  # type: ignore[no-any-return]
