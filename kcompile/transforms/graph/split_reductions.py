"""split-reductions: a large reduction to few elements is done in two steps, the first of which has parallel work.

Reads graph, writes graph. The steps are a fixed tree, so the result is the same for any number of threads.

    reduce(x[b, h, w, c]) over (0, 1, 2)    =>    reduce(reduce(x) over (1, 2)) over (0)

Options: `least`, how many elements a reduction has at least to be split (symbolic dims count as 32).
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type

LEAST = 1 << 15  # elements; a core adds 32 KiB of f32 in about the time two barriers take


@pass_("split-reductions", reads="graph", writes="graph")
def split_reductions(module: Operation, least: int = LEAST) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.reduce"]:
        source = tensor_type(op.operands[0])
        axes = tuple(sorted(op["axes"]))
        # 16-bit sums would be rounded between the steps
        narrow = t.is_float(source) and t.bitwidth(source) < 32 and op["kind"] in ("add", "mul")
        if len(axes) < 2 or axes[0] != 0 or nominal(source.size) < least or narrow:
            continue
        b: GraphBuilder = GraphBuilder.before_op(op)
        inner = b.reduce(op.operands[0], axes=axes[1:], kind=op["kind"])
        op.replace_by([b.reduce(inner, axes=(0,), kind=op["kind"])])
        changed = True
    return changed
