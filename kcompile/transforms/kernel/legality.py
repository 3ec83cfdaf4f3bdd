"""When two dispatches may become one: pure questions about maps and shapes. Whether it pays is in `cost_model.py`."""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph.contraction import free_axes
from kcompile.ir.affine import AffineExpr, AffineMap, dim_expr, expr, identity_map
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, product
from kcompile.transforms.kernel.access import Reads, reads
from kcompile.transforms.kernel.dispatches import argument_of, iteration_shape, reads_of, root_op
from kcompile.transforms.kernel.kinds import MOVEMENT, is_elementwise, root_of, tensor_type

EPILOGUE_ROOTS = frozenset(
    f"graph.{n}"
    for n in ("dot_general", "convolution", "winograd_convolution", "reduce", "reduce_window", "arg_reduce", "gather")
)
MOST_PARTS = 4  # of a dot's features that one tile can hold side by side: the gates of a recurrent cell
MOST_OF_A_ROW = 1 << 13  # elements of a row of a table, many of which should fit the second-level cache
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
    op = root_op(root)
    if root_of(root) == "graph.scatter":
        return op is not None and is_table_of_rows(op) and is_same_space(root, consumer)
    if root_of(root) not in EPILOGUE_ROOTS or op is None:
        return False
    found = reads_of(consumer)
    return found is not None and (is_same_space(root, consumer, found) or parts_between(root, consumer, found) > 1)


def is_table_of_rows(op: Operation) -> bool:
    """Whether the targets of a scatter are whole rows of its result, a few of which are made at a time."""
    row = product(tensor_type(op.result).shape[1:])
    return op["axes"] == (0,) and not op.get("batch_axes") and isinstance(row, int) and 0 < row <= MOST_OF_A_ROW


def parts_between(root: Operation, consumer: Operation, found: Reads) -> int:
    """In how many equal parts, side by side, the only consumer of a dot reads its features: gates. 0: in other ways.

    z = dot(h, w)[b, 4 * n];  c[b, n] = f(z[:, 0:n], z[:, n:2n], z[:, 2n:3n], z[:, 3n:4n])        4 parts
    """
    dot = root_op(root)
    if dot is None or dot.name != "graph.dot_general" or {u for r in root.results for u in r.users} != {consumer}:
        return 0
    weights, made = tensor_type(dot.operands[1]), tensor_type(dot.result).shape
    if weights.rank - 1 not in free_axes(weights.rank, dot["rhs_batch"], dot["rhs_contract"]):
        return 0
    whole, part = iteration_shape(root), tensor_type(consumer.results[0]).shape
    count = parts_of(whole, part)  # type: ignore[arg-type]
    if count < 2 or product(whole) != product(made) or any(tensor_type(r).shape != whole for r in root.results):  # type: ignore[arg-type]
        return 0
    if len(made) != len(whole) and part[-1] % made[-1]:  # type: ignore[operator]
        return 0  # a part ends inside a panel
    size = part[-1]
    assert isinstance(size, int)
    places = [AffineMap(len(part), part_place(len(part), i, size)) for i in range(count)]
    return count if maps_between(root, consumer, found) == set(places) else 0


def parts_of(whole: Sequence[Dim], part: Sequence[Dim]) -> int:
    """How many tensors of the shape `part`, side by side along the last axis, make `whole`; 0: not 1 to MOST_PARTS."""
    if not part or len(part) != len(whole) or tuple(part[:-1]) != tuple(whole[:-1]):
        return 0
    size, all_ = part[-1], whole[-1]
    if not isinstance(size, int) or not isinstance(all_, int) or size == 0 or all_ % size:
        return 0
    return all_ // size if all_ // size <= MOST_PARTS else 0


def part_place(rank: int, part: int, size: int) -> tuple[AffineExpr, ...]:
    """Where an element of a part is in the whole."""
    return (*(dim_expr(d) for d in range(rank - 1)), expr({rank - 1: 1}, part * size))


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
