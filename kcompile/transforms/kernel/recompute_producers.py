"""recompute-producers: a value of little work is computed again by each of its readers, where they then load no more.

Reads kernel, writes kernel. The readers load what the value is made of instead of the value, so storing it is saved;
what is read again in the backward pass does not have to be kept besides what it was made of.

    c = x - mean; v = reduce(c * c); .. dx = c * s + t      =>      v = reduce((x - mean)^2); .. dx = (x - mean) * s + t

It runs before fuse-epilogues: what is made again here is no epilogue of the product before it, which would have to load
what it does not multiply. So with a gradient under a mask made from x (recompute-masks): the batch norm behind it reads
x for its second sum and for its own gradient, and all of these read the product as it is.

    d = select(x < 0, 0, dot(..)); s = reduce(d), t = reduce(d * x); .. dx = d * u + x * v      =>      no d
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, reads_of
from kcompile.transforms.kernel.fuse_sums import space_of
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import is_elementwise_dispatch, is_prologue, is_same_space

MOST_WORK = 2.0  # operations an element: hidden behind the load of the element


@pass_("recompute-producers", reads="kernel", writes="kernel", exact=True)
def recompute_producers(module: Operation) -> bool:
    return in_each_block(module, _recompute)


def _recompute(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for producer in list(dispatches.all("elementwise")):
        if len(producer.results) != 1 or not producer.results[0].uses or reads_of(producer) is None:
            continue
        readers = list(dict.fromkeys(producer.results[0].users))
        if (is_cheap(producer) or is_shared(producer, readers)) and all(joins(producer, r) for r in readers):
            for reader in readers:
                dispatches.merge(producer, reader, root_of(reader), copy=True)
            producer.erase()
            changed = True
    return changed


def is_shared(producer: Operation, readers: list[Operation]) -> bool:
    """Whether the readers load all but one of the large operands anyway, the sums among them in one sweep."""
    if cost_model.nominal_size(producer.results[0]) < cost_model.LEAST_STORED:
        return False
    if cost_model.dispatch_work(producer) > cost_model.RECOMPUTE_LIMIT:
        return False
    sums = [r for r in readers if r.name == "kernel.dispatch" and space_of(r) is not None]
    if len(sums) < 2 or len({space_of(r) for r in sums}) > 1:
        return False
    sweep = {v for r in sums for v in r.operands}
    others = [set(r.operands) for r in readers if r not in sums]
    return all(sum(v not in loaded for v in cost_model.large_operands(producer)) <= 1 for loaded in [sweep, *others])


def is_cheap(producer: Operation) -> bool:
    """Whether loading the operands instead of the only result costs no more, and the work is little."""
    value, large = producer.results[0], cost_model.large_operands(producer)
    size = cost_model.nominal_size(value)
    if size < cost_model.LEAST_STORED or len(large) != 1 or cost_model.nominal_size(large[0]) > size:
        return False
    return t.bitwidth(large[0].type) <= t.bitwidth(value.type) and cost_model.dispatch_work(producer) <= MOST_WORK


def joins(producer: Operation, reader: Operation) -> bool:
    """Whether a reader can compute the value at every point where it reads it."""
    if reader.name != "kernel.dispatch" or reader.parent is not producer.parent:
        return False
    return is_same_space(producer, reader) if is_elementwise_dispatch(reader) else is_prologue(producer, reader)
