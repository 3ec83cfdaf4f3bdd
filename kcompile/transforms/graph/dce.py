"""dce: pure operations whose results nobody uses go away.

Reads any level, writes the same. Works in every function and region, last operation first, so whole dead chains go at
once.
"""

from __future__ import annotations

from kcompile.ir.core import Operation
from kcompile.ir.passes import pass_


@pass_("dce", reads="graph", writes="graph", exact=True)
def dce(module: Operation) -> bool:
    changed = False
    for op in module.walk(reverse=True):
        if op.parent is not None and is_dead(op):
            op.erase()
            changed = True
    return changed


def is_dead(op: Operation) -> bool:
    """Whether the operation computes only what nobody uses."""
    return (
        op.has_trait("pure")
        and not op.has_trait("terminator")
        and bool(op.results)
        and not any(r.uses for r in op.results)
    )
