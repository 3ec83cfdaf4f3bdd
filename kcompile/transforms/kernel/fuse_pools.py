"""fuse-pools: a convolution on transformed tiles pools its results as well: a tile holds whole windows.

Reads kernel, writes kernel; after fuse-epilogues, as it is the activated result that is pooled. The pooling then loads
nothing, and where nobody else reads the result of the convolution, that is not stored.

    %y = dispatch {root winograd_convolution, relu}; %p = dispatch(%y) {root reduce_window 2 x 2}
        =>    %y, %p = dispatch {root winograd_convolution, relu, reduce_window}
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type

PRODUCER, CONSUMER = "graph.winograd_convolution", "graph.reduce_window"
VECTOR = 16  # features: a whole number of vectors on every target


@pass_("fuse-pools", reads="kernel", writes="kernel", exact=True)
def fuse_pools(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in list(dispatches.all(CONSUMER)):
        for value in consumer.operands:
            producer = value.defining_op
            if producer is None or not is_pooled_in_tiles(producer, consumer, value):
                continue
            if not dispatches.is_between(producer, consumer):
                dispatches.merge(producer, consumer, root_of(producer))
                changed = True
                break
    return changed


def is_pooled_in_tiles(producer: Operation, consumer: Operation, value: Value) -> bool:
    """Whether every window lies in one tile, all tiles are whole, and only the pooling reads the value there."""
    if producer.name != "kernel.dispatch" or root_of(producer) != PRODUCER:
        return False
    convolution, pool = root_op(producer), root_op(consumer)
    if convolution is None or pool is None or any(op.name == CONSUMER for op in producer.body.ops):
        return False
    argument = argument_of(consumer, value)
    if pool.operands[0] is not argument or not argument.has_one_use:
        return False
    if any(r is not value and r in consumer.operands for r in producer.results):
        return False
    shape = tensor_type(convolution.result).shape
    if any(tensor_type(v).shape != shape for v in yielded(producer)) or "row_taps" in convolution.attributes:
        return False
    return _windows_fit(pool, convolution["tile"], shape[1:])


def _windows_fit(pool: Operation, tile: int, sizes: tuple[object, ...]) -> bool:
    window, strides = pool["window"], pool["strides"]
    if window[0] != 1 or window[3] != 1 or strides != window or any((*pool["padding_low"], *pool["padding_high"])):
        return False
    if any(d != 1 for d in pool.get("window_dilation") or ()) or any(tile % n for n in window[1:3]):
        return False
    height, width, features = sizes
    assert isinstance(height, int) and isinstance(width, int) and isinstance(features, int)
    return height % tile == 0 and width % tile == 0 and features % VECTOR == 0
