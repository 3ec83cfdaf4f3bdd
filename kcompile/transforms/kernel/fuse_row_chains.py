"""fuse-row-chains: reductions over the last axes with elementwise code between them run row by row in one kernel.

Reads kernel, writes kernel. A row stays in the first-level cache from its first to its last use.

    m = reduce max(x); e = exp(x - m); s = reduce add(e); y = e / s     =>     one dispatch, root "row_chain" (softmax)

Options: `most`, how many reductions a chain may hold: each pass over a row computes again what lies before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.ir.affine import AffineMap, dims_map
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.access import reads
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type
from kcompile.transforms.kernel.legality import is_elementwise_dispatch

MOST_REDUCTIONS = 4


@dataclass(frozen=True, slots=True)
class RowSpace:
    """`full`: the shape that is reduced; `rows`: the leading dims that stay."""

    rows: tuple[Dim, ...]
    full: tuple[Dim, ...]


@pass_("fuse-row-chains", reads="kernel", writes="kernel", exact=True)
def fuse_row_chains(module: Operation, most: int = MOST_REDUCTIONS) -> bool:
    return in_each_block(module, lambda block: _fuse(block, most))


def _fuse(block: Block, most: int) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in reversed(list(dispatches.all())):
        current: Operation | None = consumer if consumer.parent is not None else None
        while current is not None:
            current = _absorb_one(dispatches, current, most)
            changed = changed or current is not None
    return changed


def _absorb_one(dispatches: Dispatches, consumer: Operation, most: int) -> Operation | None:
    for value in reversed(consumer.operands):
        producer = value.defining_op
        if producer is None or producer.name != "kernel.dispatch" or not is_row_chain(producer, consumer):
            continue
        if _reductions(producer) + _reductions(consumer) <= most and not dispatches.is_between(producer, consumer):
            return dispatches.merge(producer, consumer, "row_chain")
    return None


def is_row_chain(producer: Operation, consumer: Operation) -> bool:
    """Whether both work on the rows of one tensor, and a row of the consumer needs that row of the producer only."""
    space = row_space(producer) or row_space(consumer)
    return (
        space is not None
        and _fits(producer, space)
        and _fits(consumer, space)
        and _reads_own_row(producer, consumer, space)
    )


def row_space(dispatch: Operation) -> RowSpace | None:
    """The rows that a dispatch reduces; None for one that reduces nothing, other axes than the last, or everything."""
    if root_of(dispatch) not in ("graph.reduce", "row_chain"):
        return None
    root = next(op for op in dispatch.body.ops if op.name == "graph.reduce")
    full = tensor_type(root.operands[0]).shape
    axes = sorted(root["axes"])
    kept = len(full) - len(axes)
    if not axes or not kept or axes != list(range(kept, len(full))):
        return None
    return RowSpace(full[:kept], full)


def _fits(dispatch: Operation, space: RowSpace) -> bool:
    if is_elementwise_dispatch(dispatch):
        return tensor_type(dispatch.results[0]).shape in (space.full, space.rows)
    return row_space(dispatch) == space


def _reductions(dispatch: Operation) -> int:
    return sum(op.name == "graph.reduce" for op in dispatch.body.ops)


def _reads_own_row(producer: Operation, consumer: Operation, space: RowSpace) -> bool:
    for dispatch in (producer, consumer):
        for start in _starts(dispatch):
            found = reads([start], dispatch.body)
            if found is None or not all(_runs_along_rows(m, space) for maps in found.values() for m in maps):
                return False
            for result in producer.results if dispatch is consumer else ():
                if result in consumer.operands:
                    maps = found.get(argument_of(consumer, result), set())
                    if not maps <= {_own_row(start, result)}:
                        return False
    return True


def _starts(dispatch: Operation) -> list[Value]:
    """The values that the kernel evaluates over a whole space: its results, and what it reduces."""
    return [*yielded(dispatch), *(op.operands[0] for op in dispatch.body.ops if op.name == "graph.reduce")]


def _runs_along_rows(map_: AffineMap, space: RowSpace) -> bool:
    """Whether a row is read from neighbours in memory, or from one place: then vectors can run along it."""
    if map_.dims != len(space.full) or not map_.results:
        return True
    last = len(space.full) - 1
    *others, inner = (e.coefficient(last) for e in map_.results)
    return not any(others) and inner in (0, 1)


def _own_row(reader: Value, value: Value) -> AffineMap | None:
    """The map of a read that stays in its row: all leading dims in place."""
    rank, read = tensor_type(reader).rank, tensor_type(value).rank
    return dims_map(rank, range(read)) if read <= rank else None
