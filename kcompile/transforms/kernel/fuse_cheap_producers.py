"""fuse-cheap-producers: a reduction computes an operand that only it uses itself, where that moves no more memory.

Reads kernel, writes kernel. Runs before fuse-elementwise, which would otherwise keep such values as further results
of the kernels that make their operands: of `c = x - mean; reduce(c * c)` only c should ever be stored.
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import (
    is_elementwise_dispatch,
    is_movement_dispatch,
    is_prologue,
)

ROOTS = ("graph.reduce", "graph.pad")


@pass_("fuse-cheap-producers", reads="kernel", writes="kernel", exact=True)
def fuse_cheap_producers(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in reversed(list(dispatches.all(*ROOTS))):
        current: Operation | None = consumer
        while current is not None:
            current = _absorb_one(dispatches, current)
            changed = changed or current is not None
    return changed


def _absorb_one(dispatches: Dispatches, consumer: Operation) -> Operation | None:
    for value in consumer.operands:
        producer = value.defining_op
        if producer is None or not is_elementwise_dispatch(producer) or not is_prologue(producer, consumer):
            continue
        alone = {u for r in producer.results for u in r.users} == {consumer}
        if alone and _cost(dispatches, producer, consumer) <= 2 * cost_model.traffic(list(producer.results)):
            return dispatches.merge(producer, consumer, root_of(consumer))
    return None


def _cost(dispatches: Dispatches, producer: Operation, consumer: Operation) -> float:
    """Loads of the producer's operands, and stores of those that nobody else needs stored (against a store and a
    load).
    """
    total = 0.0
    for value in dict.fromkeys(producer.operands):
        maker = value.defining_op
        if maker is not None and is_elementwise_dispatch(maker) and is_movement_dispatch(maker):
            total += min(cost_model.traffic([value]), cost_model.traffic(list(maker.operands)))
        elif value not in consumer.operands:
            total += cost_model.traffic([value]) * (1 if _is_stored(dispatches, value, producer) else 2)
    return total


def _is_stored(dispatches: Dispatches, value: Value, reader: Operation) -> bool:
    """Whether the value is in memory anyway: a root makes it, or something reads it that cannot join its maker."""
    maker = value.defining_op
    if maker is None or not is_elementwise_dispatch(maker):
        return True
    others = [u for u in value.users if u is not reader]
    return any(not is_elementwise_dispatch(u) or dispatches.is_between(maker, u) for u in others)
