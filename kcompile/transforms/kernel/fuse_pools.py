"""fuse-pools: a convolution pools its results as well.

Reads kernel, writes kernel; after fuse-epilogues and fuse-pads, as what is pooled is activated and padded. The pooling
then loads nothing from memory, and where nobody else reads the result of the convolution, that is not
stored. On transformed tiles every window has to lie in one tile; a direct convolution keeps a band of its rows in the
cache (strategies/pooled_convolution.py), so that windows may overlap.

    %y = dispatch {root convolution, relu, pad}; %p = dispatch(%y) {root reduce_window 3 x 3 / 2}
        =>    %y, %p = dispatch {root convolution, relu, pad, reduce_window}
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.cost_model import LEAST_STORED, nominal_size
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.fuse_pads import inside_shape
from kcompile.transforms.kernel.kinds import is_inline_constant, root_of, tensor_type

TILED, DIRECT, CONSUMER = "graph.winograd_convolution", "graph.convolution", "graph.reduce_window"
VECTOR = 16  # features: a whole number of vectors on every target
IMAGES = (0, 3, 1, 2)  # channels last
LEAST_COLUMNS = 4  # of a direct convolution: the rows of its register tiles run along them
MOST_TAPS = 25  # of a window: they are straight code


@pass_("fuse-pools", reads="kernel", writes="kernel", exact=True)
def fuse_pools(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in list(dispatches.all(CONSUMER)):
        for value in consumer.operands:
            producer = value.defining_op
            if producer is None or not is_pooled(producer, consumer, value):
                continue
            if not dispatches.is_between(producer, consumer):
                dispatches.merge(producer, consumer, root_of(producer))
                changed = True
                break
    return changed


def is_pooled(producer: Operation, consumer: Operation, value: Value) -> bool:
    """Whether only the pooling reads the value there, and the strategy of the convolution can do the windows."""
    if producer.name != "kernel.dispatch" or root_of(producer) not in (TILED, DIRECT):
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
    if root_of(producer) == DIRECT:
        return _is_pooled_in_bands(producer, consumer, value)
    if any(tensor_type(v).shape != shape for v in yielded(producer)) or "row_taps" in convolution.attributes:
        return False
    return _windows_fit(pool, convolution["tile"], shape[1:])


def _is_pooled_in_bands(producer: Operation, consumer: Operation, value: Value) -> bool:
    convolution, pool = root_op(producer), root_op(consumer)
    assert convolution is not None and pool is not None
    image, pooled = tensor_type(convolution.result), tensor_type(pool.result)
    window, strides = pool["window"], pool["strides"]
    if (convolution["lhs_spec"], convolution["out_spec"]) != (IMAGES, IMAGES) or image.element is not t.f32:
        return False
    if convolution["rhs_spec"][0] != 3 or any(n != 1 for n in convolution["lhs_dilation"]):  # features side by side
        return False
    if convolution.get("feature_groups", 1) * convolution.get("batch_groups", 1) != 1 or pooled.shape == image.shape:
        return False
    if any(inside_shape(v) != image.shape for v in yielded(producer)):
        return False
    if any(inside_shape(v) != pooled.shape for v in yielded(consumer)):
        return False
    fixed = (*tensor_type(convolution.operands[0]).shape[1:], *image.shape[1:], *pooled.shape[1:])
    if any(not isinstance(n, int) or n == 0 for n in fixed):
        return False
    if window[0] * window[3] != 1 or window[1] * window[2] > MOST_TAPS or strides[0] * strides[3] != 1:
        return False
    if any((*pool["padding_low"], *pool["padding_high"])) or any(n != 1 for n in pool.get("window_dilation") or ()):
        return False
    (made,) = (v for r, v in zip(producer.results, yielded(producer), strict=True) if r is value)
    pad = made.defining_op
    if pad is not None and pad.name == "graph.pad":
        filler = pad.operands[1].defining_op
        if filler is None or not is_inline_constant(filler) or pad["low"][3] or pad["high"][3] or pad["low"][0]:
            return False
    others = any(u is not consumer for r in producer.results for u in r.users)
    if others and not _is_covered(pool, made):
        return False
    columns = image.shape[2]
    assert isinstance(columns, int)
    return columns >= LEAST_COLUMNS and nominal_size(convolution.result) >= LEAST_STORED


def _is_covered(pool: Operation, padded: Value) -> bool:
    """Whether every element is under a window: bands make no others, so that those could not be stored."""
    sizes = zip(tensor_type(padded).shape, tensor_type(pool.result).shape, pool["window"], pool["strides"], strict=True)
    return all(window >= stride and (n - 1) * stride + window >= size for size, n, window, stride in list(sizes)[1:3])


def _windows_fit(pool: Operation, tile: int, sizes: tuple[object, ...]) -> bool:
    window, strides = pool["window"], pool["strides"]
    if window[0] != 1 or window[3] != 1 or strides != window or any((*pool["padding_low"], *pool["padding_high"])):
        return False
    if any(d != 1 for d in pool.get("window_dilation") or ()) or any(tile % n for n in window[1:3]):
        return False
    height, width, features = sizes
    assert isinstance(height, int) and isinstance(width, int) and isinstance(features, int)
    return height % tile == 0 and width % tile == 0 and features % VECTOR == 0
