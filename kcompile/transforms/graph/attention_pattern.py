"""Attention in a graph: a product (the scores), work along its rows, and a product with what it gives (the weights).

    scores = dot_general(query, key)      [batch .., t, s]
    weights = a chain of elementwise ops and reductions of the last axis: scale, mask, softmax
    result = dot_general(weights, value)  [batch .., t, v], then perhaps a transpose

Nothing but the result is used elsewhere: the scores need never be in memory as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType

MOST_REDUCTIONS = 4
GENERATORS = frozenset({"graph.broadcast_in_dim", "graph.constant", "graph.iota"})  # made again instead of read


@dataclass(frozen=True, slots=True)
class Attention:
    """`chain`: the ops from the scores to the weights in order, with the constants, spreads and indices they need."""

    scores: Operation
    chain: tuple[Operation, ...]
    result: Operation
    turned: Operation | None  # the transpose of the result

    @property
    def rows(self) -> int:
        """How many queries there are."""
        rows = _shape(self.scores.result)[-2]
        assert isinstance(rows, int)
        return rows

    @property
    def share(self) -> tuple[Operation, Value, Value] | None:
        """(division, e, total) where the weights are e / spread(total), e = exp(..) and total the sum of its row."""
        division = self.result.operands[0].defining_op
        assert division is not None
        if division.name != "graph.div":
            return None
        grown, total = division.operands[0], _spread_of(division.operands[1])
        exp, summed = grown.defining_op, total.defining_op if total is not None else None
        if exp is None or summed is None or exp.name != "graph.exp" or summed.name != "graph.reduce":
            return None
        fits = summed["kind"] == "add" and summed.operands[0] is grown and total is not None
        return (division, grown, total) if fits and total is not None else None

    @property
    def ops(self) -> list[Operation]:
        return [self.scores, *self.chain, self.result, *([self.turned] if self.turned else [])]


def attention_of(result: Operation) -> Attention | None:
    """The attention whose last product is `result`; None if it is not one."""
    if result.name != "graph.dot_general" or not _is_weighted_sum(result):
        return None
    weights = result.operands[0]
    shape = _shape(weights)
    found = _Chain(shape).follow(weights)
    if found is None:
        return None
    scores, dependent, order = found
    if not _gives_scores(scores, shape) or any(not isinstance(n, int) or not n for n in _sizes(scores, result)):
        return None
    inside = {*dependent, result}
    if any(user not in inside for op in (scores, *dependent) for r in op.results for user in r.users):
        return None
    reductions = sum(op.name == "graph.reduce" for op in dependent)
    if not 1 <= reductions <= MOST_REDUCTIONS or any(_turns(op) for op in order):
        return None
    users = result.result.users
    turned = users[0] if len(users) == 1 and _keeps_last(users[0]) else None
    return Attention(scores, tuple(order), result, turned)


def attention_scores(module: Operation) -> set[Operation]:
    """The products of queries and keys in a module."""
    found = (attention_of(op) for op in module.walk() if op.name == "graph.dot_general")
    return {a.scores for a in found if a is not None}


def _shape(value: Value) -> tuple[Dim, ...]:
    assert isinstance(value.type, TensorType)
    return value.type.shape


def _is_weighted_sum(dot: Operation) -> bool:
    """[batch .., t, s] times a right operand whose last axis is the result's, and no dim of its own but that."""
    lhs, rhs = (_shape(v) for v in dot.operands)
    rank = len(lhs)
    return (
        t.element_of(dot.result.type) in (t.f32, t.f64)
        and rank >= 2
        and tuple(dot["lhs_contract"]) == (rank - 1,)
        and tuple(dot["lhs_batch"]) == tuple(range(rank - 2))
        and len(rhs) == rank
        and rank - 1 not in (*dot["rhs_batch"], *dot["rhs_contract"])
    )


def _gives_scores(dot: Operation, shape: tuple[Dim, ...]) -> bool:
    """One free dim on each side, one summed dim that lies last in the right operand."""
    lhs, rhs = (_shape(v) for v in dot.operands)
    batch, contract = len(dot["lhs_batch"]), tuple(dot["rhs_contract"])
    return (
        t.element_of(dot.result.type) in (t.f32, t.f64)
        and _shape(dot.result) == shape
        and len(lhs) == len(rhs) == batch + 2 == len(shape)
        and contract in ((len(rhs) - 1,), (len(rhs) - 2,))
    )


def _sizes(scores: Operation, result: Operation) -> tuple[Dim, ...]:
    """Rows, keys, summed size and width."""
    lhs = _shape(scores.operands[0])
    return (*_shape(scores.result)[-2:], lhs[scores["lhs_contract"][0]], _shape(result.result)[-1])


def _spread_of(value: Value) -> Value | None:
    """The rows that a broadcast along the last axis spreads."""
    op = value.defining_op
    return op.operands[0] if op is not None and op.name == "graph.broadcast_in_dim" else None


def _turns(op: Operation) -> bool:
    """Whether a row is read across its operand's rows."""
    return op.name == "graph.broadcast_in_dim" and list(op["dims"]) != sorted(op["dims"])


def _keeps_last(op: Operation) -> bool:
    return op.name == "graph.transpose" and op["permutation"][-1] == len(op["permutation"]) - 1


class _Chain:
    """Follows values back to the scores."""

    def __init__(self, shape: tuple[Dim, ...]):
        self.shape = shape
        self.scores: Operation | None = None
        self.depends: dict[Value, bool] = {}
        self.failed = False

    def follow(self, weights: Value) -> tuple[Operation, list[Operation], list[Operation]] | None:
        """The scores, the ops that depend on them, and these with what is made again for them, in order."""
        if not self._depends(weights) or self.failed or self.scores is None:
            return None
        dependent = list(dict.fromkeys(v.defining_op for v, d in self.depends.items() if d))
        chain = [op for op in dependent if op is not None and op is not self.scores]
        if any(op.parent is not self.scores.parent for op in chain):
            return None
        wanted: dict[Operation, None] = {}
        for op in chain:
            for v in op.operands:
                self._generators(v, wanted)
        return self.scores, chain, [*wanted, *chain]

    def _depends(self, value: Value) -> bool:
        """Whether `value` comes from the scores; operands first, so that `depends` is in order."""
        if value in self.depends:
            return self.depends[value]
        op = value.defining_op
        if op is None or self.failed:
            self.depends[value] = False
            return False
        if op.name == "graph.dot_general" and _gives_scores(op, self.shape) and self.scores in (None, op):
            self.scores = op
            self.depends[value] = True
            return True
        known = op.has_trait("elementwise") or op.name in ("graph.broadcast_in_dim", "graph.reduce")
        if not known or len(op.results) != 1 or _shape(value) not in (self.shape, self.shape[:-1]):
            self.depends[value] = False  # a tensor from outside; if it comes from the scores they have another user
            return False
        found = any([self._depends(v) for v in op.operands])
        if found and not self._is_row_work(op):
            self.failed = True
        self.depends[value] = found
        return found

    def _is_row_work(self, op: Operation) -> bool:
        """Whether a row of the op's result is made from that row of its operands."""
        rank = len(self.shape)
        if op.name == "graph.reduce":
            return tuple(op["axes"]) == (rank - 1,) and _shape(op.operands[0]) == self.shape and op["kind"] in _KINDS
        if op.name == "graph.broadcast_in_dim":
            return tuple(op["dims"]) == tuple(range(rank - 1)) and _shape(op.operands[0]) == self.shape[:-1]
        return True

    def _generators(self, value: Value, wanted: dict[Operation, None]) -> None:
        """What is made inside, because it is nothing but a number, an index or a smaller tensor spread out."""
        op = value.defining_op
        if op is None or op in wanted or self.depends.get(value) or op.name not in GENERATORS:
            return
        if op.name == "graph.constant" and op.results[0].type.size != 1:  # type: ignore[attr-defined]
            return
        for v in op.operands:
            self._generators(v, wanted)
        wanted[op] = None


_KINDS = ("add", "max", "min", "mul")
