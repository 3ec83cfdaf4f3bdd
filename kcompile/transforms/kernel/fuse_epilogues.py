"""fuse-epilogues: elementwise readers of a contraction, convolution, window or reduction are done where it stores.

Reads kernel, writes kernel. The reader runs over the root's result, point for point: bias, activation, residual,
cast, mask.

    %a = dispatch {root dot_general}; %y = dispatch(%a, %bias) {elementwise: relu(a + bias)}    =>    one dispatch,
    root dot_general

A reader of equal parts of a dot, side by side, is an epilogue over one part: the gates of a recurrent cell. The update
of an embedding is one of the scatter that is its gradient.

Option `max`: how many dispatches one root may take in (no limit: 0).
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.cost_model import pays_in_blocks
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, root_op
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import is_epilogue


@pass_("fuse-epilogues", reads="kernel", writes="kernel", exact=True)
def fuse_epilogues(module: Operation, max: int = 0) -> bool:
    return in_each_block(module, lambda block: _fuse(block, max))


def _fuse(block: Block, max: int) -> bool:
    dispatches = Dispatches(block)
    taken: dict[Operation, int] = {}
    changed = False
    for consumer in dispatches.all("elementwise"):
        producers = {v.defining_op for v in consumer.operands}
        roots = [p for p in producers if p is not None and p.name == "kernel.dispatch" and is_epilogue(p, consumer)]
        for root in sorted(
            roots, key=dispatches.position.__getitem__, reverse=True
        ):  # the last one: the others are ready then
            if dispatches.is_between(root, consumer) or (max and taken.get(root, 0) >= max):
                continue
            op = root_op(root)
            if op is not None and op.name == "graph.scatter" and not pays_in_blocks(op):
                continue
            merged = dispatches.merge(root, consumer, root_of(root))
            taken[merged] = taken.pop(root, 0) + 1
            changed = True
            break
    return changed
