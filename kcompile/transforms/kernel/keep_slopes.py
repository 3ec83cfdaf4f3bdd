"""keep-slopes: of what the backward pass wants one dear function of, that function is kept instead.

Reads kernel, writes kernel; after the epilogues. The gradient behind a gelu is multiplied with a function of the gelu's
operand z, which a product made. With the gelu itself there is most of that function; the product that reads it instead
of z computes nothing dear at the end of its tiles, where there is nothing else to do.

    %y, %z = dispatch {z = dot(..); gelu(z), z};   %d = dispatch(.., %z) {dot(..) * slope(z)}
        =>    %y, %s = dispatch {z = dot(..); gelu(z), slope(z)};    %d = dispatch(.., %s) {dot(..) * s}
"""

from __future__ import annotations

import math

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.cse import key_of
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, drop_unused, in_each_block, yielded
from kcompile.transforms.kernel.kinds import is_elementwise, is_movement, is_splat, root_of

ROOTS = ("graph.dot_general", "graph.convolution")  # at the end of whose tiles nothing else can be done
DEAR = 12.0  # operations an element, from which on to move them pays
SHARED = 2 / 3  # of the function, at most, may be new where it is computed: of the slope of a gelu about half is


@pass_("keep-slopes", reads="kernel", writes="kernel")
def keep_slopes(module: Operation) -> bool:
    return in_each_block(module, _rewrite)


def _rewrite(block: Block) -> bool:
    changed = False
    for maker in Dispatches(block).all(*ROOTS):
        for number, value in enumerate(maker.results):
            if not value.has_one_use or cost_model.nominal_size(value) < cost_model.LEAST_STORED:
                continue
            (reader,) = value.users
            if reader.name != "kernel.dispatch" or root_of(reader) not in ROOTS or reader.parent is not block:
                continue
            chain = slope_of(reader, argument_of(reader, value))
            if chain and pays(maker, number, chain):
                compute(maker, number, chain)
                slope = chain[-1].result
                slope.replace_by(argument_of(reader, value))
                drop_unused(reader)
                changed = True
    return changed


def slope_of(reader: Operation, argument: Value) -> list[Operation]:
    """The operations from an operand of a dispatch to the one function of it that all else reads; none: there is none.

    In order; the last one makes the function.
    """
    made: dict[Value, Operation | None] = {argument: None}
    for op in reader.body.ops:
        own = is_elementwise(op) and not is_movement(op) and len(op.results) == 1
        if own and any(v in made for v in op.operands) and all(v in made or is_splat(v) for v in op.operands):
            made[op.result] = op
    open_ = [v for v in made if any(not u.results or u.results[0] not in made for u in v.users)]
    if len(open_) != 1 or open_[0] is argument or open_[0].type is not argument.type:
        return []
    chain = [op for op in made.values() if op is not None]
    return chain if chain[-1].result is open_[0] and _work(chain) >= DEAR else []


def pays(maker: Operation, number: int, chain: list[Operation]) -> bool:
    """Whether enough of a function is computed already by the dispatch that makes its operand."""
    trial = maker.clone()
    compute(trial, number, chain)
    more = cost_model.dispatch_work(trial) - cost_model.dispatch_work(maker)
    trial.erase()
    return more <= SHARED * _work(chain)


def compute(maker: Operation, number: int, chain: list[Operation]) -> None:
    """Let a dispatch give the function instead of its result of that number."""
    body, operand = maker.body, yielded(maker)[number]
    mapping = {_argument(chain): operand}
    for op in chain:
        for value in op.operands:
            if value not in mapping:
                _copy_splat(body, value, mapping)
        body.insert_before(body.terminator, op.clone(mapping))
    slope = mapping[chain[-1].result]
    results = list(body.terminator.operands)
    body.terminator.set_operands([*results[:number], slope, *results[number + 1 :]])
    for op in [u for u in operand.users if u.name == "graph.gelu" and t.element_of(operand.type) is t.f32]:
        b = GraphBuilder.before_op(op)  # in the same operations as its gradient
        share = b.mul(b.add(b.erf(b.mul(operand, math.sqrt(0.5))), 1.0), 0.5)
        op.replace_by([b.mul(operand, share)])
    known: dict[object, Operation] = {}
    for op in list(body.ops):
        if op.results and not op.regions and op.has_trait("pure"):
            first = known.setdefault(key_of(op), op)
            if first is not op:
                op.replace_by(first.results)


def _argument(chain: list[Operation]) -> Value:
    made = {op.result for op in chain}
    return next(v for v in chain[0].operands if v not in made and not is_splat(v))


def _copy_splat(body: Block, value: Value, mapping: dict[Value, Value]) -> None:
    """A constant that the function reads, inside of the other dispatch."""
    op = value.defining_op
    assert op is not None
    for operand in op.operands:
        if operand not in mapping:
            _copy_splat(body, operand, mapping)
    body.insert_before(body.terminator, op.clone(mapping))


def _work(chain: list[Operation]) -> float:
    return sum(cost_model.work(op) for op in chain)
