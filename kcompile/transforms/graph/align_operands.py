"""align-operands: the right operand of every dot and convolution gets its output features last, by a transpose.

    dot_general(x[b, n], w[m, n]; contract 1, 1)   =>   dot_general(x, transpose(w)[n, m]; contract 1, 0)

Kernels put vector lanes along the features of the result, which must then be contiguous in the right operand. The
transpose of a weight costs one sweep a step in training, and nothing at inference: it moves into @prepare. For few rows
that sweep takes half as long as the product: weights that change stay as they are, and lanes run along the sum (dots).
A symbolic number of features, summed over a symbolic size, takes the place of the rows where those are fixed:

    dot_general(q[s, d], p[s, n]; contract 0, 0)   =>   transpose(dot_general(p, q; contract 0, 0))

Reads and writes the graph level; exact.
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.contraction import free_axes
from kcompile.ir import types as t
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.dims import SymbolicDim, nominal
from kcompile.ir.passes import pass_
from kcompile.ir.types import TensorType
from kcompile.transforms.graph.attention_gradient_pattern import attention_products
from kcompile.transforms.graph.roles import WeightOnly

FEW_ROWS = 32  # 32x512 by 512x512: 70 us and 35 to turn the weights, 87 as they are; the sweep pays from 64 rows on
WHOLE = 16  # elements: a vector of every target
LEAST = 1 << 14  # elements of a matrix; less is turned in a microsecond or two


@pass_("align-operands", reads="graph", writes="graph", exact=True)
def align_operands(module: Operation) -> bool:
    changed = False
    attention = attention_products(module)
    prepared = {f: WeightOnly(f) for f in module_functions(module)}
    for op in list(module.walk()):
        if op in attention:
            continue  # the attention kernels turn a head's keys in the cache
        if op.name == "graph.dot_general":
            if has_few_rows(op) and any(op.parent is f.body and op.operands[1] not in w for f, w in prepared.items()):
                continue  # in a scan the weights are turned once for all steps, others in @prepare
            changed |= swap_operands(op) or align_dot(op)
        elif op.name == "graph.convolution":
            changed |= align_convolution(op)
    return changed


def has_open_features(dot: Operation, exchanged: bool = False) -> bool:
    """Whether a dot gives features whose number is not fixed, of a sum whose length is not either, to fixed rows.

    exchanged: the dot with its operands exchanged. A fixed sum is done for any number of features.
    """
    left, right = ("rhs", "lhs") if exchanged else ("lhs", "rhs")
    lhs, rhs = (t.shape_of(v.type) for v in (dot.operands[::-1] if exchanged else dot.operands))
    rows = free_axes(len(lhs), dot[f"{left}_batch"], dot[f"{left}_contract"])
    features = free_axes(len(rhs), dot[f"{right}_batch"], dot[f"{right}_contract"])
    return (
        len(rows) == 1
        and isinstance(lhs[rows[0]], int)
        and bool(features)
        and isinstance(rhs[features[-1]], SymbolicDim)
        and any(isinstance(lhs[a], SymbolicDim) for a in dot[f"{left}_contract"])
    )


def swap_operands(op: Operation) -> bool:
    """Exchange the operands where vectors along the right one's features would have no fixed number of lanes."""
    if not has_open_features(op):
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    swapped = b.dot_general(
        op.operands[1], op.operands[0], lhs_batch=op["rhs_batch"], rhs_batch=op["lhs_batch"],
        lhs_contract=op["rhs_contract"], rhs_contract=op["lhs_contract"],
    )  # fmt: skip
    batch, last = len(op["lhs_batch"]), len(t.shape_of(op.result.type)) - 1
    op.replace_by([b.transpose(swapped, permutation=(*range(batch), last, *range(batch, last)))])
    align_dot(swapped.defining_op)
    return True


def has_few_rows(op: Operation) -> bool:
    """Whether a product of matrices has so few rows that the right one is better read as it lies, along the sum."""
    lhs, rhs = (v.type for v in op.operands)
    assert isinstance(lhs, TensorType) and isinstance(rhs, TensorType)
    if lhs.rank != 2 or rhs.rank != 2 or op["lhs_contract"] != (1,) or op["rhs_contract"] != (1,) or op["rhs_batch"]:
        return False
    if any(not isinstance(n, int) or n % WHOLE for n in rhs.shape) or {lhs.element, rhs.element} != {t.f32}:
        return False
    return nominal(lhs.shape[0]) <= FEW_ROWS and nominal(rhs.size) >= LEAST


def align_dot(op: Operation) -> bool:
    """Right operand: batch dims, contracted dims, free dims, in this order."""
    rhs = op.operands[1]
    batch, contract = op["rhs_batch"], op["rhs_contract"]
    rank = len(rhs.type.shape)  # type: ignore[attr-defined]
    free = [d for d in range(rank) if d not in batch and d not in contract]
    if not free or free[-1] == rank - 1 or rhs.type.shape[free[-1]] == 1:  # type: ignore[attr-defined]
        return False
    if isinstance(rhs.type.shape[free[-1]], SymbolicDim):  # type: ignore[attr-defined]
        return False  # lanes need a fixed size: they run along the sum instead, where it lies last
    order = (*batch, *contract, *free)
    op.set_operand(1, GraphBuilder.before_op(op).transpose(rhs, permutation=order))
    op["rhs_batch"] = tuple(range(len(batch)))
    op["rhs_contract"] = tuple(range(len(batch), len(batch) + len(contract)))
    return True


def align_convolution(op: Operation) -> bool:
    """Right operand: spatial dims, input features, output features, where the features of the result are last too."""
    rhs, spec, out = op.operands[1], op["rhs_spec"], op["out_spec"]
    last = len(spec) - 1
    if spec[0] == last or out[1] != last or rhs.type.shape[spec[0]] == 1:  # type: ignore[attr-defined]
        return False
    order = (*spec[2:], spec[1], spec[0])
    op.set_operand(1, GraphBuilder.before_op(op).transpose(rhs, permutation=order))
    op["rhs_spec"] = (last, last - 1, *range(last - 1))
    return True
