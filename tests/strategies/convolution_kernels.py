"""Convolution kernels at the linalg level, written by hand: what the strategies are tested on."""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, dim_expr, dims_map, expr
from kcompile.ir.core import Operation, Value, find_function, module_functions
from kcompile.ir.dims import Dim
from kcompile.ir.types import FunctionType, TensorType
from tests.strategies.linalg_kernels import LinalgKernel, multiply_add


def convolution(
    n: Dim, h: int, w: int, ic: int, oc: int, k: int, stride: int, dilation: int = 1, sums: bool = False
) -> Operation:
    """relu(x * filter + bias), valid; `sums`: and the sum of it over the positions of each image."""
    oh, ow = (h - dilation * (k - 1) - 1) // stride + 1, (w - dilation * (k - 1) - 1) // stride + 1
    f = LinalgKernel("convolution", [((n, h, w, ic), t.f32), ((k, k, ic, oc), t.f32), ((oc,), t.f32)])
    x, filter_, bias = f.inputs
    at = [dim_expr(0), expr({1: stride, 4: dilation}), expr({2: stride, 5: dilation}), dim_expr(6)]
    maps = [affine_map(7, at), dims_map(7, (4, 5, 6, 3)), dims_map(7, (0, 1, 2, 3))]
    (total,) = f.generic([x, filter_], [f.fill((n, oh, ow, oc), 0.0)], maps, "pppprrr", multiply_add)
    maps = [dims_map(4, (0, 1, 2, 3)), dims_map(4, (3,)), dims_map(4, (0, 1, 2, 3))]
    (y,) = f.generic(
        [total, bias], [f.empty((n, oh, ow, oc))], maps, "pppp", lambda b, a, c, _: b.max(b.add(a, c), 0.0)
    )
    if not sums:
        return f.ret(y)
    at = [dims_map(4, (0, 2, 3, 1)), dims_map(4, (0, 1))]
    return f.ret(y, *f.generic([y], [f.fill((n, oc), 0.0)], at, "pprr", lambda b, v, total: b.add(total, v)))


def phases(n: Dim, h: int, w: int, ic: int, oc: int, k: int, s: int, low: int = 0, last: bool = True) -> Operation:
    """relu(x * filter + bias) over an input dilated by s, features last or first, in the form that lowering makes.

    low: padding before and after each axis; at most what lies over the zeros of the dilation, s - 1.
    """
    from kcompile.dialects.graph import GraphBuilder
    from kcompile.ir.passes import run_pipeline

    x, spec = ((n, h, w, ic), (0, 3, 1, 2)) if last else ((n, ic, h, w), (0, 1, 2, 3))
    b = GraphBuilder.function(
        "main", [TensorType(x, t.f32), TensorType((k, k, ic, oc), t.f32), TensorType((oc,), t.f32)]
    )
    y = b.convolution(
        b.argument(0), b.argument(1), strides=(1, 1), padding_low=(low,) * 2, padding_high=(low,) * 2,
        lhs_dilation=(s, s), rhs_dilation=(1, 1), feature_groups=1, batch_groups=1, lhs_spec=spec,
        rhs_spec=(3, 2, 0, 1), out_spec=spec,
    )  # fmt: skip
    bias = b.broadcast_in_dim(b.argument(2), shape=y.type.shape, dims=(spec[1],))
    b.ret(b.max(b.add(y, bias), 0.0))
    run_pipeline(b.module, "form-kernels,fuse-elementwise,fuse-epilogues,outline-kernels,lower-to-linalg")
    module = b.module
    find_function(module, "main").erase()
    return module


def winograd(
    n: Dim, h: int, w: int, ic: int, oc: int, low: int = 1, high: int = 1, tile: int = 4, long: bool = False
) -> Operation:
    """relu(conv(x, filter) + bias) and a residual, of 3 x 3; `long`: an epilogue that is not unrolled."""
    oh, ow = h + low + high - 2, w + low + high - 2
    kernel = ((tile + 2) ** 2, -(-oc // 16), ic, 16)
    out = (n, oh, ow, oc)
    f = LinalgKernel("winograd", [((n, h, w, ic), t.f32), (kernel, t.f32), ((oc,), t.f32), (out, t.f32)])
    x, filter_, bias, residual = f.inputs
    attributes = {"padding_low": (low, low), "padding_high": (high, high), "features": oc, "tile": tile}
    total = f.b.create("graph.winograd_convolution", [x, filter_], attributes, [TensorType(out, t.f32)]).result
    identity = dims_map(4, (0, 1, 2, 3))

    def epilogue(b: LoopBuilder, a: Value, c: Value, r: Value, _: Value) -> Value:
        made = b.add(b.max(b.add(a, c), 0.0), r)
        return b.tanh(b.tanh(made)) if long else made

    maps = [identity, dims_map(4, (3,)), identity, identity]
    (y,) = f.generic([total, bias, residual], [f.empty(out)], maps, "pppp", epilogue)
    return f.ret(y)


def winograd_pooled(n: Dim, h: int, w: int, ic: int, oc: int, tile: int, kind: str, both: bool) -> Operation:
    """relu of a 3 x 3 convolution, pooled 2 x 2 and halved; `both`: and the relu itself."""
    kernel, out, half = ((tile + 2) ** 2, -(-oc // 16), ic, 16), (n, h, w, oc), (n, h // 2, w // 2, oc)
    f = LinalgKernel("winograd_pooled", [((n, h, w, ic), t.f32), (kernel, t.f32)])
    attributes = {"padding_low": (1, 1), "padding_high": (1, 1), "features": oc, "tile": tile}
    total = f.b.create("graph.winograd_convolution", f.inputs, attributes, [TensorType(out, t.f32)]).result
    identity = dims_map(4, (0, 1, 2, 3))
    (y,) = f.generic([total], [f.empty(out)], [identity] * 2, "pppp", lambda b, a, _: b.max(a, 0.0))
    windows = affine_map(6, [dim_expr(0), expr({1: 2, 4: 1}), expr({2: 2, 5: 1}), dim_expr(3)])
    maps = [windows, dims_map(6, (4, 5)), dims_map(6, (0, 1, 2, 3))]
    start = f.fill(half, 0.0 if kind == "add" else float("-inf"))
    combine = (lambda b, v, _, c: b.add(c, v)) if kind == "add" else (lambda b, v, _, c: b.max(c, v))
    (p,) = f.generic([y, f.empty((2, 2))], [start], maps, "pppprr", combine)
    (z,) = f.generic([p], [f.empty(half)], [identity] * 2, "pppp", lambda b, a, _: b.mul(a, 0.5))
    return f.ret(z, y, p) if both else f.ret(z)


def in_parts(module: Operation, widths: Sequence[int]) -> Operation:
    """A kernel whose first operand is joined of several along its last axis."""
    from kcompile.dialects.upstream import tensor

    (function,) = module_functions(module)
    body, (whole, *others) = function.body, function.body.arguments
    shape = t.shape_of(whole.type)[:-1]
    body.arguments = []
    parts = [body.add_argument(TensorType((*shape, n), t.element_of(whole.type))) for n in widths]
    body.arguments = [*parts, *others]
    for i, argument in enumerate(body.arguments):
        argument.index = i
    assert body.first is not None
    whole.replace_by(tensor.concat(LoopBuilder(body, body.first), parts, len(shape)))
    results = function["function_type"].results
    function["function_type"] = FunctionType(tuple(a.type for a in body.arguments), results)
    return module


def winograd_filter(
    n: Dim, h: int, w: int, ic: int, oc: int, low: int = 1, high: int = 1, tile: int = 4, parts: int = 1
) -> Operation:
    """The gradient by the filter, at the points."""
    f = LinalgKernel(
        "winograd_filter", [((n, h, w, ic), t.f32), ((n, h + low + high - 2, w + low + high - 2, oc), t.f32)]
    )
    attributes = {"padding_low": (low, low), "padding_high": (high, high), "tile": tile, "parts": parts}
    made = TensorType((parts, (tile + 2) ** 2, ic, oc), t.f32)
    return f.ret(f.b.create("graph.winograd_filter_gradient", f.inputs, attributes, [made]).result)


def depthwise(
    n: Dim, h: int, w: int, c: int, k: int, stride: int = 1, dilation: int = 1, epilogue: bool = False
) -> Operation:
    """Each channel under a filter of its own, valid; with `epilogue` max(y + bias, 0) is stored too."""
    oh, ow = (h - dilation * (k - 1) - 1) // stride + 1, (w - dilation * (k - 1) - 1) // stride + 1
    f = LinalgKernel("depthwise", [((n, h, w, c), t.f32), ((k, k, 1, c), t.f32), ((c,), t.f32)])
    x, filter_, bias = f.inputs
    at = [dim_expr(0), expr({1: stride, 4: dilation}), expr({2: stride, 5: dilation}), dim_expr(3)]
    taps = affine_map(6, [dim_expr(4), dim_expr(5), expr({}), dim_expr(3)])
    maps = [affine_map(6, at), taps, dims_map(6, (0, 1, 2, 3))]
    (total,) = f.generic([x, filter_], [f.fill((n, oh, ow, c), 0.0)], maps, "pppprr", multiply_add)
    if not epilogue:
        return f.ret(total)
    maps = [dims_map(4, (0, 1, 2, 3)), dims_map(4, (3,)), dims_map(4, (0, 1, 2, 3))]
    (y,) = f.generic([total, bias], [f.empty((n, oh, ow, c))], maps, "pppp", lambda b, a, c, _: b.max(b.add(a, c), 0.0))
    return f.ret(y, total)


def expanded_depthwise(
    n: Dim, h: int, w: int, i: int, c: int, k: int = 3, stride: int = 1, pad: tuple[int, int] = (1, 1), panel: int = 0
) -> Operation:
    """min(depthwise(pad(max(x . u + bias, 0))), 6), with u [i, c] or in panels, in the form that fusion makes."""
    from kcompile.dialects.graph import GraphBuilder
    from kcompile.ir.passes import run_pipeline

    weights = (c // panel, i, panel) if panel else (i, c)
    arguments = [(n, h, w, i), weights, (c,), (k, k, 1, c)]
    b = GraphBuilder.function("main", [TensorType(shape, t.f32) for shape in arguments])
    x, u, bias, filter_ = (b.argument(j) for j in range(4))
    e = b.dot_general(x, u, lhs_batch=(), rhs_batch=(), lhs_contract=(3,), rhs_contract=(1 if panel else 0,))
    e = b.reshape(e, shape=(n, h, w, c)) if panel else e
    e = b.max(b.add(e, b.broadcast_in_dim(bias, shape=(n, h, w, c), dims=(3,))), 0.0)
    e = b.pad(e, b.constant(0.0, t.f32), low=(0, *pad, 0), high=(0, *pad, 0), interior=(0,) * 4) if any(pad) else e
    y = b.convolution(
        e, filter_, strides=(stride,) * 2, padding_low=(0, 0), padding_high=(0, 0), lhs_dilation=(1, 1),
        rhs_dilation=(1, 1), feature_groups=c, batch_groups=1, lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1),
        out_spec=(0, 3, 1, 2),
    )  # fmt: skip
    b.ret(b.min(y, 6.0))
    module = b.module
    passes = "form-kernels,fuse-elementwise,reshape-epilogues,fuse-epilogues,fuse-pads,fuse-depthwise,outline-kernels"
    run_pipeline(module, f"{passes},lower-to-linalg")
    find_function(module, "main").erase()
    return module


def separable(
    n: Dim,
    h: int,
    w: int,
    c: int,
    o: int,
    i: int = 0,
    k: int = 3,
    stride: int = 1,
    panel: int = 0,
    residual: bool = False,
    activated: bool = True,
    border: bool = False,
    always: bool = True,
) -> Operation:
    """depthwise(e) . u + bias, in the form that fusion makes: e is max(x . v, 0) with zeros around; x without `i`.

    panel: columns of a panel of u, 0: all. residual: x is added. activated: min(., 6) between. border: the result's.
    always: one kernel even where that does not pay.
    """
    from kcompile.dialects.graph import GraphBuilder
    from kcompile.ir.passes import run_pipeline

    weights = (o // panel, c, panel) if panel else (c, o)
    arguments = [(n, h, w, i or c), (i or c, c), (k, k, 1, c), weights, (o,)]
    b = GraphBuilder.function("main", [TensorType(shape, t.f32) for shape in arguments])
    x, v, filter_, u, bias = (b.argument(j) for j in range(5))
    e, low = x, k // 2
    if i:
        e = b.max(b.dot_general(x, v, lhs_batch=(), rhs_batch=(), lhs_contract=(3,), rhs_contract=(0,)), 0.0)
        around = (0, low, low, 0)
        e = b.pad(e, b.constant(0.0, t.f32), low=around, high=around, interior=(0,) * 4)
    d = b.convolution(
        e, filter_, strides=(stride,) * 2, padding_low=(0, 0), padding_high=(0, 0), lhs_dilation=(1, 1),
        rhs_dilation=(1, 1), feature_groups=c, batch_groups=1, lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1),
        out_spec=(0, 3, 1, 2),
    )  # fmt: skip
    d = b.min(d, 6.0) if activated else d
    shape = (*t.shape_of(d.type)[:3], o)
    y = b.dot_general(d, u, lhs_batch=(), rhs_batch=(), lhs_contract=(3,), rhs_contract=(1 if panel else 0,))
    y = b.add(b.reshape(y, shape=shape) if panel else y, b.broadcast_in_dim(bias, shape=shape, dims=(3,)))
    y = b.add(y, x) if residual else y
    if border:
        y = b.pad(y, b.constant(0.0, t.f32), low=(0, 0, 1, 0), high=(0, 1, 1, 0), interior=(0,) * 4)
    b.ret(y)
    module = b.module
    passes = "form-kernels,fuse-elementwise,reshape-epilogues,fuse-epilogues,fuse-pads"
    run_pipeline(module, f"{passes},fuse-depthwise{{always={str(always).lower()}}},outline-kernels,lower-to-linalg")
    find_function(module, "main").erase()
    return module


def depthwise_rows(n: Dim, w: int, c: int, k: int) -> Operation:
    """The same along one axis."""
    f = LinalgKernel("depthwise_rows", [((n, w, c), t.f32), ((k, c), t.f32)])
    maps = [affine_map(4, [dim_expr(0), expr({1: 1, 3: 1}), dim_expr(2)]), dims_map(4, (3, 2)), dims_map(4, (0, 1, 2))]
    return f.ret(*f.generic(f.inputs, [f.fill((n, w - k + 1, c), 0.0)], maps, "pppr", multiply_add))


def filter_gradient(n: Dim, h: int, w: int, ic: int, oc: int, k: int) -> Operation:
    oh, ow = h - k + 1, w - k + 1
    f = LinalgKernel("filter_gradient", [((n, h, w, ic), t.f32), ((n, oh, ow, oc), t.f32)])
    at = [dim_expr(6), expr({0: 1, 4: 1}), expr({1: 1, 5: 1}), dim_expr(2)]
    maps = [affine_map(7, at), dims_map(7, (6, 4, 5, 3)), dims_map(7, (0, 1, 2, 3))]
    return f.ret(*f.generic(f.inputs, [f.fill((k, k, ic, oc), 0.0)], maps, "pppprrr", multiply_add))


def narrow_convolution(n: Dim, h: int, w: int, ic: int, oc: int, k: int) -> Operation:
    """tanh(x * filter + bias), valid, with the filter [oc, k, k, ic]: sums along the inputs."""
    out = (n, h - k + 1, w - k + 1, oc)
    f = LinalgKernel("narrow_convolution", [((n, h, w, ic), t.f32), ((oc, k, k, ic), t.f32), ((oc,), t.f32)])
    x, filter_, bias = f.inputs
    at = [dim_expr(0), expr({1: 1, 4: 1}), expr({2: 1, 5: 1}), dim_expr(6)]
    maps = [affine_map(7, at), dims_map(7, (3, 4, 5, 6)), dims_map(7, (0, 1, 2, 3))]
    (total,) = f.generic([x, filter_], [f.fill(out, 0.5)], maps, "pppprrr", multiply_add)
    maps = [dims_map(4, (0, 1, 2, 3)), dims_map(4, (3,)), dims_map(4, (0, 1, 2, 3))]
    (y,) = f.generic([total, bias], [f.empty(out)], maps, "pppp", lambda b, a, c, _: b.tanh(b.add(a, c)))
    return f.ret(y, total)
