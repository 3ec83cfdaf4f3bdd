"""fuse-depthwise: a depthwise convolution and the product of matrices that makes its input are one kernel.

Reads kernel, writes kernel. What is between them is never stored: the largest tensor of an inverted residual block.
Only what the strategy expanded_depthwise takes is fused.

    %e = dispatch {root dot_general: relu6, pad}; %y = dispatch(%e) {depthwise convolution}    =>    one dispatch
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type

IMAGES, FILTER = (0, 3, 1, 2), (3, 2, 0, 1)  # channels last
MOST_TAPS = 25
MOST_INPUTS = 256  # of the product: its weights for a chunk of channels stay in the first-level cache
GRAIN = 16  # channels: the longest vectors of f32
WIDEST = 256  # columns: a band of rows of a chunk stays in the second-level cache


@pass_("fuse-depthwise", reads="kernel", writes="kernel", exact=True)
def fuse_depthwise(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
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
    return changed


def is_depthwise(op: Operation) -> bool:
    """Whether each channel of images of a fixed size is under a filter of its own."""
    x, w = tensor_type(op.operands[0]), tensor_type(op.operands[1])
    if (op["lhs_spec"], op["rhs_spec"], op["out_spec"]) != (IMAGES, FILTER, IMAGES) or x.element is not t.f32:
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
    x, w = (tensor_type(v) for v in dot.operands)
    inputs = x.shape[-1]
    if x.rank != 4 or w.rank not in (2, 3) or dot["lhs_batch"] or dot["lhs_contract"] != (3,) or x.element is not t.f32:
        return False
    if isinstance(inputs, SymbolicDim) or inputs > MOST_INPUTS or inputs == 0:
        return False
    if w.rank == 3 and (dot["rhs_contract"] != (1,) or not _is_grain(w.shape[2])):
        return False
    if w.rank == 2 and dot["rhs_contract"] != (0,):
        return False
    (made,) = yielded(producer)
    last = made.defining_op
    if last is None or last.name != "graph.pad":
        return last is not None
    outer = [last[name][axis] for name in ("low", "high") for axis in (0, 3)]
    return not any((*outer, *last["interior"])) and splat_of(last.operands[1]) == 0


def _is_grain(size: object) -> bool:
    return isinstance(size, int) and size % GRAIN == 0 and size <= 4 * GRAIN
