"""Recurrent cells at the linalg level, whose epilogues have functions of functions."""

from __future__ import annotations

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, constant_expr, dim_expr, dims_map, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from tests.strategies.linalg_kernels import LinalgKernel, multiply_add


def cell(m: Dim, k: int, n: int, sequence: bool = False) -> Operation:
    """Of the parts p of x @ w: f(p3) * tanh(c'), c' = f(p0) * c + f(p1) * tanh(p2), and f(p0), as in an LSTM. To the
    parts of a `sequence`, those of what the step reads are added, side by side in one operand."""
    kinds = [((m, k), t.f32), ((k, 4, n), t.f32), ((m, n), t.f32)]
    f = LinalgKernel("cell", [*kinds, ((m, 4 * n), t.f32)] if sequence else kinds)
    x, w, before, *steps = f.inputs
    maps = [dims_map(4, (0, 3)), dims_map(4, (3, 1, 2)), dims_map(4, (0, 1, 2))]
    (z,) = f.generic([x, w], [f.fill((m, 4, n), 0.0)], maps, "pppr", multiply_add)

    def body(b: LoopBuilder, c: Value, *rest: Value) -> list[Value]:
        if sequence:
            rest = tuple(b.add(p, q) for p, q in zip(rest[:4], rest[4:8], strict=True))
        forget, enter, leave = (b.exp(b.neg(b.abs(p))) for p in (rest[0], rest[1], rest[3]))
        after = b.add(b.mul(forget, c), b.mul(enter, b.tanh(rest[2])))
        return [b.mul(leave, b.tanh(after)), after, forget]

    at = [affine_map(2, [dim_expr(0), constant_expr(p), dim_expr(1)]) for p in range(4)]
    beside = [affine_map(2, [dim_expr(0), expr({1: 1}, p * n)]) for p in range(4 if sequence else 0)]
    maps = [dims_map(2, (0, 1)), *at, *beside, *[dims_map(2, (0, 1))] * 3]
    return f.ret(*f.generic([before, *[z] * 4, *steps * 4], [f.empty((m, n)) for _ in range(3)], maps, "pp", body))
