"""Control: operations with a body. `scan` runs its body once for each step of a sequence.

    %h, %hs = "graph.scan"(%h0, %xs, %w) ({
    ^bb0(%c: tensor<2x4xf32>, %x: tensor<2x3xf32>, %k: tensor<3x4xf32>):
      ..
      "graph.yield"(%next, %next)
    }) {carries = 1, xs = 1, length = #graph.dims<["d1"]>, reverse = false}

Operands are the carries, the sequences (axis 0 is time) and the constants; the body's arguments are the same, a
sequence without its axis 0. The body is isolated: it sees its arguments only. It yields the next carries, then what is
stacked along a new axis 0. Results are the last carries, then the stacks. With `reverse` the last step comes first;
what step t yields still stands at place t. StableHLO has none; it is a stablehlo.while with dynamic slices there.
"""
# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, Type, types_text

from .dialect import NONE, graph, tensor

if TYPE_CHECKING:
    from kcompile.ir.builder import Builder
    from kcompile.ir.interpreter import Interpreter

CONTROL = "pure isolated control"


def step_type(x: Type) -> TensorType:
    """The type of one step of a sequence."""
    sequence = tensor(x)
    if not sequence.shape:
        raise ShapeError(f"a sequence needs an axis 0, its time. Received: {sequence}")
    return TensorType(sequence.shape[1:], sequence.element)


def sequence_type(x: Type, length: Dim) -> TensorType:
    """The type of `length` steps of type `x`."""
    return TensorType((length, *t.shape_of(x)), t.element_of(x))


class ScanView:
    """The operands, arguments and results of a scan by what they are.

    carries, xs, consts      operands
    carried, steps, inner    the block arguments that stand for them
    next, emitted            what the body yields
    finals, stacks           results
    """

    __slots__ = (
        "body",
        "carried",
        "carries",
        "consts",
        "emitted",
        "finals",
        "inner",
        "next",
        "op",
        "stacks",
        "steps",
        "xs",
    )

    def __init__(self, op: Operation):
        n, m = op["carries"], op["xs"]
        self.op = op
        self.body = op.body
        operands, arguments = op.operands, op.body.arguments
        self.carries, self.xs, self.consts = operands[:n], operands[n : n + m], operands[n + m :]
        self.carried, self.steps, self.inner = arguments[:n], arguments[n : n + m], arguments[n + m :]
        yielded = op.body.terminator.operands
        self.next, self.emitted = yielded[:n], yielded[n:]
        self.finals, self.stacks = op.results[:n], op.results[n:]

    @property
    def length(self) -> Dim:
        return scan_length(self.op)

    @property
    def reverse(self) -> bool:
        return bool(self.op.get("reverse", False))


def scan_length(op: Operation) -> Dim:
    """The number of steps."""
    dim: Dim = op["length"][0]
    return dim


def code_blocks(function: Operation) -> list[Block]:
    """The blocks that run when `function` does: its own, then the bodies of the scans in it, outer ones first."""
    blocks = [function.body]
    for block in blocks:
        blocks += [op.body for op in block.ops if op.name == "graph.scan"]
    return blocks


def times_run(op: Operation) -> Dim:
    """How often an operation runs when its function runs once: the steps of the scans around it."""
    total: Dim = 1
    around = op.parent_op
    while around is not None:
        if around.name == "graph.scan":
            total = total * scan_length(around)
        around = around.parent_op
    return total


def create_scan(
    b: Builder,
    body: Block,
    carries: Sequence[Value],
    xs: Sequence[Value],
    consts: Sequence[Value],
    length: Dim,
    reverse: bool = False,
) -> Operation:
    """A scan over a finished body (it ends in graph.yield), where the builder stands."""
    from kcompile.ir.attributes import DimsAttr

    yielded = [v.type for v in body.terminator.operands]
    types = [*yielded[: len(carries)], *(sequence_type(x, length) for x in yielded[len(carries) :])]
    attributes = {"carries": len(carries), "xs": len(xs), "length": DimsAttr((length,)), "reverse": bool(reverse)}
    return b.create("graph.scan", [*carries, *xs, *consts], attributes, types, [Region([body])])


@graph.op("scan", ins="*operands", traits=CONTROL)
class Scan:
    """Runs its body once for each place along axis 0 of its sequences, handing carries on from step to step.

    carries, xs   how many operands are carries, and sequences; the others are constants of the body
    length        the number of steps, one dim
    reverse       whether the last step is the first to run
    """

    attributes = ("carries", "xs", "length", "reverse")

    def verify(op: Operation) -> None:
        where = str(op.location)
        n, m, length = op.get("carries"), op.get("xs"), op.get("length")
        if not isinstance(n, int) or not isinstance(m, int) or n < 0 or m < 0 or n + m > len(op.operands):
            raise IRError(f"graph.scan needs carries and xs, at most {len(op.operands)}. Received: {n}, {m}", where)
        if not isinstance(length, tuple) or len(length) != 1:
            raise IRError(f"graph.scan needs its length, one dim. Received: {length}", where)
        if len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
            raise IRError("graph.scan needs one region of one block", where)
        end = op.body.last
        if end is None or end.name != "graph.yield" or len(end.operands) < n:
            raise IRError("graph.scan needs a body that ends in graph.yield of the carries and the steps", where)
        view = ScanView(op)
        for x in view.xs:
            if t.shape_of(x.type)[:1] != (length[0],):
                raise ShapeError(f"graph.scan goes over {length[0]} steps. Received: a sequence {x.type}", where)
        expected = [
            *(v.type for v in view.carries), *(step_type(v.type) for v in view.xs), *(v.type for v in view.consts)
        ]  # fmt: skip
        received = [v.type for v in op.body.arguments]
        if received != expected:
            raise IRError(
                f"graph.scan passes {types_text(tuple(expected))}. Received: a body of {types_text(tuple(received))}",
                where,
            )
        if [v.type for v in view.next] != [v.type for v in view.carries]:
            raise IRError(
                f"graph.scan carries {types_text(tuple(v.type for v in view.carries))}. Received: a body that yields "
                f"{types_text(tuple(v.type for v in view.next))}",
                where,
            )
        given = [v.type for v in op.results]
        wanted = [*(v.type for v in view.carries), *(sequence_type(v.type, length[0]) for v in view.emitted)]
        if given != wanted:
            raise IRError(
                f"graph.scan gives {types_text(tuple(wanted))}. Received: results {types_text(tuple(given))}", where
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        n, m = op["carries"], op["xs"]
        (length,) = interp.dims(op["length"])
        carries, xs, consts = list(operands[:n]), operands[n : n + m], operands[n + m :]
        stacks = [np.zeros(interp.dims(t.shape_of(r.type)), t.to_numpy(t.element_of(r.type))) for r in op.results[n:]]
        for step in reversed(range(length)) if op.get("reverse", False) else range(length):
            made = interp.run_block(op.body, [*carries, *(x[step] for x in xs), *consts])
            carries = made[:n]
            for stack, value in zip(stacks, made[n:], strict=True):
                stack[step] = value
        return [*carries, *stacks]

    stablehlo = NONE


@graph.op("yield", ins="*operands", traits="terminator control")
class Yield:
    """Ends the body of a scan: the next carries, then what is stacked."""

    stablehlo = NONE
