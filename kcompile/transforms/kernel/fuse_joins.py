"""fuse-joins: what is computed to be joined side by side is stored at its place in the whole.

Reads kernel, writes kernel. An elementwise producer of parts of a concatenation along the last axis writes them where
they belong, and the concatenation copies nothing: the gradient of the gates of a recurrent cell, features that are
rotated by halves. Parts that others read as well are stored twice, which is still a load less.

    %a, %b = dispatch {elementwise}; %y = dispatch(%a, %b) {graph.concatenate}    =>    one dispatch, root concatenate
"""

from __future__ import annotations

from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.core import Block, Operation, find_function
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, iteration_shape, reads_of, root_op
from kcompile.transforms.kernel.kinds import root_of, tensor_type
from kcompile.transforms.kernel.legality import is_elementwise_dispatch


@pass_("fuse-joins", reads="kernel", writes="kernel", exact=True)
def fuse_joins(module: Operation) -> bool:
    return any([_fuse(block) for block in code_blocks(find_function(module, "main"))])


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in dispatches.all("graph.concatenate"):
        for producer in dict.fromkeys(v.defining_op for v in consumer.operands):
            if producer is None or not is_joined(producer, consumer) or dispatches.is_between(producer, consumer):
                continue
            dispatches.merge(producer, consumer, root_of(consumer))
            changed = True
    return changed


def is_joined(producer: Operation, consumer: Operation) -> bool:
    """Whether a producer computes, point by point, parts that a dispatch does nothing with but join them."""
    if not is_elementwise_dispatch(producer) or reads_of(producer) is None:
        return False
    join = root_op(consumer)
    if join is None or join["axis"] != tensor_type(join.result).rank - 1:
        return False
    for result in producer.results:
        if result in consumer.operands:
            argument = argument_of(consumer, result)
            if tensor_type(result).shape != iteration_shape(producer) or any(u is not join for u in argument.users):
                return False
    return True
