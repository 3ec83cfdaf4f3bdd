"""fuse-depthwise: a depthwise convolution and the products of matrices before and behind it are one kernel.

Reads kernel, writes kernel. What is between them is never stored: the largest tensors of an inverted residual block.
Only what the strategies expanded_depthwise and separable take is fused.

    %e = dispatch {root dot_general: relu6, pad}; %d = dispatch(%e) {depthwise convolution: relu6};
    %y = dispatch(%d, %x) {root dot_general: add}                                              =>    one dispatch
"""

from __future__ import annotations

from math import prod

from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.fuse_pads import inside_shape
from kcompile.transforms.kernel.kinds import root_of, tensor_type

IMAGES, FILTER = (0, 3, 1, 2), (3, 2, 0, 1)  # channels last
MOST_TAPS = 25
MOST_INPUTS = 256  # of the product: its weights for a chunk of channels stay in the first-level cache
GRAIN = 16  # channels: the longest vectors of f32
WIDEST = 256  # columns: a band of rows of a chunk stays in the second-level cache
MOST_FEATURES = 64  # without an expansion; the product of 128 or more hides the load: MobileNet's blocks took as long
LEAST_COLUMNS = 4  # of the result: the rows of a register tile of the product
MOST_ROWS = 4  # of a band of the result
BYTES = 4  # of an element
HELD = 1 << 19  # bytes of weights, and of a band, in a second-level cache of 1 MiB
# Multiply-adds in the time in which an element is stored and loaded again: 10 blocks of MobileNetV2, one image on one
# thread, gained one cycle for 14 to 19 bytes of the result between; a core does 32 a cycle. An element loaded from the
# third-level cache takes a third of them.
STORED, LOAD = 16, 5


@pass_("fuse-depthwise", reads="kernel", writes="kernel", exact=True)
def fuse_depthwise(module: Operation, always: bool = False) -> bool:
    return in_each_block(module, lambda block: _fuse(block, always))


def _fuse(block: Block, always: bool) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in dispatches.all("graph.convolution"):
        convolution = root_op(consumer)
        assert convolution is not None
        if not is_depthwise(convolution):
            continue
        image = convolution.operands[0]
        producer = next((v.defining_op for v in consumer.operands if argument_of(consumer, v) is image), None)
        if producer is not None and is_expansion(producer, consumer) and image.users == [convolution]:
            dispatches.merge(producer, consumer, "expanded_depthwise")
            changed = True
    for consumer in dispatches.all("graph.dot_general"):
        producer = next((v.defining_op for v in consumer.operands if is_projection(v.defining_op, consumer)), None)
        if producer is not None and (always or pays_to_project(producer, consumer)):
            dispatches.merge(producer, consumer, "separable")
            changed = True
    return changed


def is_projection(producer: Operation | None, consumer: Operation) -> bool:
    """Whether a kernel sums up the channels of a depthwise convolution's result, which nothing else reads."""
    if producer is None or producer.name != "kernel.dispatch" or len(producer.results) != 1:
        return False
    (result,), dot = producer.results, root_op(consumer)
    convolution = named(producer, "graph.convolution")
    if root_of(producer) not in ("expanded_depthwise", "graph.convolution") or result.users != [consumer]:
        return False
    if convolution is None or dot is None or not is_depthwise(convolution) or dot.operands[0].users != [dot]:
        return False
    if argument_of(consumer, result) is not dot.operands[0] or not is_product_of_channels(dot):
        return False
    if yielded(producer)[0].defining_op.name == "graph.pad":  # type: ignore[union-attr]
        return False
    whole = fixed(dot.result)
    features = prod(fixed(dot.operands[1])) // fixed(dot.operands[0])[3]
    made = [inside_shape(v) for v in yielded(consumer)]
    return whole[2] >= LEAST_COLUMNS and all(s == (*tensor_type(dot.result).shape[:3], features) for s in made)


def pays_to_project(producer: Operation, consumer: Operation) -> bool:
    """Whether what a band of rows costs besides is less than storing and loading the result between, for one image.

    Two workers share the bands of an image: the second makes the rows of the expanded image anew that its first window
    shares with the one before. Weights that the second-level cache does not hold are loaded again for every band.
    """
    convolution, last = named(producer, "graph.convolution"), root_op(consumer)
    expand = named(producer, "graph.dot_general")
    assert convolution is not None and last is not None
    _, height, width, channels = fixed(convolution.result)
    weights = prod(fixed(last.operands[1]))
    again = 0
    if expand is not None:
        taps, *_ = fixed(convolution.operands[1])
        *_, across, inputs = fixed(expand.operands[0])
        if (taps * across + width) * channels * BYTES > HELD:
            return False  # not even the rows that one row of the result needs
        again = max(0, taps - convolution["strides"][0]) * across * inputs * channels
        weights += prod(fixed(expand.operands[1]))
    elif weights > MOST_FEATURES * channels:
        return False
    if weights * BYTES > HELD:
        again += weights * -(-height // MOST_ROWS) * LOAD
    between = height * width * channels
    return between >= cost_model.LEAST_STORED and again <= STORED * between


def named(dispatch: Operation, name: str) -> Operation | None:
    """The first op of a dispatch with a name."""
    return next((op for op in dispatch.body.ops if op.name == name), None)


def fixed(value: Value) -> list[int]:
    """A shape with one image, whatever their number is."""
    return [1 if isinstance(n, SymbolicDim) else n for n in tensor_type(value).shape]


def is_product_of_channels(dot: Operation) -> bool:
    """Whether a product sums up the channels of images with a matrix, plain or in panels."""
    x, w = (tensor_type(v) for v in dot.operands)
    if x.rank != 4 or w.rank not in (2, 3) or dot["lhs_batch"] or dot["lhs_contract"] != (3,) or x.element is not t.f32:
        return False
    if w.rank == 3:
        return bool(dot["rhs_contract"] == (1,)) and _is_grain(w.shape[2])
    return bool(dot["rhs_contract"] == (0,))


def is_depthwise(op: Operation) -> bool:
    """Whether each channel of images of a fixed size is under a filter of its own."""
    x, w = tensor_type(op.operands[0]), tensor_type(op.operands[1])
    if (op["lhs_spec"], op["rhs_spec"], op["out_spec"]) != (IMAGES, FILTER, IMAGES) or x.element is not t.f32:
        return False
    if w.rank != x.rank:  # in panels
        return False
    if any(isinstance(n, SymbolicDim) or n == 0 for n in (*x.shape[1:], *tensor_type(op.result).shape[1:])):
        return False
    plain = all(n == 1 for name in ("lhs_dilation", "rhs_dilation") for n in op[name])
    plain = plain and not any((*op["padding_low"], *op["padding_high"]))
    rows, columns, each, channels = w.shape
    taps = rows * columns
    assert isinstance(rows, int) and isinstance(columns, int) and isinstance(x.shape[2], int)
    assert isinstance(taps, int) and isinstance(channels, int)
    whole = each == 1 and op.get("feature_groups", 1) == channels and channels % GRAIN == 0
    return plain and whole and 1 < rows and 1 < columns and taps <= MOST_TAPS and x.shape[2] <= WIDEST


def is_expansion(producer: Operation, consumer: Operation) -> bool:
    """Whether a kernel makes nothing but the image: sums over the channels of another one, and what follows them."""
    if producer.name != "kernel.dispatch" or root_of(producer) != "graph.dot_general" or len(producer.results) != 1:
        return False
    if {u for r in producer.results for u in r.users} != {consumer}:
        return False
    dot = root_op(producer)
    assert dot is not None
    inputs = tensor_type(dot.operands[0]).shape[-1]
    if not is_product_of_channels(dot) or isinstance(inputs, SymbolicDim) or inputs > MOST_INPUTS or inputs == 0:
        return False
    (made,) = yielded(producer)
    last = made.defining_op
    if last is None or last.name != "graph.pad":
        return last is not None
    outer = [last[name][axis] for name in ("low", "high") for axis in (0, 3)]
    return not any((*outer, *last["interior"])) and splat_of(last.operands[1]) == 0


def _is_grain(size: object) -> bool:
    return isinstance(size, int) and size % GRAIN == 0 and size <= 4 * GRAIN
