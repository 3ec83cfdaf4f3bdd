"""Which elements of its operands an op reads for one element of its result: affine maps, composed along chains.

transpose [1, 0]        (d0, d1) -> (d1, d0)
slice 3:9:2             (d0) -> (d0 * 2 + 3)
broadcast [c] -> [n, c] (d0, d1) -> (d1)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, constant_expr, dim_expr, expr, identity_map
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.transforms.kernel.kinds import is_elementwise, tensor_type

Reads = dict[Value, set[AffineMap]]


def operand_map(op: Operation, index: int) -> AffineMap | None:
    """The map from an element of the result of `op` to the element of operand `index` that it reads.

    None where it is not affine with constant coefficients (a reshape that splits a dim, a reverse of a symbolic dim).
    """
    rank = tensor_type(op.results[0]).rank
    if op.name == "graph.broadcast_in_dim":
        shape = tensor_type(op.operands[0]).shape
        return affine_map(
            rank, [constant_expr(0) if n == 1 else dim_expr(d) for n, d in zip(shape, op["dims"], strict=True)]
        )
    if op.name == "graph.transpose":
        at = {d: i for i, d in enumerate(op["permutation"])}
        return affine_map(rank, [dim_expr(at[i]) for i in range(rank)])
    if op.name == "graph.slice":
        starts, steps = op["start"], op["strides"]
        if any(isinstance(n, SymbolicDim) for n in (*starts, *steps)):
            return None
        return affine_map(rank, [expr({i: n}, s) for i, (s, n) in enumerate(zip(starts, steps, strict=True))])
    if op.name == "graph.reverse":
        shape, axes = tensor_type(op.results[0]).shape, set(op["axes"])
        if any(isinstance(shape[a], SymbolicDim) for a in axes):
            return None
        return affine_map(rank, [expr({i: -1}, int(n) - 1) if i in axes else dim_expr(i) for i, n in enumerate(shape)])  # type: ignore[arg-type]
    if op.name == "graph.reshape":
        return reshape_map(tensor_type(op.results[0]).shape, tensor_type(op.operands[0]).shape)
    if op.has_trait("elementwise"):
        return identity_map(rank)
    return None


def reshape_map(result: Sequence[Dim], operand: Sequence[Dim]) -> AffineMap | None:
    """The map of a reshape whose every operand dim is a product of neighbouring result dims; None for others."""
    exprs: list[AffineExpr] = []
    at = 0
    for size in operand:
        run: list[int] = []
        rest: Dim = size
        product: Dim = 1
        while product != rest and at < len(result):
            run.append(at)
            product = product * result[at]
            at += 1
        if product != rest:
            return None
        coefficients: dict[int, int] = {}
        stride = 1
        for dim in reversed(run):
            extent = result[dim]
            if extent != 1:
                coefficients[dim] = stride
            if isinstance(extent, SymbolicDim):
                if dim != run[0] and any(result[d] != 1 for d in run[: run.index(dim)]):
                    return None
            else:
                stride *= extent
        exprs.append(expr(coefficients))
    if any(n != 1 for n in result[at:]):
        return None
    return affine_map(len(result), exprs)


def reads(results: Iterable[Value], stop: Block) -> Reads | None:
    """All reads of the arguments of `stop`, and of results of its roots, that elementwise chains make to compute
    `results`.

    All results have one shape, over which the maps are. None if a step in between is not affine.
    """
    found: Reads = {}
    seen: set[tuple[Value, AffineMap]] = set()
    pending = [(value, identity_map(tensor_type(value).rank)) for value in results]
    while pending:
        value, map_ = pending.pop()
        if (value, map_) in seen:
            continue
        seen.add((value, map_))
        op = value.defining_op
        if op is None or not (is_elementwise(op) or op.name == "graph.reshape"):
            if op is None or op.name != "graph.constant":
                found.setdefault(value, set()).add(map_)
            continue
        if op.name == "graph.rng_bits":
            pending += [(op.operands[0], affine_map(map_.dims, [constant_expr(i)])) for i in range(2)]
            continue
        for i, operand in enumerate(op.operands):
            inner = operand_map(op, i)
            if inner is None:
                return None
            pending.append((operand, inner.compose(map_)))
    return found


def is_injective(map_: AffineMap) -> bool:
    """Whether no element is read twice: every dim indexes some result alone."""
    alone = {e.terms[0][0] for e in map_.results if len(e.terms) == 1}
    return alone == set(range(map_.dims))
