"""fuse-producers: a reduction (or a pad) computes the elementwise values that it reads.

Reads kernel, writes kernel. `reduce(x * y)` reads x and y once and stores nothing in between. A producer with other
readers is computed again where that is cheaper than loading its result.
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import (
    PROLOGUE_ROOTS,
    is_elementwise_dispatch,
    is_movement_dispatch,
    is_prologue,
)


@pass_("fuse-producers", reads="kernel", writes="kernel", exact=True)
def fuse_producers(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in reversed(list(dispatches.all(*PROLOGUE_ROOTS))):
        current: Operation | None = consumer
        while current is not None:
            current = _absorb_one(dispatches, current)
            changed = changed or current is not None
    for op in reversed(list(dispatches.all())):
        if not any(r.uses for r in op.results):
            op.erase()
    return changed


def _absorb_one(dispatches: Dispatches, consumer: Operation) -> Operation | None:
    for value in consumer.operands:
        producer = value.defining_op
        if producer is None or not is_elementwise_dispatch(producer) or not is_prologue(producer, consumer):
            continue
        alone = {u for r in producer.results for u in r.users} == {consumer}
        if alone:
            return dispatches.merge(producer, consumer, root_of(consumer))
        if is_movement_dispatch(producer) or cost_model.pays_to_copy(
            producer, consumer, cost_model.nominal_size(value)
        ):
            return dispatches.merge(producer, consumer, root_of(consumer), copy=True)
    return None
