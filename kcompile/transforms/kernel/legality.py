"""When two dispatches may become one: pure questions about maps and shapes. Whether it pays is in `cost_model.py`."""

from __future__ import annotations

from kcompile.ir.affine import AffineMap, identity_map
from kcompile.ir.core import Operation, Value
from kcompile.transforms.kernel.access import Reads, reads
from kcompile.transforms.kernel.dispatches import argument_of, iteration_shape, reads_of, root_op
from kcompile.transforms.kernel.kinds import MOVEMENT, is_elementwise, root_of, tensor_type

EPILOGUE_ROOTS = frozenset(
    f"graph.{n}" for n in ("dot_general", "convolution", "reduce", "reduce_window", "arg_reduce", "gather")
)
PROLOGUE_ROOTS: dict[str, tuple[int, ...]] = {  # the operands whose elements are read once, or cost little
    "graph.reduce": (0,), "graph.pad": (0,), "graph.reduce_window_grad": (1,), "graph.gather": (1,),
    "graph.scatter": (0, 1, 2),
}  # fmt: skip


def is_elementwise_dispatch(op: Operation | None) -> bool:
    return op is not None and op.name == "kernel.dispatch" and root_of(op) == "elementwise"


def is_movement_dispatch(op: Operation) -> bool:
    """Whether the dispatch computes nothing: its result's elements are elements of its operand, or one constant."""
    return all(o.name in MOVEMENT or o.name in ("graph.constant", "graph.iota", "kernel.yield") for o in op.body.ops)


def maps_between(producer: Operation, consumer: Operation, found: Reads | None = None) -> set[AffineMap] | None:
    """How an elementwise consumer reads the producer's results; None where a step is not affine.

    `found`: reads_of(consumer), where the caller has it already.
    """
    found = reads_of(consumer) if found is None else found
    if found is None:
        return None
    maps: set[AffineMap] = set()
    for result in producer.results:
        maps |= found.get(result, set())
    return maps


def is_same_space(producer: Operation, consumer: Operation, found: Reads | None = None) -> bool:
    """Whether both run over one shape, and the consumer at a point needs the producer at that point only."""
    if iteration_shape(producer) != iteration_shape(consumer):
        return False
    return maps_between(producer, consumer, found) == {identity_map(len(iteration_shape(consumer)))}


def is_inlinable(producer: Operation, consumer: Operation, found: Reads | None = None) -> bool:
    """Whether the consumer is the producer's only user and can compute it at whatever points it reads."""
    users = {u for r in producer.results for u in r.users}
    return users == {consumer} and reads_of(producer) is not None and bool(maps_between(producer, consumer, found))


def is_epilogue(root: Operation, consumer: Operation) -> bool:
    """Whether an elementwise consumer can be done on the elements of a root as they are stored."""
    if root_of(root) not in EPILOGUE_ROOTS or root_op(root) is None:
        return False
    return is_same_space(root, consumer) if reads_of(consumer) is not None else False


def is_prologue(producer: Operation, consumer: Operation) -> bool:
    """Whether a rooted consumer can compute an elementwise producer where its root reads it: nothing else there reads
    it.
    """
    root = root_op(consumer)
    if root is None or root_of(consumer) not in PROLOGUE_ROOTS or reads_of(producer) is None:
        return False
    operands = [root.operands[i] for i in PROLOGUE_ROOTS[root_of(consumer)]]
    return any(_computes_operand(producer, consumer, root, operand) for operand in operands)


def _computes_operand(producer: Operation, consumer: Operation, root: Operation, operand: Value) -> bool:
    if iteration_shape(producer) != tensor_type(operand).shape:
        return False
    found = reads([operand], consumer.body)
    if found is None:
        return False
    identity = identity_map(tensor_type(operand).rank)
    chain = _chain_of(operand)
    for result in producer.results:
        if result in consumer.operands:
            argument = argument_of(consumer, result)
            if found.get(argument) != {identity} or any(u is not root and u not in chain for u in argument.users):
                return False
    return True


def _chain_of(value: Value) -> set[Operation]:
    """The elementwise ops from which `value` is computed."""
    chain: set[Operation] = set()
    pending = [value]
    while pending:
        op = pending.pop().defining_op
        if op is not None and op not in chain and is_elementwise(op):
            chain.add(op)
            pending.extend(op.operands)
    return chain
