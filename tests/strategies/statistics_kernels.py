"""Products whose results are summed up over the positions of each image."""

from __future__ import annotations

from kcompile.dialects.upstream import tensor
from kcompile.ir import types as t
from kcompile.ir.affine import dims_map
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim
from tests.strategies.linalg_kernels import LinalgKernel, multiply_add


def product_statistics(n: Dim, h: int, w: int, k: int, c: int, panels: int = 0, beside: bool = False) -> Operation:
    """y = x @ w + bias for images [n, h, w, k], and its sums: of y - bias, halved, and of y (y - bias).

    panels: w is in so many panels.  beside: y is at least another tensor, and the second sum is of y times it.
    """
    made = (n, h, w, panels, c // panels) if panels else (n, h, w, c)
    weights = (panels, k, c // panels) if panels else (k, c)
    kinds = [((n, h, w, k), t.f32), (weights, t.f32), ((c,), t.f32), ((n, h, w, c), t.f32)]
    f = LinalgKernel("product_statistics", kinds if beside else kinds[:3])
    f.function["kernel.root"] = "graph.dot_general"
    x, weight, bias, *rest = f.inputs
    rank = len(made)
    axes = (3, rank, 4) if panels else (rank, 3)
    maps = [dims_map(rank + 1, (0, 1, 2, rank)), dims_map(rank + 1, axes), dims_map(rank + 1, tuple(range(rank)))]
    (z,) = f.generic([x, weight], [f.fill(made, 0.0)], maps, "p" * rank + "r", multiply_add)
    if panels:
        z = tensor.reshape(f.b, z, (n, h, w, c))
    identity, channel, pixel = dims_map(4, (0, 1, 2, 3)), dims_map(4, (3,)), dims_map(4, (0, 2, 3, 1))
    others, at = [identity] * len(rest), [pixel] * len(rest)
    (y,) = f.generic([z, bias, *rest], [f.empty((n, h, w, c))], [identity, channel, *others, identity], "pppp",
                     lambda b, v, s, *m: b.max(b.add(v, s), m[0]) if beside else b.add(v, s))  # fmt: skip
    sums = [pixel, dims_map(4, (1,)), *at, dims_map(4, (0, 1))]
    (first,) = f.generic([y, bias], [f.fill((n, c), 0.25)], [*sums[:2], sums[-1]], "pprr",
                         lambda b, v, s, a: b.add(a, b.sub(v, s)))  # fmt: skip
    (second,) = f.generic([y, bias, *rest], [f.fill((n, c), 0.0)], sums, "pprr",
                          lambda b, v, s, *m: b.add(m[-1], b.mul(v, m[0] if beside else b.sub(v, s))))  # fmt: skip
    (half,) = f.generic([first], [f.empty((n, c))], [dims_map(2, (0, 1))] * 2, "pp", lambda b, a, _: b.mul(a, 0.5))
    return f.ret(half, y, second)
