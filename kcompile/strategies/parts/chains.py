"""Loops over dear chains, cut where one dear function waits for another.

    for i: y[i] = tanh(exp(x[i]) + 1)      =>      for i: t[i] = exp(x[i]) + 1;   for i: y[i] = tanh(t[i])

A polynomial is a chain of dependent multiply-adds, and a core looks ahead over some eighty of them: a row and a half of
a cell's gates with the tanh behind them. In a loop of its own each function has more rows in flight: a step of a GRU of
128 units and 32 rows took 16.5 us in one loop, 15.6 so.
"""

from __future__ import annotations

from collections.abc import Callable

from kcompile.codegen.mathematics import RECIPES
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import Type, VectorType

STORES = frozenset({"memref.store", "vector.store", "vector.maskedstore"})
LOADS = frozenset({"memref.load", "vector.load", "vector.maskedload", "vector.gather"})
# recipes, but no chains
SHORT = frozenset({"codegen.ldexp", "math.roundeven", "math.floor", "math.ceil", "math.trunc"})


def split_chains(loop: Operation, turns: int, scratch: Callable[[tuple[int, int], Type], Value]) -> None:
    """Make a loop from 0 to `turns` one loop for each dear function of its deepest chain, where there are several.

    scratch    gives memory for what one loop leaves for the next ones
    All reads stay in the first loop, and no turn may read what another one writes: results may replace operands.
    """
    split = _Split(loop)
    kinds = {value.type for value in split.crossing}
    if len(kinds) != 1 or loop.parent is None:
        return
    (kind,) = kinds
    if not isinstance(kind, VectorType) or not t.is_float(kind):
        return
    memory = scratch((turns, len(split.crossing) * kind.shape[0]), kind.element)
    copies: list[tuple[Operation, dict[Value, Value]]] = [(loop, {})]
    for _ in split.kept[1:]:
        values: dict[Value, Value] = {}
        copy = loop.clone(values)
        following = copies[-1][0].next
        copies.append((copy, values))
        if following is None:
            loop.parent.append(copy)
        else:
            loop.parent.insert_before(following, copy)
    for stage, (copy, values) in reversed(list(enumerate(copies, 1))):  # the others are found through the first
        split.leave(stage, copy, values, memory, kind.shape[0])


class _Split:
    """What each of the loops does.

    stages    of each operation: how many dear functions it has before it, itself included; at least 1
    crossing  what a stage leaves for later ones
    kept      by stage: its stores, what it leaves, and what it takes to compute them
    """

    def __init__(self, loop: Operation):
        self.ops = list(loop.body.ops)
        counts: dict[Operation, int] = {}
        for op in self.ops:
            before = [counts[v.defining_op] for v in op.operands if v.defining_op in counts]
            counts[op] = max(before, default=0) + (op.name in RECIPES and op.name not in SHORT)
        self.stages = {op: max(1, count) for op, count in counts.items()}
        self.crossing: list[Value] = []
        straight = not any(op.regions for op in self.ops)
        depth = max(self.stages.values()) if straight else 1
        self.kept = [self._kept(stage) for stage in range(depth, 0, -1)][::-1]

    def _kept(self, stage: int) -> set[Operation]:
        """What stays in the loop of a stage; later stages are known."""
        pending = [op for op in self.ops if op.name in STORES and self.stages[op] == stage]
        pending += [v.owner for v in self.crossing if isinstance(v.owner, Operation) and self.stages[v.owner] == stage]
        kept = {self.ops[-1]}
        while pending:
            op = pending.pop()
            if op in kept:
                continue
            kept.add(op)
            for value in op.operands:
                made = value.defining_op
                if made is None or made not in self.stages:
                    continue
                if self.stages[made] == stage or _is_light(made):
                    pending.append(made)
                elif value not in self.crossing:
                    self.crossing.append(value)
        return kept

    def leave(self, stage: int, loop: Operation, values: dict[Value, Value], memory: Value, lanes: int) -> None:
        """Take out of a copy of the loop what its stage does not do; `values`: those of the first loop in the copy."""
        body, kept = loop.body, self.kept[stage - 1]
        ops = list(body.ops)
        loads, stores = LoopBuilder.before_op(ops[0]), LoopBuilder.before_op(ops[-1])
        for number, value in enumerate(self.crossing):
            made, own = value.defining_op, values.get(value, value)
            if made in kept:
                stores.vstore(own, memory, [body.arguments[0], stores.index(number * lanes)])
            elif any(user in kept for user in value.users):
                own.replace_by(loads.vload(memory, [body.arguments[0], loads.index(number * lanes)], lanes))
        for op, original in reversed(list(zip(ops, self.ops, strict=True))):
            if original not in kept:
                op.erase()


def _is_light(op: Operation) -> bool:
    """Whether an operation is done again rather than its result kept: places, masks and constants."""
    if op.name in LOADS or not op.results:
        return False
    if op.name == "vector.broadcast":
        made = op.operands[0].defining_op
        return made is not None and made.name == "arith.constant"
    return op.name == "arith.constant" or not t.is_float(op.results[0].type)
