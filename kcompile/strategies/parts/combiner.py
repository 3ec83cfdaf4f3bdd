"""What joins the elements of a reduction: the operations that strategies know, and what each of them leaves alone."""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.strategies.parts.structured import Generic

COMBINERS = {
    "arith.addf": "add", "arith.addi": "add", "arith.mulf": "mul", "arith.muli": "mul",
    "arith.maximumf": "max", "arith.minimumf": "min", "arith.maxsi": "max", "arith.minsi": "min",
    "arith.maxui": "umax", "arith.minui": "umin", "arith.andi": "and", "arith.ori": "or", "arith.xori": "xor",
}  # fmt: skip


def combiner(view: Generic) -> Operation | None:
    """The operation that joins the running result with a new element, if the body ends in a known one."""
    if len(view.op.results) != 1:
        return None
    yielded = view.body.terminator.operands[0].defining_op
    running = view.body.arguments[-1]
    if yielded is None or yielded.name not in COMBINERS or not running.has_one_use:
        return None
    return yielded if running in yielded.operands else None


def identity_of(kind: str, element: t.Type) -> int | float | bool:
    """The value that a combiner leaves alone."""
    if kind in ("add", "or", "xor", "umax"):
        return 0
    if kind == "mul":
        return 1
    if t.is_float(element):
        return float("-inf") if kind == "max" else float("inf")
    width = t.bitwidth(element)
    if kind in ("and", "umin"):
        return -1 if width > 1 else 1
    return -(1 << (width - 1)) if kind == "max" else (1 << (width - 1)) - 1
