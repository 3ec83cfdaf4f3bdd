"""scan: a Python function run once for each step of a sequence, as one operation of the graph.

def body(total, x):
    total = total + x
    return total, total * 2

last, doubled = scan(body, zeros, xs)            xs: (time, ..); doubled: (time, ..)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kcompile.dialects.graph.control import create_scan, step_type
from kcompile.errors import IRError, ShapeError
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim

from .bind import convert
from .structure import flatten, map_structure
from .tensor import EagerTensor, Tensor
from .trace import Body, Trace, Tracer, current_trace


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    *,
    reverse: bool = False,
    length: Dim | None = None,
) -> tuple[Any, Any]:
    """Run `carry, y = body(carry, x)` for each x along axis 0 of `xs`; gives the last carry and all y along axis 0.

    body      called with the carry and one step of `xs`; gives the next carry and what is stacked
    init      the first carry: tensors in any structure of lists, tuples and dicts; None and () hold no tensor
    xs        sequences in any structure; each has the same size of axis 0, fixed or symbolic
    reverse   run from the last step to the first; y of step t still stands at place t
    length    the number of steps; needed where `xs` holds no tensor

    In a trace the body is called once and becomes one operation. What it reads from around it is found by itself;
    variables that it assigns are carried from step to step. Outside of a trace the body runs once for each step.

    Raises ShapeError where the sizes of axis 0 differ or the body changes the shape or the dtype of the carry, IRError
    where the body gives another structure, or no pair.

    Example: `total, _ = scan(lambda c, x: (c + x, None), ops.zeros(()), xs)`
    """
    start = map_structure(_tensor, init)
    sequences = map_structure(_tensor, xs)
    steps = _length([x for x in flatten(sequences) if x is not None], length)
    tracers = [x for x in flatten([start, sequences]) if isinstance(x, Tracer)]
    trace = current_trace() or (tracers[0].trace if tracers else None)
    if trace is None:
        return _run(body, start, sequences, steps, reverse)
    return _record(trace, body, start, sequences, steps, reverse)


def _tensor(x: Any) -> Tensor | None:
    return None if x is None else convert(x)


def _length(sequences: Sequence[Tensor], length: Dim | None) -> Dim:
    for x in sequences:
        if not x.dims:
            raise ShapeError("scan goes over axis 0 of each sequence. Received: a tensor of shape ()")
        if length is not None and x.dims[0] != length:
            raise ShapeError(f"the sequences of a scan have one length. Received: {length} and {x.dims[0]}")
        length = x.dims[0]
    if length is None:
        raise ShapeError("scan needs sequences or a length. Received: neither")
    return length


def _call(body: Callable[[Any, Any], Any], carry: Any, x: Any, like: Any) -> tuple[Any, Any]:
    """One call of the body; its results as tensors, the carry checked."""
    made = body(carry, x)
    if not isinstance(made, tuple) or len(made) != 2:
        raise IRError(f"the body of a scan returns the pair (carry, y). Received: {type(made).__name__}")
    new, y = map_structure(_tensor, made[0]), map_structure(_tensor, made[1])
    before, after = flatten(like), flatten(new)
    if len(before) != len(after) or [a is None for a in before] != [a is None for a in after]:
        raise IRError(f"the carry of a scan keeps its structure. Received: {len(before)}, then {len(after)} tensors")
    for i, (old, value) in enumerate(zip(before, after, strict=True)):
        if old is not None and old.type is not value.type:
            raise ShapeError(
                f"the carry of a scan keeps shape and dtype. Received: for tensor {i} {old.shape} of {old.dtype}, "
                f"then {value.shape} of {value.dtype}"
            )
    return new, y


def _run(body: Any, carry: Any, xs: Any, length: Dim, reverse: bool) -> tuple[Any, Any]:
    """Step by step, on values."""
    if not isinstance(length, int):
        raise ShapeError(f"a symbolic size needs a trace around it. Received: length={length}")
    if length == 0:
        raise ShapeError("a scan over no steps cannot tell the shape of its results outside of a trace")
    made: list[Any] = [None] * length
    for i in reversed(range(length)) if reverse else range(length):
        carry, made[i] = _call(body, carry, _at(xs, i), carry)
    leaves = [flatten(y) for y in made]
    order = iter(range(len(leaves[0])))

    def stack(x: Any) -> Any:
        i = next(order)
        return None if x is None else EagerTensor(np.stack([y[i].array for y in leaves]), x.element)

    return carry, map_structure(stack, made[0])


def _at(xs: Any, i: int) -> Any:
    return map_structure(lambda x: None if x is None else EagerTensor(x.array[i], x.element), xs)


def _record(trace: Trace, body: Any, init: Any, xs: Any, length: Dim, reverse: bool) -> tuple[Any, Any]:
    """As one graph.scan."""
    b = trace.builder
    carries = [trace.value_of(x) for x in flatten(init) if x is not None]
    sequences = [trace.value_of(x) for x in flatten(xs) if x is not None]
    block = Block([*(v.type for v in carries), *(step_type(v.type) for v in sequences)])
    for argument, value in zip(block.arguments, (*carries, *sequences), strict=True):
        argument.hint = value.hint
    formals = iter(list(block.arguments))

    def enter(x: Any) -> Any:
        return None if x is None else Tracer(trace, next(formals))

    carry, step = map_structure(enter, init), map_structure(enter, xs)
    frame = Body(block)
    # The body stands in an operation that is not there yet, so that values around it are seen as such.
    holder = b.create("graph.scan", (), None, ())
    region = Region([block])
    region.parent = holder
    holder.regions.append(region)
    trace.bodies.append(frame)
    try:
        with b.at(block):
            carry, y = _call(body, carry, step, init)
            nexts = [trace.value_of(x) for x in flatten(carry) if x is not None]
            emitted = [trace.value_of(x) for x in flatten(y) if x is not None]
            states = {key: trace.value_of(frame.current[key]) for key in frame.written}
            trace.bodies.pop()
            b.create("graph.yield", [*nexts, *states.values(), *emitted], None, ())
    except BaseException:
        if trace.bodies and trace.bodies[-1] is frame:
            trace.bodies.pop()
        for op in list(block.ops):
            op.drop_operands()
        holder.detach()
        raise
    holder.detach()
    consts, inner = _close(trace, frame, block)
    old = [trace.value_of(trace.read(v)) for v in frame.written.values()]
    held = [frame.arguments[key] for key in frame.written]
    _order_arguments(block, [*block.arguments[: len(carries)], *held, *_steps(block, carries, sequences), *inner])
    made = create_scan(b, block, [*carries, *old], sequences, consts, length, reverse)
    results = iter([Tracer(trace, r) for r in made.results])

    def leave(x: Any) -> Any:
        return None if x is None else next(results)

    final = map_structure(leave, init)
    for variable in frame.written.values():
        trace.write(variable, next(results))
    return final, map_structure(leave, y)


def _steps(block: Block, carries: Sequence[Value], sequences: Sequence[Value]) -> list[Value]:
    return block.arguments[len(carries) : len(carries) + len(sequences)]


def _order_arguments(block: Block, arguments: list[Value]) -> None:
    block.arguments = arguments
    for i, argument in enumerate(arguments):
        argument.index = i


def _close(trace: Trace, frame: Body, block: Block) -> tuple[list[Value], list[Value]]:
    """Make the body see its arguments only: the values around it that it reads, and the arguments that stand for them.

    Variables that are only read have an argument already; constants are copied into the body.
    """
    outer: list[Value] = []
    inner: list[Value] = []
    known: dict[Value, Value] = {}
    variables = {**{id(v): v for _, _, v in trace.arguments if v is not None}}
    for key, argument in frame.arguments.items():
        if key not in frame.written:
            around = trace.value_of(trace.read(variables[key]))
            outer.append(around)
            inner.append(argument)
    for op in list(block.ops):
        for i, value in enumerate(op.operands):
            home = value.owner.parent if isinstance(value.owner, Operation) else value.owner
            if home is block:
                continue
            if value not in known:
                known[value] = _enter(value, block, outer, inner)
            op.set_operand(i, known[value])
    return outer, inner


def _enter(value: Value, block: Block, outer: list[Value], inner: list[Value]) -> Value:
    """What stands for `value` in the body."""
    maker = value.defining_op
    if maker is not None and maker.name == "graph.constant":
        assert block.first is not None
        return block.insert_before(block.first, maker.clone()).results[0]
    if maker is not None and maker.name == "graph.broadcast_in_dim" and _is_constant(maker.operands[0]):
        copy = maker.clone({maker.operands[0]: _enter(maker.operands[0], block, outer, inner)})
        source = copy.operands[0].defining_op
        assert source is not None and source.next is not None
        return block.insert_before(source.next, copy).results[0]
    if value in outer:
        return inner[outer.index(value)]
    argument = block.add_argument(value.type)
    argument.hint = value.hint
    outer.append(value)
    inner.append(argument)
    return argument


def _is_constant(value: Value) -> bool:
    return value.defining_op is not None and value.defining_op.name == "graph.constant"


__all__ = ["scan"]
