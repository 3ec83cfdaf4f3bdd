"""Which products make tiles of rows whose sums can be had while they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim, SymbolicDim, nominal
from kcompile.transforms.kernel.kinds import tensor_type

LEAST = 1 << 17  # elements; half a MiB or less is read the second time from the second-level cache
LEAST_ROWS = 7  # of a tile: 7 x 4 sums keep the multipliers busy, fewer rows would not


def sums_along_tiles(op: Operation, shape: Sequence[Dim]) -> bool:
    """Whether a product gives f32 [images, .., rows, features] of `shape`, large, in tiles of rows of one image.

    op    graph.dot_general or graph.convolution
    """
    if any(isinstance(n, SymbolicDim) for n in shape[1:]) or tensor_type(op.result).element is not t.f32:
        return False
    if len(shape) < 3 or prod(nominal(n) for n in shape) < LEAST or nominal(shape[-2]) < LEAST_ROWS:
        return False
    rank, weights = len(shape), tensor_type(op.operands[1]).rank
    if op.name == "graph.dot_general":
        by_features = tensor_type(op.operands[0]).rank == rank and tuple(op["lhs_contract"]) == (rank - 1,)
        return by_features and not op["lhs_batch"] and tuple(op["rhs_contract"]) == (weights - 2,)
    groups = op.get("feature_groups", 1) * op.get("batch_groups", 1)
    last = (0, rank - 1, *range(1, rank - 1))
    plain = groups == 1 and all(d == 1 for d in op["lhs_dilation"]) and op["rhs_spec"][0] == weights - 1
    return bool(plain and op["lhs_spec"] == op["out_spec"] == last)
