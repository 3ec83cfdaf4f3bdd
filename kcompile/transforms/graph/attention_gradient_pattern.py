"""The gradient of attention in a graph, as reverse mode leaves it behind the forward part of `attention_pattern`:

    weights = softmax(dot(query, key)); result = dot(weights, value)           -- forward
    dvalue = dot(weights, dresult)                                             -- summed over the queries
    dweights = dot(dresult, value);  dscores = row work on weights and dweights
    dquery = dot(dscores, key); dkey = dot(dscores, query)                     -- over the keys, over the queries

Products of the shape of the scores, work along their rows, and products with what it gives. Nothing of that shape is
used elsewhere, so none of it need be in memory as a whole, if the scores are computed again.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.transforms.graph.attention_pattern import (
    RowWork,
    attention_of,
    keeps_last,
    shape_of,
    turns,
)

MOST_PRODUCTS = 2  # the scores, and the gradient of the weights


@dataclass(frozen=True, slots=True)
class Sum:
    """A product with a tensor of the shape of the scores, and what turns it.

    operand    which one has that shape
    of_keys    summed over the queries, a row for each key; else summed over the keys, a row for each query
    """

    product: Operation
    operand: int
    of_keys: bool
    turned: Operation | None

    @property
    def last(self) -> Operation:
        return self.product if self.turned is None else self.turned


@dataclass(frozen=True, slots=True)
class AttentionGradient:
    """`chain`: the ops from the products to what the sums read, forward part included, operands first."""

    products: tuple[Operation, ...]
    chain: tuple[Operation, ...]
    sums: tuple[Sum, ...]


def attention_gradient_of(result: Operation) -> AttentionGradient | None:
    """The gradient of the attention whose last product is `result`; None if there is none that one kernel can do."""
    forward = attention_of(result, shared=True)
    if forward is None:
        return None
    shape = shape_of(forward.scores.result)
    inside = {forward.scores, *forward.dependent}
    readers = _readers(inside, result, RowWork(shape, MOST_PRODUCTS))
    if not readers:
        return None
    sums = [_sum_of(op, shape) for op in readers]
    work = RowWork(shape, MOST_PRODUCTS)
    if not work.follow([s.product.operands[s.operand] for s in sums if s is not None]) or None in sums:
        return None
    made = {*work.products, *work.dependent}
    allowed = {*made, *inside, *readers, result}
    if any(user not in allowed for op in made for user in op.result.users) or any(turns(op) for op in work.order):
        return None
    if any(s is not None and s.product.operands[1 - s.operand].defining_op in made for s in sums):
        return None
    if any(not isinstance(n, int) or not n for op in (*work.products, *readers) for n in _matrix_sizes(op)):
        return None
    if len({t.element_of(v.type) for op in (*work.products, *readers) for v in (*op.operands, op.result)}) > 1:
        return None
    return AttentionGradient(tuple(work.products), tuple(work.order), tuple(s for s in sums if s is not None))


def attention_products(module: Operation) -> set[Operation]:
    """The products in a module that attention kernels make of rows of both operands: those of the scores' shape."""
    found: set[Operation] = set()
    for op in module.walk():
        if op.name == "graph.dot_general":
            attention, gradient = attention_of(op), attention_gradient_of(op)
            found |= {attention.scores} if attention is not None else set()
            found |= set(gradient.products) if gradient is not None else set()
    return found


def _readers(inside: set[Operation], result: Operation, work: RowWork) -> list[Operation]:
    """The products, but for `result`, that work along the rows leads to from ops of the forward part."""
    found: list[Operation] = []
    seen = {*inside, result}
    pending = [u for op in inside for u in op.result.users]
    while pending:
        op = pending.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.name == "graph.dot_general":
            found.append(op)
        elif work.is_row_work(op):
            pending += op.result.users
        else:
            return []
    order = {op: i for i, op in enumerate(result.parent.ops)} if result.parent is not None and found else {}
    return sorted(found, key=order.__getitem__) if all(op in order for op in found) else []


def _sum_of(dot: Operation, shape: tuple[object, ...]) -> Sum | None:
    """How a product sums rows or columns of the operand that has the shape of the scores."""
    rank = len(shape)
    lhs, rhs = (shape_of(v) for v in dot.operands)
    batch = tuple(range(rank - 2))
    for operand, (mine, other) in enumerate((("lhs", "rhs"), ("rhs", "lhs"))):
        contract = tuple(dot[f"{mine}_contract"])
        if (lhs, rhs)[operand] != shape or tuple(dot[f"{mine}_batch"]) != batch or len(contract) != 1:
            continue
        width = (rhs, lhs)[operand]
        if len(width) != rank or rank - 1 in (*dot[f"{other}_batch"], *dot[f"{other}_contract"]):
            continue  # the width lies last, for vectors
        users = dot.result.users
        if operand == 0:
            turned = users[0] if len(users) == 1 and keeps_last(users[0]) else None
        else:
            turned = users[0] if len(users) == 1 and _makes_last(users[0], rank - 2) else None
            if turned is None:
                continue
        return Sum(dot, operand, contract == (rank - 2,), turned)
    return None


def _makes_last(op: Operation, axis: int) -> bool:
    return op.name == "graph.transpose" and op["permutation"][-1] == axis


def _matrix_sizes(dot: Operation) -> list[object]:
    """The sizes of a product but for those of its batch."""
    return [
        n
        for side, value in zip(("lhs", "rhs"), dot.operands, strict=True)
        for axis, n in enumerate(shape_of(value))
        if axis not in dot[f"{side}_batch"]
    ]
