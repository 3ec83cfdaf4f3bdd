"""split-products: a long sum of products to few results is done in pieces, which workers share, and added up.

    dot(x[b, h, w, m], y[b, h, w, n]; sums over b, h, w)
    =>  reduce(dot(x[b, 8, h/8, w, m], y[b, 8, h/8, w, n]; sums over b, h/8, w), axis 8)

Reads and writes the graph level; after the passes that give dots their final operands. The results of such a sum, the
gradient of a narrow layer's weights, fill a few register tiles: fewer than workers, or more by one, and every worker
would read all of both operands for its tiles. The number of pieces follows from the shape: sums do not depend on the
workers. On one worker it costs nothing, as the pieces follow one another (long_sums).
Options: `least`, products of a sum from which on it is split (a symbolic dim counts as 32).
"""

from __future__ import annotations

from math import prod

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import SymbolicDim, nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kinds import tensor_type

LEAST = 1 << 16  # a piece of 8192 takes 100 times as long as to write its results and read them again, or more
FEW = 6144  # results: 16 register tiles
PIECES = range(8, 17)  # at least as many: two to eight workers, or three of them, have about as much to do
LONG_RUN = 96  # steps of a piece that lie one after the other in memory


@pass_("split-products", reads="graph", writes="graph")
def split_products(module: Operation, least: int = LEAST) -> bool:
    changed = False
    for op in [op for op in module.walk() if op.name == "graph.dot_general"]:
        found = cut_of(op, least)
        if found is not None:
            _split(op, *found)
            changed = True
    return changed


def cut_of(op: Operation, least: int) -> tuple[int, int] | None:
    """The contracted axis that is split, and into how many pieces; None where the dot stays as it is."""
    lhs, rhs = (tensor_type(v) for v in op.operands)
    summed = tuple(range(lhs.rank - 1))
    if op["lhs_batch"] or not summed or lhs.rank != rhs.rank or not op["lhs_contract"] == op["rhs_contract"] == summed:
        return None
    # 16-bit sums would be rounded between the steps
    if lhs.element is not t.f32 or nominal(tensor_type(op.result).size) > FEW:
        return None
    if prod(nominal(n) for n in lhs.shape[:-1]) < least:
        return None
    for axis in summed:  # the outermost leaves the longest runs
        size, inside = lhs.shape[axis], prod(nominal(n) for n in lhs.shape[axis + 1 : -1])
        if isinstance(size, SymbolicDim):
            continue
        pieces = next((n for n in PIECES if size % n == 0), 0)
        if pieces and size // pieces * inside >= LONG_RUN:
            return axis, pieces
    return None


def _split(op: Operation, axis: int, pieces: int) -> None:
    b: GraphBuilder = GraphBuilder.before_op(op)
    cut = []
    for value in op.operands:
        shape = tensor_type(value).shape
        size = shape[axis]
        assert isinstance(size, int)
        cut.append(b.reshape(value, shape=(*shape[:axis], pieces, size // pieces, *shape[axis + 1 :])))
    summed = tuple(d for d in range(tensor_type(cut[0]).rank - 1) if d != axis)
    made = b.dot_general(*cut, lhs_batch=(axis,), rhs_batch=(axis,), lhs_contract=summed, rhs_contract=summed)
    op.replace_by([b.reduce(made, axes=(0,), kind="add")])
