"""cse: of equal pure operations on equal operands only the first stays.

Reads any level, writes the same. Operations with regions are left alone.

    %a = exp(%x); %b = exp(%x); add(%a, %b)     =>     %a = exp(%x); add(%a, %a)
"""

from __future__ import annotations

from collections.abc import Hashable

from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_

Key = tuple[Hashable, ...]


@pass_("cse", reads="graph", writes="graph", exact=True)
def cse(module: Operation) -> bool:
    return any([_cse_block(block, {}) for region in module.regions for block in region.blocks])


def _cse_block(block: Block, known: dict[Key, Operation]) -> bool:
    changed = False
    for op in block.ops:
        if op.regions:
            for region in op.regions:
                for inner in region.blocks:
                    # what is known outside holds inside, but not in an isolated region
                    changed |= _cse_block(inner, {} if op.has_trait("isolated") else dict(known))
            continue
        if not op.has_trait("pure") or not op.results:
            continue
        key = key_of(op)
        first = known.setdefault(key, op)
        if first is not op:
            op.replace_by(first.results)
            changed = True
    return changed


def key_of(op: Operation) -> Key:
    """Equal for operations that compute the same."""
    operands: tuple[Hashable, ...] = op.operands
    if op.has_trait("commutative"):
        operands = tuple(sorted(op.operands, key=id))
    attributes = tuple(sorted(op.attributes.items(), key=lambda item: item[0]))
    return (op.name, operands, attributes, tuple(r.type for r in op.results))
