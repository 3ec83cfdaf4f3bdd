"""kernel: which operations form one kernel, and calls of kernels.

`@main` at the kernel level is a list of dispatches over tensors; after outlining each is a `kernel.call` of a function.
Both are pure: memory begins below this level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect
from kcompile.ir.types import IntegerType, TensorType, Type, types_text

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

kernel = Dialect("kernel")


def signless(type: Type) -> Type:
    """The type as kernels see it: uiN becomes iN, at any place of the type."""
    element = t.element_of(type)
    if isinstance(element, IntegerType) and element.unsigned:
        return t.with_element(type, IntegerType(element.width))
    return type


@kernel.op("dispatch", ins="*operands", traits="pure isolated")
class Dispatch:
    """One kernel: a region of graph ops over the operands, ended by `kernel.yield` of the results.

    kernel.root    the op that decides its loops ("graph.dot_general", ..), or "elementwise"
    """

    def verify(op: Operation) -> None:  # type: ignore[misc]
        where = str(op.location)
        if len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
            raise IRError("kernel.dispatch needs one region of one block", where)
        arguments, operands = tuple(a.type for a in op.body.arguments), tuple(v.type for v in op.operands)
        if arguments != operands:
            raise IRError(
                f"kernel.dispatch passes {types_text(operands)}. Received: a region of {types_text(arguments)}", where
            )
        end = op.body.last
        if end is None or end.name != "kernel.yield":
            raise IRError("kernel.dispatch needs a region that ends in kernel.yield", where)
        yielded, results = tuple(v.type for v in end.operands), tuple(r.type for r in op.results)
        if yielded != results:
            raise IRError(
                f"kernel.dispatch gives {types_text(results)}. Received: a region that yields {types_text(yielded)}",
                where,
            )
        if not isinstance(op.get("kernel.root"), str):
            raise IRError('kernel.dispatch needs the attribute kernel.root, for example "elementwise"', where)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:  # type: ignore[misc]
        return interp.run_block(op.body, operands)


@kernel.op("yield", ins="*operands", traits="terminator")
class Yield:
    """Ends the region of a dispatch with its results."""


@kernel.op("call", ins="*operands", traits="pure")
class Call:
    """callee(operands): runs a kernel, a function of the module.

    A kernel is signless: where an operand or a result is uiN, the function has iN.
    """

    def verify(op: Operation) -> None:  # type: ignore[misc]
        from kcompile.dialects.upstream.func import callee_of

        called = callee_of(op)
        if "kernel.outputs" in called.attributes:
            return  # at the loops level: the function takes memrefs, and its results are arguments too
        received = [[signless(v.type) for v in values] for values in (op.operands, op.results)]
        function_type = called["function_type"]
        expected = [[signless(x) for x in types] for types in (function_type.inputs, function_type.results)]
        if received != expected:
            raise IRError(
                f"@{op['callee']} is {function_type}. Received: a call with {types_text(tuple(received[0]))} -> "
                f"{types_text(tuple(received[1]))}",
                str(op.location),
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:  # type: ignore[misc]
        from kcompile.dialects.upstream.func import callee_of

        formals = [a.type for a in callee_of(op).body.arguments]
        given = [_as_stored(a, f) for a, f in zip(operands, formals, strict=False)]
        results = interp.call(op["callee"], given, [r.type for r in op.results])
        return [_as_stored(a, r.type) for a, r in zip(results, op.results, strict=True)]


@kernel.op("size", traits="pure")
class Size:
    """The size of one symbolic dim, `dims = #graph.dims<["b"]>`, as an index."""

    def verify(op: Operation) -> None:  # type: ignore[misc]
        dims = op.get("dims")
        if not isinstance(dims, tuple) or len(dims) != 1 or [r.type for r in op.results] != [t.index]:
            raise IRError(f"kernel.size gives one dim as an index. Received: dims {dims}", str(op.location))

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:  # type: ignore[misc]
        return [np.int64(interp.dims(op["dims"])[0])]


def _as_stored(array: Any, type: Type) -> Any:
    """The same bits in the dtype of `type`, where the two differ in sign only."""
    wanted = t.to_numpy(t.element_of(type))
    if isinstance(type, TensorType) and {wanted.kind, np.asarray(array).dtype.kind} == {"i", "u"}:
        return np.ascontiguousarray(array).view(wanted).reshape(np.shape(array))
    return array
