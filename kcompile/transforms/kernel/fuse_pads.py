"""fuse-pads: a kernel stores its result with the border that a pad puts around it.

Reads kernel, writes kernel. `decompose-convolution` has made every padding a pad; done by the producer it costs the
border alone, and no copy. Where others read the result as it is, the kernel stores both.

    %a = dispatch {root convolution}; %p = dispatch(%a) {graph.pad}      =>      one dispatch, root convolution
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, root_op, yielded
from kcompile.transforms.kernel.kinds import is_inline_constant, root_of, tensor_type

ROOTS = frozenset(  # what stores tile by tile
    f"graph.{name}" for name in ("dot_general", "convolution", "winograd_convolution", "reduce_window")
)


@pass_("fuse-pads", reads="kernel", writes="kernel", exact=True)
def fuse_pads(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in dispatches.all("graph.pad"):
        producer = consumer.operands[0].defining_op if len(consumer.operands) == 1 else None
        if producer is None or not is_bordered(producer, consumer) or dispatches.is_between(producer, consumer):
            continue
        root = root_of(producer)
        dispatches.merge(producer, consumer, root if root in ROOTS else root_of(consumer))
        changed = True
    return changed


def is_bordered(producer: Operation, consumer: Operation) -> bool:
    """Whether all that a pad does is to put one constant around what a kernel stores tile by tile."""
    pad = root_op(consumer)
    if pad is None or len(consumer.results) != 1 or yielded(consumer) != (pad.result,):
        return False
    if producer.name != "kernel.dispatch" or root_of(producer) not in (*ROOTS, "elementwise"):
        return False
    edges = (*pad["low"], *pad["high"])
    filler = pad.operands[1].defining_op
    if any(pad["interior"]) or not all(isinstance(n, int) and n >= 0 for n in edges):
        return False
    if filler is None or not is_inline_constant(filler):
        return False
    shape = tensor_type(pad.operands[0]).shape
    return bool(shape) and all(inside_shape(v) == shape for v in yielded(producer))


def inside_shape(value: Value) -> tuple[Dim, ...]:
    """The shape of a result of a kernel without its border."""
    made = value.defining_op
    return tensor_type(made.operands[0] if made is not None and made.name == "graph.pad" else value).shape
