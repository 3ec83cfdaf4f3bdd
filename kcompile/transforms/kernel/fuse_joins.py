"""fuse-joins: what is computed to be joined side by side is stored at its place in the whole.

Reads kernel, writes kernel. An elementwise producer of parts of a concatenation along the last axis writes them where
they belong, and the concatenation copies nothing: the gradient of the gates of a recurrent cell, features that are
rotated by halves. Parts that others read as well are stored twice, which is still a load less.

    %a, %b = dispatch {elementwise}; %y = dispatch(%a, %b) {graph.concatenate}    =>    one dispatch, root concatenate
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, reads_of, root_op, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type
from kcompile.transforms.kernel.legality import is_elementwise_dispatch


@pass_("fuse-joins", reads="kernel", writes="kernel", exact=True)
def fuse_joins(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in dispatches.all("graph.concatenate"):
        for producer in dict.fromkeys(v.defining_op for v in consumer.operands):
            if producer is None or producer.name != "kernel.dispatch" or not is_joined(producer, consumer):
                continue
            if not dispatches.is_between(producer, consumer):
                dispatches.merge(producer, consumer, root_of(consumer))
                changed = True
    return changed


def is_joined(producer: Operation, consumer: Operation) -> bool:
    """Whether a producer computes, point by point, parts that a dispatch does nothing with but join them.

    The producer may have joined parts of its own: one kernel stores several wholes.
    """
    if root_of(producer) == "graph.concatenate":
        parts = [r for r, y in zip(producer.results, yielded(producer), strict=True) if _is_pointwise(y)]
    elif is_elementwise_dispatch(producer) and reads_of(producer) is not None:
        parts = list(producer.results)
    else:
        return False
    join = root_op(consumer)
    if join is None or join["axis"] != tensor_type(join.result).rank - 1:
        return False
    read = [r for r in producer.results if r in consumer.operands]
    return all(r in parts and all(u is join for u in argument_of(consumer, r).users) for r in read)


def _is_pointwise(value: Value) -> bool:
    """Whether no join stands before the value."""
    pending = [value]
    while pending:
        op = pending.pop().defining_op
        if op is not None and op.name == "graph.concatenate":
            return False
        pending += op.operands if op is not None else ()
    return True
