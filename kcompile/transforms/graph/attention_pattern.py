"""Attention in a graph: a product (the scores), work along its rows, and a product with what it gives (the weights).

    scores = dot_general(query, key)      [batch .., t, s]
    weights = a chain of elementwise ops and reductions of the last axis: scale, mask, softmax
    result = dot_general(weights, value)  [batch .., t, v], then perhaps a transpose

Nothing but the result is used elsewhere: the scores need never be in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType

MOST_REDUCTIONS = 4
GENERATORS = frozenset({"graph.broadcast_in_dim", "graph.constant", "graph.iota"})  # made again instead of read


@dataclass(frozen=True, slots=True)
class Attention:
    """`dependent`: the ops from the scores to the weights in order; `chain`: with the constants, spreads and indices
    that they need."""

    scores: Operation
    dependent: tuple[Operation, ...]
    chain: tuple[Operation, ...]
    result: Operation
    turned: Operation | None  # the transpose of the result

    @property
    def rows(self) -> int:
        """How many queries there are."""
        rows = shape_of(self.scores.result)[-2]
        assert isinstance(rows, int)
        return rows

    @property
    def share(self) -> tuple[Operation, Value, Value] | None:
        """(division, e, total) where the weights are e / spread(total), e = exp(..) and total the sum of its row."""
        division = self.result.operands[0].defining_op
        assert division is not None
        if division.name != "graph.div":
            return None
        grown, total = division.operands[0], spread_of(division.operands[1])
        exp, summed = grown.defining_op, total.defining_op if total is not None else None
        if exp is None or summed is None or exp.name != "graph.exp" or summed.name != "graph.reduce":
            return None
        fits = summed["kind"] == "add" and summed.operands[0] is grown and total is not None
        return (division, grown, total) if fits and total is not None else None

    @property
    def ops(self) -> list[Operation]:
        return [self.scores, *self.chain, self.result, *([self.turned] if self.turned else [])]


def attention_of(result: Operation, shared: bool = False) -> Attention | None:
    """The attention whose last product is `result`; None if it is not one.

    shared: what it computes on the way may be used elsewhere, as its gradient does.
    """
    if result.name != "graph.dot_general" or not _is_weighted_sum(result):
        return None
    weights = result.operands[0]
    work = RowWork(shape_of(weights), most_products=1)
    if not work.follow([weights]):
        return None
    (scores,) = work.products
    if any(not isinstance(n, int) or not n for n in _sizes(scores, result)):
        return None
    inside = {*work.dependent, result}
    if not shared and any(user not in inside for op in (scores, *work.dependent) for user in op.result.users):
        return None
    reductions = sum(op.name == "graph.reduce" for op in work.dependent)
    if not 1 <= reductions <= MOST_REDUCTIONS or any(turns(op) for op in work.order):
        return None
    users = result.result.users
    turned = users[0] if len(users) == 1 and keeps_last(users[0]) else None
    return Attention(scores, tuple(work.dependent), tuple(work.order), result, turned)


def shape_of(value: Value) -> tuple[Dim, ...]:
    assert isinstance(value.type, TensorType)
    return value.type.shape


def _is_weighted_sum(dot: Operation) -> bool:
    """[batch .., t, s] times a right operand whose last axis is the result's, and no dim of its own but that."""
    lhs, rhs = (shape_of(v) for v in dot.operands)
    rank = len(lhs)
    return (
        t.element_of(dot.result.type) in (t.f32, t.f64)
        and rank >= 2
        and tuple(dot["lhs_contract"]) == (rank - 1,)
        and tuple(dot["lhs_batch"]) == tuple(range(rank - 2))
        and len(rhs) == rank
        and rank - 1 not in (*dot["rhs_batch"], *dot["rhs_contract"])
    )


def gives_scores(dot: Operation, shape: tuple[Dim, ...]) -> bool:
    """One free dim on each side, one summed dim that lies last in the right operand."""
    lhs, rhs = (shape_of(v) for v in dot.operands)
    batch, contract = len(dot["lhs_batch"]), tuple(dot["rhs_contract"])
    return (
        t.element_of(dot.result.type) in (t.f32, t.f64)
        and shape_of(dot.result) == shape
        and len(lhs) == len(rhs) == batch + 2 == len(shape)
        and contract in ((len(rhs) - 1,), (len(rhs) - 2,))
    )


def _sizes(scores: Operation, result: Operation) -> tuple[Dim, ...]:
    """Rows, keys, summed size and width."""
    lhs = shape_of(scores.operands[0])
    return (*shape_of(scores.result)[-2:], lhs[scores["lhs_contract"][0]], shape_of(result.result)[-1])


def spread_of(value: Value) -> Value | None:
    """The rows that a broadcast along the last axis spreads."""
    op = value.defining_op
    return op.operands[0] if op is not None and op.name == "graph.broadcast_in_dim" else None


def turns(op: Operation) -> bool:
    """Whether a row is read across its operand's rows."""
    return op.name == "graph.broadcast_in_dim" and list(op["dims"]) != sorted(op["dims"])


def keeps_last(op: Operation) -> bool:
    return op.name == "graph.transpose" and op["permutation"][-1] == len(op["permutation"]) - 1


class RowWork:
    """Follows values back to products of the shape of the scores.

    products    these products (at most `most_products`), in the order found
    dependent   the ops that depend on them, operands first
    order       these, with what is made again for them
    """

    def __init__(self, shape: tuple[Dim, ...], most_products: int):
        self.shape, self.most = shape, most_products
        self.products: list[Operation] = []
        self.dependent: list[Operation] = []
        self.order: list[Operation] = []
        self._known: dict[Value, bool] = {}
        self._failed = False

    def follow(self, values: Sequence[Value]) -> bool:
        """Whether each of the values is made from the products by work along the rows, in one block."""
        if not all([self._depends(v) for v in values]) or self._failed:
            return False
        made = dict.fromkeys(v.defining_op for v, d in self._known.items() if d)
        self.dependent = [op for op in made if op is not None and op not in self.products]
        if any(op.parent is not self.products[0].parent for op in (*self.products, *self.dependent)):
            return False
        wanted: dict[Operation, None] = {}
        for op in self.dependent:
            for v in op.operands:
                self._generators(v, wanted)
        self.order = [*wanted, *self.dependent]
        return True

    def is_row_work(self, op: Operation) -> bool:
        """Whether a row of the op's only result is made from that row of its operands."""
        if len(op.results) != 1 or shape_of(op.results[0]) not in (self.shape, self.shape[:-1]):
            return False
        rank = len(self.shape)
        if op.name == "graph.reduce":
            return tuple(op["axes"]) == (rank - 1,) and shape_of(op.operands[0]) == self.shape and op["kind"] in _KINDS
        if op.name == "graph.broadcast_in_dim":
            return tuple(op["dims"]) == tuple(range(rank - 1)) and shape_of(op.operands[0]) == self.shape[:-1]
        return op.has_trait("elementwise")

    def _depends(self, value: Value) -> bool:
        """Whether `value` comes from the products; operands first, so that `_known` is in order."""
        if value in self._known:
            return self._known[value]
        op = value.defining_op
        if op is None or self._failed:
            self._known[value] = False
            return False
        if op.name == "graph.dot_general" and gives_scores(op, self.shape):
            if op not in self.products and len(self.products) < self.most:
                self.products.append(op)
            self._known[value] = op in self.products
            return self._known[value]
        known = op.has_trait("elementwise") or op.name in ("graph.broadcast_in_dim", "graph.reduce")
        if not known or len(op.results) != 1 or shape_of(value) not in (self.shape, self.shape[:-1]):
            self._known[value] = False  # a tensor from outside; if it comes from the scores they have another user
            return False
        found = any([self._depends(v) for v in op.operands])
        if found and not self.is_row_work(op):
            self._failed = True
        self._known[value] = found
        return found

    def _generators(self, value: Value, wanted: dict[Operation, None]) -> None:
        """What is made inside, because it is nothing but a number, an index or a smaller tensor spread out."""
        op = value.defining_op
        if op is None or op in wanted or self._known.get(value) or op.name not in GENERATORS:
            return
        if op.name == "graph.constant" and op.results[0].type.size != 1:  # type: ignore[attr-defined]
            return
        for v in op.operands:
            self._generators(v, wanted)
        wanted[op] = None


_KINDS = ("add", "max", "min", "mul")
