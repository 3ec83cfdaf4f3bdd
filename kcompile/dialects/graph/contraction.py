"""dot_general: products of matrices, vectors and batches of them."""
# mypy: disable-error-code="misc"

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kcompile.errors import IRError, ShapeError
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, Type

from .dialect import Array, check_axes, graph, numeric, tensor
from .sampling import NUMBERS, Case, Rng, Samples, case, values
from .tolerance import accumulated

Axes = tuple[int, ...]


def free_axes(rank: int, batch: Axes, contract: Axes) -> Axes:
    """The axes of an operand that are neither batch nor contracted, in order."""
    return tuple(i for i in range(rank) if i not in batch and i not in contract)


def _dot_case(rng: Rng, element: Type) -> Case:
    counts = [int(rng.integers(0, 3)) for _ in range(4)]  # batch, contracted, free of each side
    batch, contract, left, right = ([int(d) for d in rng.integers(1, 5, n)] for n in counts)
    sizes = [batch + contract + left, batch + contract + right]
    shapes, positions = [], []
    for dims in sizes:
        order = rng.permutation(len(dims)).tolist()  # axis i of the operand is logical dim order[i]
        shapes.append(tuple(dims[i] for i in order))
        positions.append([order.index(i) for i in range(len(batch) + len(contract))])
    nb = len(batch)
    arrays = [values(rng, s, element) for s in shapes]
    attrs = {
        "lhs_batch": tuple(positions[0][:nb]), "rhs_batch": tuple(positions[1][:nb]),
        "lhs_contract": tuple(positions[0][nb:]), "rhs_contract": tuple(positions[1][nb:]),
    }  # fmt: skip
    return case(element, *arrays, **attrs)


@graph.op("dot_general", ins="lhs rhs")
class DotGeneral:
    """The sum of products over the contracted axes, for each element of the batch axes.

    lhs_batch and rhs_batch name pairs of axes, as do lhs_contract and rhs_contract. Result dims: the batch axes, the
    free axes of lhs, the free axes of rhs. f16 and bf16 are summed in f32 and rounded once.

    Example: x[m, k] times w[k, n] is lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,).
    """

    def infer(
        lhs: Type, rhs: Type, *, lhs_batch: Axes, rhs_batch: Axes, lhs_contract: Axes, rhs_contract: Axes
    ) -> TensorType:
        x, y = tensor(lhs), tensor(rhs)
        numeric(x)
        if x.element is not y.element:
            raise IRError(f"operands need one element type. Received: {x} and {y}")
        check_axes("lhs_batch + lhs_contract", (*lhs_batch, *lhs_contract), x.rank)
        check_axes("rhs_batch + rhs_contract", (*rhs_batch, *rhs_contract), y.rank)
        for what, xs, ys in (("batch", lhs_batch, rhs_batch), ("contract", lhs_contract, rhs_contract)):
            if len(xs) != len(ys) or any(x.shape[i] != y.shape[j] for i, j in zip(xs, ys, strict=True)):
                raise ShapeError(f"the {what} axes need equal sizes. Received: {x} with {xs} and {y} with {ys}")
        left, right = free_axes(x.rank, lhs_batch, lhs_contract), free_axes(y.rank, rhs_batch, rhs_contract)
        dims = [x.shape[i] for i in (*lhs_batch, *left)] + [y.shape[i] for i in right]
        return TensorType(tuple(dims), x.element)

    def reference(
        lhs: Array, rhs: Array, *, lhs_batch: Axes, rhs_batch: Axes, lhs_contract: Axes, rhs_contract: Axes
    ) -> Array:
        left = free_axes(lhs.ndim, lhs_batch, lhs_contract)
        right = free_axes(rhs.ndim, rhs_batch, rhs_contract)
        batch = tuple(lhs.shape[i] for i in lhs_batch)
        inner = math.prod(lhs.shape[i] for i in lhs_contract)
        m, n = tuple(lhs.shape[i] for i in left), tuple(rhs.shape[i] for i in right)
        wide = np.float32 if lhs.dtype == np.float16 else lhs.dtype
        x = (
            lhs.transpose(*lhs_batch, *left, *lhs_contract)
            .reshape(math.prod(batch), math.prod(m), inner)
            .astype(wide, copy=False)
        )
        y = (
            rhs.transpose(*rhs_batch, *rhs_contract, *right)
            .reshape(math.prod(batch), inner, math.prod(n))
            .astype(wide, copy=False)
        )
        return np.asarray(np.matmul(x, y).astype(lhs.dtype, copy=False)).reshape((*batch, *m, *n))

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        lhs, rhs = op.operands
        axes = [op[name] for name in ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")]
        left_batch, right_batch, left_contract, right_contract = axes
        to_lhs = _operand_gradient(b, ct, rhs, lhs, True, (left_batch, right_batch, left_contract, right_contract))
        to_rhs = _operand_gradient(b, ct, lhs, rhs, False, (right_batch, left_batch, right_contract, left_contract))
        return [to_lhs, to_rhs]

    lower = "contraction"
    stablehlo = "stablehlo.dot_general"
    samples = Samples(NUMBERS, _dot_case)
    tolerance = accumulated


def _operand_gradient(
    b: Any, ct: Value, other: Value, operand: Value, is_lhs: bool, axes: tuple[Axes, Axes, Axes, Axes]
) -> Value:
    """The cotangent of `operand`: `ct` contracted with the `other` operand over the other's free axes."""
    batch, other_batch, contract, other_contract = axes
    rank, other_rank = tensor(operand.type).rank, tensor(other.type).rank
    own = free_axes(rank, batch, contract)
    theirs = free_axes(other_rank, other_batch, other_contract)
    batches = tuple(range(len(batch)))
    first = len(batch) + (len(own) if is_lhs else 0)
    in_ct = tuple(range(first, first + len(theirs)))
    if is_lhs:
        made = b.dot_general(
            ct, other, lhs_batch=batches, rhs_batch=other_batch, lhs_contract=in_ct, rhs_contract=theirs
        )
        rest = sorted(other_contract)  # the free axes of `other`, in the order of the result
        dims = [*batch, *own, *(contract[other_contract.index(j)] for j in rest)]
    else:
        made = b.dot_general(
            other, ct, lhs_batch=other_batch, rhs_batch=batches, lhs_contract=theirs, rhs_contract=in_ct
        )
        rest = sorted(other_contract)
        dims = [*batch, *(contract[other_contract.index(j)] for j in rest), *own]
    permutation = tuple(dims.index(i) for i in range(rank))
    if permutation != tuple(range(rank)):
        made = b.transpose(made, permutation=permutation)
    result: Value = made
    return result
