"""Direct convolutions that are pooled in the same kernel, at the linalg level."""

from __future__ import annotations

from kcompile.dialects.upstream import tensor
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, dim_expr, dims_map, expr
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim
from tests.strategies.linalg_kernels import Body, LinalgKernel, multiply_add

STARTS = {"max": float("-inf"), "add": 0.0, "max of one": 1.0}


def pooled(
    n: Dim,
    h: int,
    w: int,
    ic: int,
    oc: int,
    k: int,
    stride: int = 1,
    window: tuple[int, int] = (2, 2),
    step: int = 2,
    low: int = 0,
    high: int = 0,
    kind: str = "max",
    both: bool = False,
    panel: int = 0,
) -> Operation:
    """relu(x * filter + bias), with `low` and `high` of -inf around it, pooled and halved; `both`: and the relu.

    panel: features of a panel of the filter, 0: all
    """
    oh, ow = (h - k) // stride + 1, (w - k) // stride + 1
    weights = (oc // panel, k, k, ic, panel) if panel else (k, k, ic, oc)
    f = LinalgKernel("pooled", [((n, h, w, ic), t.f32), (weights, t.f32), ((oc,), t.f32)])
    x, filter_, bias = f.inputs
    last = 4 + bool(panel)  # dims before the reduced ones: those of the result
    at = [dim_expr(0), expr({1: stride, last: 1}), expr({2: stride, last + 1: 1}), dim_expr(last + 2)]
    taps = (last, last + 1, last + 2, last - 1)
    rank, out = last + 3, (n, oh, ow, oc // panel, panel) if panel else (n, oh, ow, oc)
    maps = [affine_map(rank, at), dims_map(rank, (3, *taps) if panel else taps), dims_map(rank, range(last))]
    (total,) = f.generic([x, filter_], [f.fill(out, 0.0)], maps, "p" * last + "rrr", multiply_add)
    total = tensor.reshape(f.b, total, (n, oh, ow, oc))
    full = dims_map(4, (0, 1, 2, 3))
    relu: Body = lambda b, a, c, _: b.max(b.add(a, c), 0.0)
    (y,) = f.generic([total, bias], [f.empty((n, oh, ow, oc))], [full, dims_map(4, (3,)), full], "pppp", relu)
    image = y
    if low or high:
        filler = f.b.constant(STARTS["max"] if kind == "max" else 0.0, t.f32)
        image = tensor.pad(f.b, y, filler, (0, low, low, 0), (0, high, high, 0))
    (ph, pw) = ((size + low + high - m) // step + 1 for size, m in zip((oh, ow), window, strict=True))
    under = affine_map(6, [dim_expr(0), expr({1: step, 4: 1}), expr({2: step, 5: 1}), dim_expr(3)])
    maps = [under, dims_map(6, (4, 5)), dims_map(6, (0, 1, 2, 3))]
    start = f.fill((n, ph, pw, oc), STARTS[kind])
    combine: Body = (lambda b, v, _, c: b.add(c, v)) if kind == "add" else (lambda b, v, _, c: b.max(c, v))
    (p,) = f.generic([image, f.empty(window)], [start], maps, "pppprr", combine)
    (z,) = f.generic([p], [f.empty((n, ph, pw, oc))], [full] * 2, "pppp", lambda b, a, _: b.mul(a, 0.5))
    return f.ret(z, y, p) if both else f.ret(z)
