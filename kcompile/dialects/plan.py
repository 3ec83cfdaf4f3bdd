# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""plan: the host program of a model: which buffers there are, and in which order kernels run on them.

    func.func @main() attributes {plan.symbols, plan.inputs, plan.outputs, plan.arena, plan.scratch, plan.weights, ..} {
      %x = plan.input {index = 0}                     memref of argument 0 of `run`
      %w = plan.weight {offset = 0}                   memref inside the block of weights
      %h = plan.arena {offset = dims, bytes = dims}   memref inside the arena
      %y = plan.output {index = 0}                    memref of result 0 of `run`
      %s = plan.scratch {offset = 0}                  memref in the memory that each worker has for itself
      plan.call(%x, %w, %h) {callee = @dispatch_0, outputs = 1}
      plan.barrier
      plan.call(%h, %y) {callee = @dispatch_1, outputs = 1}
      plan.loop {length = dims} { .. }                once for each step; %x3 = plan.part(%x) {stride} is step t's
      plan.return
    }

Every worker runs the whole function. Buffers are dense and row-major; sizes and offsets are bytes, polynomials in the
symbols. A `plan.view` is the same memory in another shape. What lies in scratch memory lives for one call.
"""

from __future__ import annotations

from typing import Any

from kcompile.errors import IRError
from kcompile.ir.core import Operation
from kcompile.ir.definition import Dialect
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import MemRefType

plan = Dialect("plan")

BUFFERS = ("plan.input", "plan.weight", "plan.output", "plan.arena", "plan.scratch", "plan.constant", "plan.view",
           "plan.part", "plan.turn")  # fmt: skip
ALIGNMENT = 64  # of the arena, of every buffer in it, and of every weight: a cache line, and the widest vector


def one_dim(value: Any) -> Dim:
    """A dim that stands alone in an attribute: an int stays one, a polynomial is a dims attribute of length 1."""
    dim: Dim = value[0] if isinstance(value, tuple) else value
    return dim


BarrierKey = tuple[tuple[Dim, ...], tuple[int, ...]]


def barrier_key(barrier: Operation) -> BarrierKey:
    """For whom a plan.barrier is: its `unless` and `over`; both are empty where it is for every run."""
    return tuple(barrier.get("unless", ())), tuple(barrier.get("over", ()))


def _check_buffer(op: Operation) -> None:
    if len(op.results) != 1 or not isinstance(op.results[0].type, MemRefType):
        raise IRError(f"{op.name} gives one memref. Received: {[str(r.type) for r in op.results]}", str(op.location))


def _check_number(op: Operation, name: str) -> None:
    value = op.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise IRError(f"{op.name} needs {name}, a number from 0. Received: {value!r}", str(op.location))


def _check_dim(op: Operation, name: str) -> None:
    value = op.get(name)
    dim = one_dim(value) if value is not None and value != () else None
    if not isinstance(dim, SymbolicDim) and (not isinstance(dim, int) or dim < 0):
        raise IRError(f"{op.name} needs {name}, a size in bytes. Received: {value!r}", str(op.location))
    if isinstance(dim, SymbolicDim) and any(c < 0 for _, c in dim.terms):
        raise IRError(f"{op.name} needs a {name} that grows with every symbol. Received: {dim}", str(op.location))


@plan.op("input")
class Input:
    """The buffer of argument `index` of `run`. State is written in place through it."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_number(op, "index")


@plan.op("output")
class Output:
    """The buffer of result `index` of `run`."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_number(op, "index")


@plan.op("weight")
class Weight:
    """A weight at `offset` bytes in the block of weights; never written."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_number(op, "offset")
        if op["offset"] % ALIGNMENT:
            raise IRError(f"a weight starts at a multiple of {ALIGNMENT}. Received: {op['offset']}", str(op.location))


@plan.op("constant")
class Constant:
    """A small constant, kept in the object: `value`; never written."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        if "value" not in op.attributes:
            raise IRError("plan.constant needs a value", str(op.location))


@plan.op("arena")
class Arena:
    """`bytes` bytes at `offset` in the arena. Buffers that are never alive at the same time may share memory."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        for name in ("offset", "bytes"):
            _check_dim(op, name)


@plan.op("scratch")
class Scratch:
    """Memory at `offset` bytes in the scratch memory of the worker that runs this."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_number(op, "offset")
        if op["offset"] % ALIGNMENT:
            raise IRError(f"scratch starts at a multiple of {ALIGNMENT}. Received: {op['offset']}", str(op.location))


@plan.op("view", ins="buffer")
class View:
    """The same memory in another shape, with as many elements."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        if len(op.operands) != 1 or op.operands[0].type.element is not op.results[0].type.element:  # type: ignore[attr-defined]
            raise IRError("plan.view takes one buffer and keeps its element type", str(op.location))


@plan.op("part", ins="buffer")
class Part:
    """The memory `offset` bytes into a buffer; in a loop with a `stride`, so many bytes further at every step."""

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_dim(op, "offset")
        if "stride" in op.attributes:
            _check_dim(op, "stride")
            _check_in_loop(op)


@plan.op("turn", ins="buffer")
class Turn:
    """One half of a buffer of two times `bytes` bytes: with `phase` 0 half 0 after the loop, and the halves in turn
    before; with phase 1 the other one. What step k writes with phase 1, step k + 1 reads with phase 0.
    """

    def verify(op: Operation) -> None:
        _check_buffer(op)
        _check_dim(op, "bytes")
        _check_number(op, "phase")
        _check_in_loop(op)


def _check_in_loop(op: Operation) -> None:
    if op.parent_op is None or op.parent_op.name != "plan.loop":
        raise IRError(f"{op.name} of a step stands in the body of a plan.loop", str(op.location))


@plan.op("loop")
class Loop:
    """Runs its body `length` times; step t is the number of the turn, or with `reverse` counts down to 0."""

    def verify(op: Operation) -> None:
        _check_dim(op, "length")
        if op.operands or op.results or len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
            raise IRError("plan.loop has no operands and no results, and one block", str(op.location))
        if op.body.last is None or op.body.last.name != "plan.next":
            raise IRError("the body of plan.loop ends in plan.next", str(op.location))


@plan.op("next", traits="terminator")
class Next:
    """Ends the body of a loop."""


@plan.op("call", ins="*buffers")
class Call:
    """Runs the kernel `callee` on buffers; the last `outputs` of them before its scratch are written."""

    def verify(op: Operation) -> None:
        from kcompile.dialects.upstream.func import callee_of

        _check_number(op, "outputs")
        called = callee_of(op)
        symbols = called.get("kernel.symbols", ())
        formals = [a.type for a in called.body.arguments][: -2 - len(symbols)]
        received = [v.type for v in op.operands]
        if formals != received:
            raise IRError(
                f"the kernel @{op['callee']} takes {', '.join(map(str, formals))}. "
                f"Received: {', '.join(map(str, received))}",
                str(op.location),
            )
        private = [v.defining_op is not None and v.defining_op.name == "plan.scratch" for v in op.operands]
        first = len(private) - called.get("kernel.scratch", 0)
        if private != [i >= first for i in range(len(private))]:
            raise IRError(
                f"@{op['callee']} takes {called.get('kernel.scratch', 0)} buffers of plan.scratch, as the last ones. "
                f"Received: {sum(private)} of {len(private)}",
                str(op.location),
            )
        if called.get("kernel.outputs") != op["outputs"]:
            raise IRError(
                f"@{op['callee']} writes {called.get('kernel.outputs')} buffers. Received: {op['outputs']}",
                str(op.location),
            )


@plan.op("copy", ins="source target")
class Copy:
    """Copies `bytes` bytes."""

    def verify(op: Operation) -> None:
        if len(op.operands) != 2:
            raise IRError("plan.copy takes a source and a target", str(op.location))
        _check_dim(op, "bytes")


@plan.op("barrier")
class Barrier:
    """No worker goes on before all have arrived; what they wrote is visible after it.

    With `unless` it is for the runs whose team does not divide all of those numbers, each over its one of `over`: where
    it does, every worker needs only what it has made itself.
    """

    def verify(op: Operation) -> None:
        numbers, over = op.get("unless", ()), op.get("over", ())
        if len(numbers) != len(over) or ("unless" in op.attributes and not numbers) or any(n < 1 for n in over):
            raise IRError(f"plan.barrier has a number over 0 for each of unless. Received: {over}", str(op.location))


@plan.op("return", traits="terminator")
class Return:
    """Ends the plan."""
