"""hoist-scalars: numbers that are the same in every turn of a loop, and dear, are computed before it.

    for i: y[i] = (x[i] - m) * rsqrt(v + eps)        =>        r = rsqrt(v + eps); for i: y[i] = (x[i] - m) * r

A strategy evaluates what was fused at each vector, so a row's own numbers come up once a vector; a root and a division
take as long as the rest of a layer norm (383 cycles a row of 256, 190 of them these). Vectors stay where they are, and
so do cheap scalars: registers are few. Reads and writes loops; exact.
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.passes import pass_

CHEAP_MATH = frozenset(f"math.{n}" for n in ("absf", "fma", "copysign", "floor", "ceil", "roundeven", "trunc"))


@pass_("hoist-scalars", reads="loops", writes="loops", exact=True)
def hoist_scalars(module: Operation) -> bool:
    changed = False
    for loop in [op for op in module.walk(reverse=True) if op.name == "scf.for"]:  # inner loops first
        changed |= hoist_from(loop)
    return changed


def hoist_from(loop: Operation) -> bool:
    """Move dear invariant scalars, and what they are made from, from the body of a loop to before it."""
    dear = [op for op in loop.body.ops if is_dear(op)]
    if not dear:
        return False
    inside = _made_inside(loop)
    invariant: dict[Value, bool] = {}

    def stays(value: Value) -> bool:
        """Whether the value is the same in every turn and can be computed before."""
        if value not in inside:
            return True
        if value not in invariant:
            op = value.defining_op
            invariant[value] = (
                op is not None and op.parent is loop.body and is_pure_scalar(op) and all(stays(v) for v in op.operands)
            )
        return invariant[value]

    wanted: set[Operation] = set()
    pending = [op for op in dear if stays(op.results[0])]
    while pending:
        op = pending.pop()
        if op not in wanted:
            wanted.add(op)
            pending += [v.defining_op for v in op.operands if v in inside and v.defining_op is not None]
    for op in list(loop.body.ops):
        if op in wanted:
            op.move_before(loop)
    return bool(wanted)


def is_pure_scalar(op: Operation) -> bool:
    return (
        op.dialect in ("arith", "math")
        and not op.regions
        and len(op.results) == 1
        and isinstance(op.results[0].type, t.FloatType | t.IntegerType)
    )


def is_dear(op: Operation) -> bool:
    """Whether an operation on scalar floats takes many cycles."""
    slow = op.name in ("arith.divf", "arith.remf") or (op.dialect == "math" and op.name not in CHEAP_MATH)
    return slow and is_pure_scalar(op) and t.is_float(op.results[0].type)


def _made_inside(loop: Operation) -> set[Value]:
    """All values that the loop makes: arguments of blocks and results of operations in it."""
    found: set[Value] = set()
    for op in loop.walk():
        if op is not loop:
            found.update(op.results)
        for region in op.regions:
            for block in region.blocks:
                found.update(block.arguments)
    return found
