"""Kernels at the linalg level, written by hand: what the strategies are tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap, affine_map, constant_expr, dim_expr, dims_map, expr
from kcompile.ir.attributes import AffineMapAttr, ArrayAttr, IntArrayAttr, OpaqueAttr
from kcompile.ir.builder import new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim, symbol
from kcompile.ir.types import FunctionType, TensorType, Type

BATCH = symbol("b")
Body = Callable[..., Value | list[Value]]


class LinalgKernel:
    """A kernel function being written."""

    def __init__(self, name: str, inputs: Sequence[tuple[tuple[Dim, ...], Type]]):
        self.module = new_module()
        self.block = Block([TensorType(shape, element) for shape, element in inputs])
        self.function = Operation("func.func", (), (), {}, [Region([self.block])])
        self.function["sym_name"] = name
        self.function["kernel.root"] = "test"
        self.module.body.append(self.function)
        self.b = LoopBuilder(self.block)

    @property
    def inputs(self) -> list[Value]:
        return self.block.arguments

    def empty(self, shape: tuple[Dim, ...], element: Type = t.f32) -> Value:
        return self.b.create("tensor.empty", (), None, [TensorType(shape, element)]).result

    def fill(self, shape: tuple[Dim, ...], value: float | int, element: Type = t.f32) -> Value:
        into = self.empty(shape, element)
        body = Block([element, element])
        with self.b.at(body):
            self.b.create("linalg.yield", [body.arguments[0]], None, ())
        attrs = {"operandSegmentSizes": IntArrayAttr((1, 1), t.i32)}
        filler = self.b.constant(value, element)
        return self.b.create("linalg.fill", [filler, into], attrs, [into.type], [Region([body])]).result

    def generic(
        self, inputs: Sequence[Value], inits: Sequence[Value], maps: Sequence[AffineMap], iterators: str, body: Body
    ) -> list[Value]:
        """`iterators` has a letter a dim: p(arallel) or r(eduction)."""
        block = Block([t.element_of(v.type) for v in (*inputs, *inits)])
        with self.b.at(block):
            made = body(self.b, *block.arguments)
            self.b.create("linalg.yield", made if isinstance(made, list) else [made], None, ())
        kinds = {"p": "parallel", "r": "reduction"}
        attrs = {
            "indexing_maps": ArrayAttr(tuple(AffineMapAttr(m) for m in maps)),
            "iterator_types": ArrayAttr(tuple(OpaqueAttr(f"#linalg.iterator_type<{kinds[i]}>") for i in iterators)),
            "operandSegmentSizes": IntArrayAttr((len(inputs), len(inits)), t.i32),
        }
        op = self.b.create("linalg.generic", [*inputs, *inits], attrs, [v.type for v in inits], [Region([block])])
        return op.results

    def ret(self, *values: Value) -> Operation:
        self.b.create("func.return", values, None, ())
        types = tuple(a.type for a in self.block.arguments), tuple(v.type for v in values)
        self.function["function_type"] = FunctionType(*types)
        return self.module


def multiply_add(b: LoopBuilder, x: Value, y: Value, total: Value) -> Value:
    return b.add(total, b.mul(x, y))


def dense(m: Dim, k: int, n: int, transposed: bool = False, epilogue: bool = True, dear: bool = False) -> Operation:
    """relu(x @ w + bias), with w [k, n], or [n, k] transposed; `dear`: the exponential of its negative in its place."""
    f = LinalgKernel("dense", [((m, k), t.f32), ((n, k) if transposed else (k, n), t.f32), ((n,), t.f32)])
    x, w, bias = f.inputs
    maps = [dims_map(3, (0, 2)), dims_map(3, (1, 2) if transposed else (2, 1)), dims_map(3, (0, 1))]
    (total,) = f.generic([x, w], [f.fill((m, n), 0.0)], maps, "ppr", multiply_add)
    if not epilogue:
        return f.ret(total)
    maps = [dims_map(2, (0, 1)), dims_map(2, (1,)), dims_map(2, (0, 1))]
    bent: Body = lambda b, x: b.exp(b.neg(b.abs(x))) if dear else b.max(x, 0.0)
    (y,) = f.generic([total, bias], [f.empty((m, n))], maps, "pp", lambda b, a, c, _: bent(b, b.add(a, c)))
    return f.ret(y, total)


def gates(m: Dim, k: int, parts: int, n: int, dear: bool = False) -> Operation:
    """p0 * p1 + p2 .. of the parts p of x @ w, side by side, and the product alone: a recurrent cell in small."""
    f = LinalgKernel("gates", [((m, k), t.f32), ((k, parts, n), t.f32), ((n,), t.f32)])
    x, w, bias = f.inputs
    maps = [dims_map(4, (0, 3)), dims_map(4, (3, 1, 2)), dims_map(4, (0, 1, 2))]
    (z,) = f.generic([x, w], [f.fill((m, parts, n), 0.0)], maps, "pppr", multiply_add)

    def body(b: LoopBuilder, c: Value, *rest: Value) -> list[Value]:
        total = b.add(b.mul(rest[0], rest[1]), c)
        for part in rest[2:parts]:
            total = b.sub(total, part)
        return [b.exp(b.neg(b.abs(total))) if dear else total, b.mul(rest[0], c)]

    at = [affine_map(2, [dim_expr(0), constant_expr(p), dim_expr(1)]) for p in range(parts)]
    maps = [dims_map(2, (1,)), *at, *[dims_map(2, (0, 1))] * 2]
    return f.ret(*f.generic([bias, *[z] * parts], [f.empty((m, n)), f.empty((m, n))], maps, "pp", body))


def panels(m: Dim, k: int, count: int, n: int, parts: int = 1) -> Operation:
    """x @ w with w in `count` panels [k, n] one after the other, plus a bias; in `parts`, one of panels each."""
    from kcompile.dialects.upstream import tensor

    f = LinalgKernel("panels", [((m, k), t.f32), ((parts, count, k, n), t.f32), ((count * n,), t.f32)])
    x, w, bias = f.inputs
    maps = [dims_map(5, (0, 4)), dims_map(5, (1, 2, 4, 3)), dims_map(5, (0, 1, 2, 3))]
    (z,) = f.generic([x, w], [f.fill((m, parts, count, n), 0.0)], maps, "ppppr", multiply_add)
    whole = tensor.reshape(f.b, z, (m, parts, count * n))
    at = [affine_map(2, [dim_expr(0), constant_expr(p), dim_expr(1)]) for p in range(parts)]
    maps = [dims_map(2, (1,)), *at, dims_map(2, (0, 1))]

    def body(b: LoopBuilder, c: Value, *rest: Value) -> Value:
        for part in rest[:parts]:
            c = b.add(b.mul(c, 0.5), part)
        return c

    return f.ret(*f.generic([bias, *[whole] * parts], [f.empty((m, count * n))], maps, "pp", body))


def update(m: Dim, k: int, n: int) -> Operation:
    """w - 0.5 * x^T @ dy, w being [k, n]: a step of an optimizer, or a residual."""
    f = LinalgKernel("update", [((m, k), t.f32), ((m, n), t.f32), ((k, n), t.f32)])
    maps, same = [dims_map(3, at) for at in ((2, 0), (2, 1), (0, 1))], [dims_map(2, (0, 1))] * 3
    (slope,) = f.generic(f.inputs[:2], [f.fill((k, n), 0.0)], maps, "ppr", multiply_add)
    step: Body = lambda b, old, d, _: b.sub(old, b.mul(d, 0.5))
    return f.ret(*f.generic([f.inputs[2], slope], [f.empty((k, n))], same, "pp", step))


def added_products(m: Dim, steps: Sequence[int], n: int, panels: int = 0, turned: bool = False) -> Operation:
    """old + (x @ w + y @ v + ..), each product going on from the sums of the one before.

    panels: so many of n columns make up the weights; turned: the left operands have the sum first.
    """
    from kcompile.dialects.upstream import tensor

    whole = (m, panels * n) if panels else (m, n)
    lefts = [((k, m) if turned else (m, k), t.f32) for k in steps]
    rights = [((panels, k, n) if panels else (k, n), t.f32) for k in steps]
    f = LinalgKernel("added_products", [*lefts, *rights, (whole, t.f32)])
    shape = (m, panels, n) if panels else (m, n)
    dims = len(shape)
    at = [(dims, 0) if turned else (0, dims), (1, dims, 2) if panels else (dims, 1), tuple(range(dims))]
    maps = [dims_map(dims + 1, places) for places in at]
    total = f.fill(shape, 0.0)
    for x, w in zip(f.inputs, f.inputs[len(steps) : -1], strict=False):
        (total,) = f.generic([x, w], [total], maps, "p" * dims + "r", multiply_add)
    if panels:
        total = tensor.reshape(f.b, total, whole)
    join: Body = lambda b, old, x, _: b.add(old, x)
    return f.ret(*f.generic([f.inputs[-1], total], [f.empty(whole)], [dims_map(2, (0, 1))] * 3, "pp", join))


def column_sums(n: Dim, h: int, w: int, c: int, wide: str = "") -> Operation:
    """Sums of y = x * s and of y * x over the pixels, the first halved.

    wide: "y" is a result, too, or "padded"; it is one of an x with its pixels first with "turned".
    """
    from kcompile.dialects.upstream import tensor

    turned = wide == "turned"
    f = LinalgKernel("column_sums", [((h, w, n, c) if turned else (n, h, w, c), t.f32), ((c,), t.f32)])
    f.function["kernel.root"] = "column_sums"
    x, scale = f.inputs
    identity, channel = dims_map(4, (0, 1, 2, 3)), dims_map(4, (3,))
    of_x = dims_map(4, (1, 2, 0, 3)) if turned else identity
    (y,) = f.generic([x, scale], [f.empty((n, h, w, c))], [of_x, channel, identity], "pppp",
                     lambda b, v, s, _: b.mul(v, s))  # fmt: skip
    pixel, out = dims_map(4, (0, 2, 3, 1)), dims_map(4, (0, 1))
    at_x = dims_map(4, (2, 3, 0, 1)) if turned else pixel
    start = f.fill((n, c), 0.25)
    (first,) = f.generic([x, scale], [start], [at_x, dims_map(4, (1,)), out], "pprr",
                         lambda b, v, s, a: b.add(a, b.mul(v, s)))  # fmt: skip
    (second,) = f.generic([y, x], [f.fill((n, c), 0.0)], [pixel, at_x, out], "pprr",
                          lambda b, v, u, a: b.add(a, b.mul(v, u)))  # fmt: skip
    (half,) = f.generic([first], [f.empty((n, c))], [dims_map(2, (0, 1))] * 2, "pp", lambda b, a, _: b.mul(a, 0.5))
    if wide == "padded":
        return f.ret(tensor.pad(f.b, y, f.b.constant(0.0, t.f32), (0, 1, 0, 0), (0, 0, 2, 0)), half)
    return f.ret(half, y, second) if wide else f.ret(half, second)


def dot_of_rows(m: Dim, k: int, n: int) -> Operation:
    """w - 0.5 * (x' @ y), with x [m, k], y [m, n]: the gradient of a dense layer, and its update."""
    f = LinalgKernel("dot_of_rows", [((m, k), t.f32), ((m, n), t.f32), ((k, n), t.f32)])
    x, y, w = f.inputs
    maps = [dims_map(3, (2, 0)), dims_map(3, (2, 1)), dims_map(3, (0, 1))]
    (g,) = f.generic([x, y], [f.fill((k, n), 0.0)], maps, "ppr", multiply_add)
    update = f.generic(
        [w, g], [f.empty((k, n))], [dims_map(2, (0, 1))] * 3, "pp", lambda b, v, d, _: b.sub(v, b.mul(d, 0.5))
    )
    return f.ret(*update)


def pooling(n: Dim, h: int, w: int, c: int, k: int, stride: int, kind: str) -> Operation:
    oh, ow = (h - k) // stride + 1, (w - k) // stride + 1
    f = LinalgKernel("pooling", [((n, h, w, c), t.f32)])
    at = [dim_expr(0), expr({1: stride, 4: 1}), expr({2: stride, 5: 1}), dim_expr(3)]
    maps = [affine_map(6, at), dims_map(6, (4, 5)), dims_map(6, (0, 1, 2, 3))]
    start = float("-inf") if kind == "max" else 0.0
    body: Body = (lambda b, x, _, a: b.max(a, x)) if kind == "max" else (lambda b, x, _, a: b.add(a, x))
    return f.ret(*f.generic([*f.inputs, f.empty((k, k))], [f.fill((n, oh, ow, c), start)], maps, "pppprr", body))


def column_sum(n: Dim, c: int) -> Operation:
    f = LinalgKernel("column_sum", [((n, c), t.f32)])
    maps = [dims_map(2, (1, 0)), dims_map(2, (0,))]
    return f.ret(*f.generic(f.inputs, [f.fill((c,), 0.0)], maps, "pr", lambda b, x, a: b.add(a, x)))


def row_reduction(n: Dim, c: Dim, kind: str) -> Operation:
    """Sum of squares, or the greatest, of every row."""
    f = LinalgKernel("row_reduction", [((n, c), t.f32)])
    maps = [dims_map(2, (0, 1)), dims_map(2, (0,))]
    start = float("-inf") if kind == "max" else 0.0
    body: Body = (lambda b, x, a: b.max(a, x)) if kind == "max" else (lambda b, x, a: b.add(a, b.mul(x, x)))
    return f.ret(*f.generic(f.inputs, [f.fill((n,), start)], maps, "pr", body))


def exponentials(*shape: Dim) -> Operation:
    """The exponential of the negative of |x|, and whether x is positive."""
    f = LinalgKernel("exponentials", [(shape, t.f32)])
    maps = [dims_map(len(shape), tuple(range(len(shape))))] * 3
    into = [f.empty(shape), f.empty(shape, t.i1)]
    body: Body = lambda b, x, *_: [b.exp(b.neg(b.abs(x))), b.cmp("gt", x, 0.0)]
    return f.ret(*f.generic(f.inputs, into, maps, "p" * len(shape), body))


def softmax(n: Dim, c: int) -> Operation:
    f = LinalgKernel("softmax", [((n, c), t.f32)])
    (x,) = f.inputs
    row, full = dims_map(2, (0,)), dims_map(2, (0, 1))
    (top,) = f.generic([x], [f.fill((n,), float("-inf"))], [full, row], "pr", lambda b, x, a: b.max(a, x))
    (e,) = f.generic([x, top], [f.empty((n, c))], [full, row, full], "pp", lambda b, x, m, _: b.exp(b.sub(x, m)))
    (s,) = f.generic([e], [f.fill((n,), 0.0)], [full, row], "pr", lambda b, x, a: b.add(a, x))
    return f.ret(*f.generic([e, s], [f.empty((n, c))], [full, row, full], "pp", lambda b, e, s, _: b.div(e, s)))


def scaled_softmax(n: Dim, c: int) -> Operation:
    """Softmax of x * scale, where scale is a tensor of one element, which is read at a fixed place."""
    f = LinalgKernel("scaled_softmax", [((n, c), t.f32), ((1,), t.f32)])
    x, scale = f.inputs
    row, full, first = dims_map(2, (0,)), dims_map(2, (0, 1)), affine_map(2, [constant_expr(0)])
    (y,) = f.generic([x, scale], [f.empty((n, c))], [full, first, full], "pp", lambda b, x, s, _: b.mul(x, s))
    (top,) = f.generic([y], [f.fill((n,), float("-inf"))], [full, row], "pr", lambda b, x, a: b.max(a, x))
    (e,) = f.generic([y, top], [f.empty((n, c))], [full, row, full], "pp", lambda b, x, m, _: b.exp(b.sub(x, m)))
    (s,) = f.generic([e], [f.fill((n,), 0.0)], [full, row], "pr", lambda b, x, a: b.add(a, x))
    return f.ret(*f.generic([e, s], [f.empty((n, c))], [full, row, full], "pp", lambda b, e, s, _: b.div(e, s)))


def attention(
    n: Dim, t_: int, s_: int, h: int, d: int, v: int, masked: bool = False, turned: bool = False
) -> Operation:
    """softmax(q k^T / 2) v for heads; q [n, t, h, d], k [n, s, h, d] (turned: [n, h, d, s]), v [n, s, h, v], mask
    [n, t, s]; the result is [n, t, h, v], or turned [n, h, t, v]."""
    keys = (n, h, d, s_) if turned else (n, s_, h, d)
    f = LinalgKernel("attention", [((n, t_, h, d), t.f32), (keys, t.f32), ((n, s_, h, v), t.f32), ((n, t_, s_), t.i1)])
    q, k, values, mask = f.inputs
    full, row, place = dims_map(4, (0, 1, 2, 3)), dims_map(4, (0, 1, 2)), dims_map(4, (0, 2, 3))
    five, out = dims_map(5, (0, 1, 2, 3)), (n, h, t_, s_)
    maps = [dims_map(5, (0, 2, 1, 4)), dims_map(5, (0, 1, 4, 3) if turned else (0, 3, 1, 4)), five]
    (scores,) = f.generic([q, k], [f.fill(out, 0.0)], maps, "ppppr", multiply_add)

    def seen(b: LoopBuilder, x: Value, m: Value) -> Value:
        half = b.mul(x, b.constant(0.5, t.f32))
        return b.select(m, half, b.constant(-1e9, t.f32)) if masked else half

    top_body: Body = lambda b, x, m, a: b.max(a, seen(b, x, m))
    (top,) = f.generic([scores, mask], [f.fill(out[:3], float("-inf"))], [full, place, row], "pppr", top_body)
    grown: Body = lambda b, x, m, a, _: b.exp(b.sub(seen(b, x, m), a))
    (e,) = f.generic([scores, mask, top], [f.empty(out)], [full, place, row, full], "pppp", grown)
    (total,) = f.generic([e], [f.fill(out[:3], 0.0)], [full, row], "pppr", lambda b, x, a: b.add(a, x))
    share: Body = lambda b, e, s, _: b.div(e, s)
    (weights,) = f.generic([e, total], [f.empty(out)], [full, row, full], "pppp", share)
    maps = [dims_map(5, (0, 1, 2, 4)), dims_map(5, (0, 4, 1, 3)), five]
    (made,) = f.generic([weights, values], [f.fill((n, h, t_, v), 0.0)], maps, "ppppr", multiply_add)
    if turned:
        return f.ret(made)
    empty = f.empty((n, t_, h, v))
    return f.ret(*f.generic([made], [empty], [dims_map(4, (0, 2, 1, 3)), full], "pppp", lambda b, x, _: x))


def attention_gradient(n: Dim, t_: int, s_: int, h: int, d: int, v: int, wanted: str = "qkv") -> Operation:
    """What softmax(q k^T / 2) v gives back to q, k and v for dy; q [n, t, h, d], k [n, s, h, d], v [n, s, h, v],
    dy [n, t, h, v]; `wanted`: which of the three."""
    shapes = [(n, t_, h, d), (n, s_, h, d), (n, s_, h, v), (n, t_, h, v)]
    f = LinalgKernel("attention_gradient", [(s, t.f32) for s in shapes])
    f.function["kernel.root"] = "attention"
    q, k, values, dy = f.inputs
    full, row, five = dims_map(4, (0, 1, 2, 3)), dims_map(4, (0, 1, 2)), dims_map(5, (0, 1, 2, 3))
    out = (n, h, t_, s_)
    maps = [dims_map(5, (0, 2, 1, 4)), dims_map(5, (0, 3, 1, 4)), five]
    (scores,) = f.generic([q, k], [f.fill(out, 0.0)], maps, "ppppr", multiply_add)
    halved: Body = lambda b, x, a: b.max(a, b.mul(x, 0.5))
    (top,) = f.generic([scores], [f.fill(out[:3], float("-inf"))], [full, row], "pppr", halved)
    grown: Body = lambda b, x, a, _: b.exp(b.sub(b.mul(x, 0.5), a))
    (e,) = f.generic([scores, top], [f.empty(out)], [full, row, full], "pppp", grown)
    (total,) = f.generic([e], [f.fill(out[:3], 0.0)], [full, row], "pppr", lambda b, x, a: b.add(a, x))
    share: Body = lambda b, e, s, _: b.mul(e, b.div(b.constant(1.0, t.f32), s))
    (weights,) = f.generic([e, total], [f.empty(out)], [full, row, full], "pppp", share)
    left, turned, back = weights, dims_map(5, (0, 1, 4, 2)), dims_map(5, (0, 4, 1, 3))
    sums = {}
    if wanted != "v":
        (given,) = f.generic([dy, values], [f.fill(out, 0.0)], maps, "ppppr", multiply_add)
        joined: Body = lambda b, g, p, a: b.add(a, b.mul(g, p))
        (mean,) = f.generic([given, weights], [f.fill(out[:3], 0.0)], [full, full, row], "pppr", joined)
        bent: Body = lambda b, g, m, p, _: b.mul(b.mul(b.sub(g, m), p), 0.5)
        (left,) = f.generic([given, mean, weights], [f.empty(out)], [full, row, full, full], "pppp", bent)
    for name, rows, right, at, size in (
        ("q", left, k, dims_map(5, (0, 1, 2, 4)), (n, h, t_, d)),
        ("k", left, q, turned, (n, h, s_, d)),
        ("v", weights, dy, turned, (n, h, s_, v)),
    ):
        if name in wanted:
            (sums[name],) = f.generic([rows, right], [f.fill(size, 0.0)], [at, back, five], "ppppr", multiply_add)
    results = []
    for made in sums.values():
        size = made.type.shape  # type: ignore[attr-defined]
        empty = f.empty((size[0], size[2], size[1], size[3]))
        results += f.generic([made], [empty], [dims_map(4, (0, 2, 1, 3)), full], "pppp", lambda b, x, _: x)
    return f.ret(*results)


def open_scores(m: Dim, n: Dim, h: int, k: int) -> Operation:
    """x y^T / 2 + bias for heads, and the product alone; x [m, h, k], y [n, h, k], bias [n]; results are [h, m, n]."""
    f = LinalgKernel("open_scores", [((m, h, k), t.f32), ((n, h, k), t.f32), ((n,), t.f32)])
    x, y, bias = f.inputs
    full = dims_map(3, (0, 1, 2))
    maps = [dims_map(4, (1, 0, 3)), dims_map(4, (2, 0, 3)), dims_map(4, (0, 1, 2))]
    (made,) = f.generic([x, y], [f.fill((h, m, n), 0.25)], maps, "pppr", multiply_add)
    body: Body = lambda b, a, c, _: b.add(b.mul(a, 0.5), c)
    return f.ret(*f.generic([made, bias], [f.empty((h, m, n))], [full, dims_map(3, (2,)), full], "ppp", body), made)


def argmax(n: Dim, c: int) -> Operation:
    f = LinalgKernel("argmax", [((n, c), t.f32)])
    row = dims_map(2, (0,))

    def body(b: LoopBuilder, x: Value, best: Value, place: Value) -> list[Value]:
        here = b.cast(b.create("linalg.index", (), {"dim": 1}).result, t.i32)
        better = b.cmp("gt", x, best)
        return [b.select(better, x, best), b.select(better, here, place)]

    inits = [f.fill((n,), float("-inf")), f.fill((n,), 0, t.i32)]
    return f.ret(f.generic(f.inputs, inits, [dims_map(2, (0, 1)), row, row], "pr", body)[1])


def scale_and_compare(n: Dim, h: int, c: int) -> Operation:
    """Two results, one of them i1, and an operand that has only the last axis."""
    f = LinalgKernel("scale_and_compare", [((n, h, c), t.f32), ((c,), t.f32)])
    full = dims_map(3, (0, 1, 2))
    inits = [f.empty((n, h, c)), f.empty((n, h, c), t.i1)]
    body: Body = lambda b, x, y, *_: [b.mul(x, y), b.cmp("gt", x, y)]
    return f.ret(*f.generic(f.inputs, inits, [full, dims_map(3, (2,)), full, full], "ppp", body))


def scale_rows(n: Dim, h: int, w: int, c: int) -> Operation:
    f = LinalgKernel("scale_rows", [((n, h, w, c), t.f32), ((c,), t.f32)])
    full = dims_map(4, (0, 1, 2, 3))
    inits = [f.empty((n, h, w, c))]
    return f.ret(*f.generic(f.inputs, inits, [full, dims_map(4, (3,)), full], "pppp", lambda b, x, y, _: b.mul(x, y)))


def transpose(rows: int, columns: int) -> Operation:
    f = LinalgKernel("transpose", [((rows, columns), t.f32)])
    maps = [dims_map(2, (1, 0)), dims_map(2, (0, 1))]
    return f.ret(*f.generic(f.inputs, [f.empty((columns, rows))], maps, "pp", lambda b, x, _: x))


def transpose_inside(n: Dim, rows: int, columns: int) -> Operation:
    """Two inner axes swapped, one of them reversed, and doubled."""
    f = LinalgKernel("transpose_inside", [((n, rows, columns), t.f32)])
    maps = [affine_map(3, [dim_expr(0), expr({2: -1}, rows - 1), dim_expr(1)]), dims_map(3, (0, 1, 2))]
    return f.ret(*f.generic(f.inputs, [f.empty((n, columns, rows))], maps, "ppp", lambda b, x, _: b.add(x, x)))


def reverse(rows: int, columns: int) -> Operation:
    f = LinalgKernel("reverse", [((rows, columns), t.f32)])
    maps = [affine_map(2, [expr({0: -1}, rows - 1), expr({1: -1}, columns - 1)]), dims_map(2, (0, 1))]
    return f.ret(*f.generic(f.inputs, [f.empty((rows, columns))], maps, "pp", lambda b, x, _: b.add(x, 1.0)))


def pad(n: Dim, h: int, c: int, low: tuple[int, int, int], high: tuple[int, int, int]) -> Operation:
    from kcompile.dialects.upstream import tensor

    f = LinalgKernel("pad", [((n, h, c), t.f32)])
    return f.ret(tensor.pad(f.b, f.inputs[0], f.b.constant(2.0, t.f32), low, high))


def bordered(module: Operation, low: Sequence[int], high: Sequence[int], keep: bool = False) -> Operation:
    """The kernel of `module` with a border around its first result; `keep`: its results as they are besides."""
    from kcompile.dialects.upstream import tensor

    (function,) = [op for op in module.body.ops if op.name == "func.func"]
    end = function.body.terminator
    results = end.operands
    b = LoopBuilder(function.body, end)
    padded = tensor.pad(b, results[0], b.constant(2.0, t.element_of(results[0].type)), low, high)
    end.set_operands([padded, *results] if keep else [padded, *results[1:]])
    kind = function["function_type"]
    function["function_type"] = FunctionType(kind.inputs, tuple(v.type for v in end.operands))
    return module


def interior_pad(n: Dim, h: int, c: int, step: int) -> Operation:
    """Zeros between the elements of axis 1."""
    from kcompile.dialects.upstream import tensor

    f = LinalgKernel("interior_pad", [((n, h, c), t.f32)])
    into = f.fill((n, (h - 1) * step + 3, c), 0.0)
    return f.ret(tensor.insert_slice(f.b, f.inputs[0], into, (0, 1, 0), (1, step, 1)))


def concatenate(n: Dim, widths: Sequence[int], axis: int) -> Operation:
    from kcompile.dialects.upstream import tensor

    shapes = [(n, 3, w) if axis == 2 else (n, w, 3) for w in widths]
    f = LinalgKernel("concatenate", [(s, t.f32) for s in shapes])
    return f.ret(tensor.concat(f.b, f.inputs, axis))


def max_pool_gradient(n: Dim, h: int, c: int, k: int, stride: int, low: int, high: int) -> Operation:
    o = (h + low + high - k) // stride + 1
    f = LinalgKernel("max_pool_gradient", [((n, h, h, c), t.f32), ((n, o, o, c), t.f32)])
    attrs = {
        "window": (1, k, k, 1),
        "strides": (1, stride, stride, 1),
        "padding_low": (0, low, low, 0),
        "padding_high": (0, high, high, 0),
        "kind": "max",
    }
    return f.ret(f.b.create("graph.reduce_window_grad", f.inputs, attrs, [f.inputs[0].type]).result)
