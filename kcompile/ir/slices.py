"""Slices of a program: what a value is made of. The name is that of MLIR's slice analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kcompile.ir.core import Operation, Value


def backward_slice(values: Iterable[Value], through: Callable[[Operation], bool] = lambda op: True) -> set[Value]:
    """The values, and those from which they are made by operations that `through` takes.

    %m = mul(%x, %c); %y = add(%x, %m)        backward_slice([%y]) = {%y, %x, %m, %c}
    """
    found: set[Value] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if value not in found:
            found.add(value)
            made = value.defining_op
            if made is not None and through(made):
                pending += made.operands
    return found
