"""read-parts: a convolution on transformed tiles reads the parts of a concatenation where they are.

Reads kernel, writes kernel. It brings every tile of its input to the points once, whole vectors of channels at a time:
from which of several images these come costs nothing, and the joined one is never stored.

    %c = dispatch(%a, %b) {graph.concatenate}; %y = dispatch(%c, %u) {root winograd_convolution}
        =>    %y = dispatch(%a, %b, %u) {root winograd_convolution of a concatenate}
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type

READERS = ("graph.winograd_convolution", "graph.winograd_filter_gradient")  # of images, their first operands
VECTOR = 16  # channels: a whole number of vectors on every target


@pass_("read-parts", reads="kernel", writes="kernel", exact=True)
def read_parts(module: Operation) -> bool:
    return in_each_block(module, _inline)


def _inline(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for producer in list(dispatches.all("graph.concatenate")):
        if not is_plain_join(producer):
            continue
        readers = producer.results[0].users
        if readers and all(reads_image(reader, producer) for reader in readers):
            for reader in dict.fromkeys(readers):
                dispatches.merge(producer, reader, root_of(reader), copy=True)
            producer.erase()
            changed = True
    return changed


def is_plain_join(dispatch: Operation) -> bool:
    """Whether all that is done is to join whole vectors of channels."""
    join = root_op(dispatch)
    if join is None or yielded(dispatch) != (join.result,) or join["axis"] != tensor_type(join.result).rank - 1:
        return False
    sizes = [tensor_type(v).shape[-1] for v in join.operands]
    plain = set(join.operands) <= set(dispatch.body.arguments)
    return plain and all(isinstance(n, int) and n % VECTOR == 0 for n in sizes)


def reads_image(reader: Operation, producer: Operation) -> bool:
    """Whether a dispatch takes the joined tensor as the image of its root, and nothing else of it."""
    if reader.name != "kernel.dispatch" or root_of(reader) not in READERS or reader.parent is not producer.parent:
        return False
    root, argument = root_op(reader), argument_of(reader, producer.results[0])
    return root is not None and root.operands[0] is argument and argument.has_one_use
