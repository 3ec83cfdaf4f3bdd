"""Reverse mode: the cotangents of values by one walk backwards over the operations of a block.

Only operations that the outputs depend on are visited; a cotangent that is zero is None and costs nothing. New
operations go where the builder stands, and take the location of the operation that they belong to, one scope further in
("gradient").
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph import NOT_DIFFERENTIABLE, GraphBuilder
from kcompile.errors import IRError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.types import TensorType


def gradients(b: GraphBuilder, output: Value, wrt: Sequence[Value]) -> list[Value | None]:
    """The gradient of a scalar float `output` for each value in `wrt`; None where it does not depend on it.

    b        inserts into the block of `output`, after it
    output   a tensor of shape () and a float element
    wrt      values of the same block: arguments, or results that the output was computed from

    Raises ShapeError for an output that is not a scalar, IRError for one that is no float, UnsupportedError for an
    operation on the way whose gradient is not written.

    Example: `(dx,) = gradients(b, b.reduce(b.mul(x, x), axes=(0,), kind="add"), [x])`
    """
    type = output.type
    if not isinstance(type, TensorType) or type.shape != ():
        raise ShapeError(f"a gradient is of one number; reduce the output to shape () first. Received: {type}")
    if not t.is_float(type):
        raise IRError(f"a gradient is of a float. Received: {type}")
    return pullback(b, [output], [b.constant(1.0, type.element)], wrt)


def pullback(
    b: GraphBuilder, outputs: Sequence[Value], cotangents: Sequence[Value | None], wrt: Sequence[Value]
) -> list[Value | None]:
    """The cotangents of `wrt`, given those of `outputs`: the vector-Jacobian product. None stands for zero.

    Each cotangent has the type of its output; all values are of one block, into which b inserts.
    """
    for value, ct in zip(outputs, cotangents, strict=True):
        if ct is not None and ct.type is not value.type:
            raise ShapeError(f"a cotangent has the type of its output {value.type}. Received: {ct.type}")
    path = _operations_before(outputs)
    active = _depends_on(path, wrt)
    total: dict[Value, Value] = {}
    made = _Recorder(b)
    for value, ct in zip(outputs, cotangents, strict=True):
        _accumulate(b, total, value, ct)
    for op in reversed(path):
        cts = [total.get(result) for result in op.results]
        if all(ct is None for ct in cts) or not any(operand in active for operand in op.operands):
            continue
        with b.located(op.location.child("gradient")):
            for operand, ct in zip(op.operands, _vjp(b, op, cts, active), strict=True):
                if ct is None or operand not in active or not t.is_float(operand.type):
                    continue
                if ct.type is not operand.type:
                    raise IRError(f"the gradient of {op.name} has type {ct.type}, not {operand.type}", str(op.location))
                _accumulate(b, total, operand, ct)
    results = [total.get(value) for value in wrt]
    made.erase_unused({value for value in results if value is not None})
    return results


def _vjp(b: GraphBuilder, op: Operation, cts: list[Value | None], active: set[Value]) -> list[Value | None]:
    """The cotangents of the operands of `op`."""
    if op.name == "graph.scan":
        from .scan import scan_pullback

        return scan_pullback(b, op, cts, active)
    rule = op.definition.vjp if op.definition is not None else None
    if rule is None or rule == NOT_DIFFERENTIABLE:
        raise UnsupportedError(
            f"the gradient of {op.name} is not written; a stop_gradient before it keeps it out",
            str(op.location),
        )
    found = rule(b, op, cts[0] if len(cts) == 1 else cts)
    cotangents: list[Value | None] = list(found)
    return cotangents


def _accumulate(b: GraphBuilder, total: dict[Value, Value], value: Value, ct: Value | None) -> None:
    if ct is not None:
        total[value] = b.add(total[value], ct) if value in total else ct


def _operations_before(outputs: Sequence[Value]) -> list[Operation]:
    """The operations that the outputs are computed from, in order."""
    seen: set[Operation] = set()
    pending = list(outputs)
    block: Block | None = None
    while pending:
        op = pending.pop().defining_op
        if op is None or op in seen:
            continue
        if block is not None and op.parent is not block:
            raise IRError(f"differentiation stays in one block; {op.name} is in another", str(op.location))
        block = op.parent
        seen.add(op)
        pending += op.operands
    return [op for op in block.ops if op in seen] if block is not None else []


def _depends_on(path: Sequence[Operation], wrt: Sequence[Value]) -> set[Value]:
    """`wrt`, and the float results of operations on the path that depend on them and let gradients through."""
    active = set(wrt)
    for op in path:
        if op.name != "graph.stop_gradient" and any(value in active for value in op.operands):
            active.update(result for result in op.results if t.is_float(result.type))
    return active


class _Recorder:
    """Remembers where the builder stood, to erase what turned out to be useless (cotangents that nobody asked for)."""

    def __init__(self, b: GraphBuilder):
        self.block = b.block
        self.end = b.before
        self.start = self.block.last if b.before is None else b.before.prev

    def erase_unused(self, results: set[Value]) -> None:
        op = self.block.last if self.end is None else self.end.prev
        while op is not None and op is not self.start:
            before = op.prev
            if not any(value.uses or value in results for value in op.results):
                op.erase()
            op = before
