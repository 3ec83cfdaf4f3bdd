# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""builtin: the module, the root of every IR text."""

from __future__ import annotations

from kcompile.errors import IRError
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect

builtin = Dialect("builtin")


@builtin.op("module", traits="isolated symbol_table no_terminator")
class Module:
    """A list of functions."""

    def verify(op: Operation) -> None:
        if len(op.regions) != 1 or len(op.regions[0].blocks) != 1 or op.body.arguments:
            raise IRError("builtin.module needs one region of one block without arguments", str(op.location))


@builtin.op("unrealized_conversion_cast", ins="*operands", traits="pure")
class UnrealizedConversionCast:
    """Joins two levels while one of them is lowered; none is left when a stage is done."""
