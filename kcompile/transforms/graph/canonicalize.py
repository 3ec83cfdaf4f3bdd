"""canonicalize: one form for what can be written in several ways, and no ops that do nothing.

Reads graph, writes graph. The rules are data: `algebra_rules.py` (exact arithmetic), `movement_rules.py`, and below
two for every elementwise op: what is computed alike for all elements is computed once, before the broadcast; and
reshapes move behind, so that they do not stand between ops that could be one kernel.

    mul(broadcast(a), broadcast(b))   =>   broadcast(mul(a, b))
    exp(reshape(x))                   =>   reshape(exp(x))
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir.core import Operation, Value
from kcompile.ir.definition import definitions
from kcompile.ir.rewriting import Match, RewritePass, Rule, capture, op, rule, splat_of
from kcompile.transforms.graph import algebra_rules, movement_rules
from kcompile.transforms.kernel.kinds import is_splat, tensor_type

Made = Any


def _before_broadcast(b: Any, m: Match) -> Made:
    """f(broadcast(x), broadcast(y), constant) with one way to broadcast becomes broadcast(f(x, y, constant))."""
    first: Operation | None = None
    for value in m.op.operands:
        maker = value.defining_op
        if maker is None or maker.name != "graph.broadcast_in_dim":
            if is_splat(value) and maker is not None and maker.name == "graph.constant":
                continue
            return None
        if not is_splat(value):
            if first is not None and not _is_alike(first, maker):
                return None
            first = first or maker
    if first is None:
        first = next(
            (v.defining_op for v in m.op.operands if v.defining_op and v.defining_op.name == "graph.broadcast_in_dim"),
            None,
        )
    if first is None or tensor_type(first.operands[0]).size == tensor_type(first.result).size:
        return None
    source = tensor_type(first.operands[0]).shape
    operands = [_narrow(b, v, source) for v in m.op.operands]
    if any(v is None for v in operands):
        return None
    made = b.create(m.op.name, operands, dict(m.op.attributes)).result
    return b.broadcast_in_dim(made, shape=tensor_type(m.op.result).shape, dims=first["dims"])


def _is_alike(first: Operation, second: Operation) -> bool:
    same = tensor_type(first.operands[0]).shape == tensor_type(second.operands[0]).shape
    return same and first["dims"] == second["dims"]


def _narrow(b: Any, value: Value, shape: Any) -> Value | None:
    """The operand before its broadcast, as a tensor of `shape`."""
    maker = value.defining_op
    assert maker is not None
    if maker.name == "graph.broadcast_in_dim" and tensor_type(maker.operands[0]).shape == shape:
        return maker.operands[0]
    number = splat_of(value)
    if number is None:
        return None
    scalar = b.constant(np.asarray(number), tensor_type(value).element)
    made: Value = scalar if not shape else b.broadcast_in_dim(scalar, shape=shape, dims=())
    return made


def _before_reshape(b: Any, m: Match) -> Made:
    """f(reshape(x), reshape(y), scalars) with x and y of one shape becomes reshape(f(x, y, scalars))."""
    shape: Any = None
    for value in m.op.operands:
        maker = value.defining_op
        if maker is not None and maker.name == "graph.reshape" and not is_splat(value):
            source = tensor_type(maker.operands[0]).shape
            if shape is not None and source != shape:
                return None
            shape = source
        elif not _is_one_number(value):
            return None
    if shape is None:
        return None
    operands = [_unshaped(b, v, shape) for v in m.op.operands]
    if any(v is None for v in operands):
        return None
    made = b.create(m.op.name, operands, dict(m.op.attributes)).result
    return b.reshape(made, shape=tensor_type(m.op.result).shape)


def _is_one_number(value: Value) -> bool:
    """Whether all elements are one number: a constant, or a scalar that was spread."""
    maker = value.defining_op
    if maker is None:
        return False
    return is_splat(value) or (maker.name == "graph.broadcast_in_dim" and not tensor_type(maker.operands[0]).shape)


def _unshaped(b: Any, value: Value, shape: Any) -> Made:
    maker = value.defining_op
    assert maker is not None
    if maker.name == "graph.reshape" and not is_splat(value):
        return maker.operands[0]
    if not is_splat(value):
        return b.broadcast_in_dim(maker.operands[0], shape=shape, dims=())
    return _narrow(b, value, shape)


def _elementwise_rules() -> list[Rule]:
    rules = []
    for definition in definitions("graph"):
        if "elementwise" in definition.traits and definition.name != "graph.stop_gradient":  # that one is dropped
            operands = [capture(f"x{i}") for i in range(len(definition.ins))]
            name = definition.name.removeprefix("graph.")
            pattern = op(definition.name, *operands)
            rules.append(rule(f"{name}-before-broadcast", pattern, _before_broadcast))
            rules.append(rule(f"{name}-before-reshape", pattern, _before_reshape))
    return rules


RULES = [*algebra_rules.RULES, *movement_rules.RULES, *_elementwise_rules()]
canonicalize = RewritePass("canonicalize", RULES, reads="graph", writes="graph")
