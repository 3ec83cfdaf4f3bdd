# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""func: functions, calls and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcompile.errors import IRError
from kcompile.ir.core import Operation, find_function
from kcompile.ir.definition import Dialect
from kcompile.ir.types import FunctionType, Type, types_text

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

func = Dialect("func")


def _function_type(op: Operation) -> FunctionType:
    function_type = op["function_type"]
    if not isinstance(function_type, FunctionType):
        raise IRError(f"func.func needs a function type. Received: {function_type}", str(op.location))
    return function_type


@func.op("func", traits="isolated symbol")
class Func:
    """A function: sym_name, function_type, optionally arg_attrs and res_attrs (one dict per argument, per result)."""

    def verify(op: Operation) -> None:
        function_type = _function_type(op)
        name = op["sym_name"]
        if len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
            raise IRError(f"@{name} needs one region of one block", str(op.location))
        arguments = tuple(a.type for a in op.body.arguments)
        if arguments != function_type.inputs:
            raise IRError(
                f"@{name} takes {types_text(function_type.inputs)} by its type. Received: block arguments "
                f"{types_text(arguments)}",
                str(op.location),
            )
        for attr, types in (("arg_attrs", function_type.inputs), ("res_attrs", function_type.results)):
            if attr in op.attributes and len(op[attr]) != len(types):
                received = len(op[attr])
                raise IRError(f"{attr} of @{name} needs {len(types)} dicts. Received: {received}", str(op.location))


@func.op("return", ins="*operands", traits="terminator")
class Return:
    """Ends a function with its results."""

    def verify(op: Operation) -> None:
        function = op.parent.parent_op if op.parent is not None else None
        if function is None or function.name != "func.func":
            raise IRError("func.return stands in a func.func only", str(op.location))
        results = _function_type(function).results
        returned = tuple(v.type for v in op.operands)
        if returned != results:
            raise IRError(
                f"@{function['sym_name']} returns {types_text(results)} by its type. Received: {types_text(returned)}",
                str(op.location),
            )


@func.op("call", ins="*operands")
class Call:
    """callee(operands): `callee` is a symbol of the module."""

    def verify(op: Operation) -> None:
        called = _function_type(callee_of(op))
        received: tuple[tuple[Type, ...], ...] = (
            tuple(v.type for v in op.operands),
            tuple(r.type for r in op.results),
        )
        if received != (called.inputs, called.results):
            raise IRError(
                f"@{op['callee']} is {called}. Received: a call of {FunctionType(*received)}",
                str(op.location),
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return interp.call(op["callee"], operands)


def callee_of(op: Operation) -> Operation:
    """The function that a call names by its attribute `callee`."""
    root = op
    while root.parent_op is not None:
        root = root.parent_op
    return find_function(root, op["callee"])
