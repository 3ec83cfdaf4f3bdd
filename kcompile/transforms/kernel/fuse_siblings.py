"""fuse-siblings: elementwise dispatches over one shape that do not need each other become one.

Reads kernel, writes kernel. All scalar arithmetic of a train step (learning rate, bias corrections, metric sums) runs
in a kernel or two instead of dozens; larger ones are joined when they read a tensor of their own shape in common.
"""

from __future__ import annotations

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, iteration_shape
from kcompile.transforms.kernel.kinds import tensor_type

MAX_RESULTS = 8  # of a joined kernel over more than scalars: each is a stream of stores


@pass_("fuse-siblings", reads="kernel", writes="kernel", exact=True)
def fuse_siblings(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    groups: dict[tuple[object, ...], list[Operation]] = {}
    changed = False
    for op in dispatches.all("elementwise"):
        if not op.results:
            continue
        members = groups.setdefault(iteration_shape(op), [])
        joined = op
        for other in list(members):
            # a merge may have moved the other one behind: it needs what was merged
            first, second = sorted((other, joined), key=dispatches.position.__getitem__)
            if _is_sibling(first, second) and not _is_needed(dispatches, first, second):
                members.remove(other)
                joined = dispatches.merge(first, second, "elementwise")
                changed = True
        members.append(joined)
    return changed


def _is_needed(dispatches: Dispatches, first: Operation, second: Operation) -> bool:
    return any(u is second for r in first.results for u in r.users) or dispatches.is_between(first, second)


def _is_sibling(first: Operation, second: Operation) -> bool:
    shape = iteration_shape(first)
    if not shape:
        return True
    if len(first.results) + len(second.results) > MAX_RESULTS:
        return False
    return any(tensor_type(v).shape == shape for v in set(first.operands) & set(second.operands))
