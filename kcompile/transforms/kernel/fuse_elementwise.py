"""fuse-elementwise: chains of elementwise dispatches become one, with as many results as others read.

Reads kernel, writes kernel. A producer is merged
- over the same space when the consumer reads it point for point (`add(mul(x, y), z)`), even if others read it as well;
- into its only reader through any affine map, where computing it there does not repeat much work;
- copied when it only moves elements (a broadcast bias costs nothing inside the kernel that adds it).
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.access import Reads
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, reads_of
from kcompile.transforms.kernel.legality import (
    is_elementwise_dispatch,
    is_inlinable,
    is_movement_dispatch,
    is_same_space,
)


@pass_("fuse-elementwise", reads="kernel", writes="kernel", exact=True)
def fuse_elementwise(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in reversed(list(dispatches.all())):
        if consumer.parent is None:
            continue
        if not any(r.uses for r in consumer.results):
            del dispatches.position[consumer]
            consumer.erase()
            changed = True
            continue
        if not is_elementwise_dispatch(consumer):
            continue
        found = reads_of(consumer)
        while found is not None and _absorb_one(dispatches, consumer, found):
            changed = True
    return changed


def _absorb_one(dispatches: Dispatches, consumer: Operation, found: Reads) -> bool:
    """Merge one producer into the consumer, if there is one to merge; `found` follows what the consumer reads."""
    size = cost_model.nominal_size(consumer.results[0])
    for value in reversed(consumer.operands):
        producer = value.defining_op
        if producer is None or not is_elementwise_dispatch(producer):
            continue
        users = {u for r in producer.results for u in r.users}
        copy = is_movement_dispatch(producer) and len(users) > 1 and _can_copy(producer, users)
        if copy:
            merges = True
        elif is_same_space(producer, consumer, found):
            merges = len(users) == 1 or not dispatches.is_between(producer, consumer)
        else:
            merges = is_inlinable(producer, consumer, found) and cost_model.pays_to_inline(producer, size)
        if merges:
            inner = reads_of(producer)
            assert inner is not None
            maps = set().union(*(found.pop(r, set()) for r in producer.results))
            for operand, own in inner.items():
                found.setdefault(operand, set()).update(m.compose(outer) for m in own for outer in maps)
            dispatches.merge(producer, consumer, "elementwise", copy=copy)
            return True
    return False


def _can_copy(producer: Operation, users: set[Operation]) -> bool:
    """A copy of a movement saves its result where every reader copies it; a broadcast is smaller before it anyway."""
    if reads_of(producer) is None:
        return False
    if all(is_elementwise_dispatch(u) for u in users):
        return True
    return cost_model.traffic(list(producer.operands)) < cost_model.traffic(list(producer.results))
