"""Sums over much to few results, in pieces, at the linalg level."""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.affine import dims_map
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim
from tests.strategies.linalg_kernels import LinalgKernel, multiply_add


def dot_of_pieces(n: Dim, pieces: int, steps: int, k: int, m: int) -> Operation:
    """g[p] = 2 x[:, p]' y[:, p], with x [n, pieces, steps, k] and y [n, pieces, steps, m]."""
    f = LinalgKernel("dot_of_pieces", [((n, pieces, steps, k), t.f32), ((n, pieces, steps, m), t.f32)])
    maps = [dims_map(5, (3, 0, 4, 1)), dims_map(5, (3, 0, 4, 2)), dims_map(5, (0, 1, 2))]
    (g,) = f.generic(f.inputs, [f.fill((pieces, k, m), 0.25)], maps, "ppprr", multiply_add)
    same = [dims_map(3, (0, 1, 2))] * 2
    return f.ret(*f.generic([g], [f.empty((pieces, k, m))], same, "ppp", lambda b, x, _: b.add(x, x)))
