# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `scf` dialect: loops and branches with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

scf = Dialect("scf")


def _check_yield(op: Operation, region: int, types: list[t.Type]) -> None:
    terminator = op.regions[region].blocks[0].last
    yielded = [v.type for v in terminator.operands] if terminator is not None else []
    if terminator is None or terminator.name != "scf.yield" or yielded != types:
        raise IRError(
            f"region {region} of {op.name} needs an scf.yield of {types}. Received: {terminator!r} of {yielded}"
        )


@scf.op("for", ins="lower upper step *inits")
class For:
    """for iv in range(lower, upper, step), step > 0; the region's other arguments are carried from turn to turn."""

    def verify(op: Operation) -> None:
        types = [v.type for v in op.operands]
        results = [r.type for r in op.results]
        if types[:3] != [t.index] * 3 or types[3:] != results:
            raise IRError(f"scf.for takes three indices and one init a result {results}. Received: {types}")
        arguments = [a.type for a in op.body.arguments]
        if len(op.regions) != 1 or arguments != [t.index, *results]:
            raise IRError(f"the body of scf.for takes an index and {results}. Received: {arguments}")
        _check_yield(op, 0, results)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        lower, upper, step, *carried = operands
        if step <= 0:
            raise IRError(f"scf.for needs a step > 0. Received: {step}", str(op.location))
        for i in range(int(lower), int(upper), int(step)):
            carried = interp.run_block(op.body, [i, *carried])
        return carried


@scf.op("if", ins="condition")
class If:
    """The first region where the condition holds, else the second (which may be absent if there are no results)."""

    def verify(op: Operation) -> None:
        if op.operands[0].type is not t.i1:
            raise IRError(f"scf.if needs an i1. Received: {op.operands[0].type}")
        results = [r.type for r in op.results]
        if len(op.regions) != 2 or (results and not op.regions[1].blocks):
            raise IRError("scf.if needs two regions; the second may be empty only without results")
        for i, region in enumerate(op.regions):
            if region.blocks:
                _check_yield(op, i, results)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        blocks = op.regions[0 if operands[0] else 1].blocks
        return interp.run_block(blocks[0], []) if blocks else []


@scf.op("yield", ins="*operands", traits="terminator pure")
class Yield:
    """Ends a region of this dialect with its values."""

    def verify(op: Operation) -> None:
        parent = op.parent.parent_op if op.parent is not None else None
        if parent is None or parent.dialect != "scf":
            raise IRError("scf.yield stands in a region of an scf operation only")
