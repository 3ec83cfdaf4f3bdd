"""recompute-producers: a value of little work is computed again by each of its readers, where they then load no more.

Reads kernel, writes kernel. The readers load what the value is made of instead of the value, so storing it is saved;
what is read again in the backward pass does not have to be kept besides what it was made of.

    c = x - mean; v = reduce(c * c); .. dx = c * s + t      =>      v = reduce((x - mean)^2); .. dx = (x - mean) * s + t
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, reads_of
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import is_elementwise_dispatch, is_prologue, is_same_space

MOST_WORK = 2.0  # operations an element: hidden behind the load of the element
LEAST = 1 << 12  # elements; less stays in the first-level cache
SMALL = 8  # an operand this many times smaller than the value is read from the cache


@pass_("recompute-producers", reads="kernel", writes="kernel", exact=True)
def recompute_producers(module: Operation) -> bool:
    return in_each_block(module, _recompute)


def _recompute(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for producer in list(dispatches.all("elementwise")):
        if not is_cheap(producer):
            continue
        readers = producer.results[0].users
        if all(joins(producer, reader) for reader in readers):
            for reader in dict.fromkeys(readers):
                dispatches.merge(producer, reader, root_of(reader), copy=True)
            producer.erase()
            changed = True
    return changed


def is_cheap(producer: Operation) -> bool:
    """Whether loading the operands instead of the only result costs no more, and the work is little."""
    if len(producer.results) != 1 or not producer.results[0].uses or reads_of(producer) is None:
        return False
    value = producer.results[0]
    size = cost_model.nominal_size(value)
    large = [v for v in producer.operands if cost_model.nominal_size(v) * SMALL > size]
    if size < LEAST or len(large) != 1 or cost_model.nominal_size(large[0]) > size:
        return False
    return t.bitwidth(large[0].type) <= t.bitwidth(value.type) and cost_model.dispatch_work(producer) <= MOST_WORK


def joins(producer: Operation, reader: Operation) -> bool:
    """Whether a reader can compute the value at every point where it reads it."""
    if reader.name != "kernel.dispatch" or reader.parent is not producer.parent:
        return False
    return is_same_space(producer, reader) if is_elementwise_dispatch(reader) else is_prologue(producer, reader)
