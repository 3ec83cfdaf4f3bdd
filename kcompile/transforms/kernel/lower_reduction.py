"""reduce, arg_reduce and reduce_window as a linalg.generic. Dims: those of the result, then the reduced ones.

A reduce computes its elementwise producers in its own body. A window gets, as linalg.pooling does, an operand of the
window's shape that is never read and says how long the window's dims are.
"""

from __future__ import annotations

from collections.abc import Callable

from kcompile.dialects.graph.reduction import identity
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, dim_expr, dims_map, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import Type
from kcompile.transforms.kernel.kernel_lowering import KernelLowering, accumulator, transposed_map
from kcompile.transforms.kernel.kinds import CONTRACTIONS, tensor_type
from kcompile.transforms.kernel.point_body import signless


def combiner(kind: str, unsigned: bool) -> Callable[[LoopBuilder, Value, Value], Value]:
    """The scalar operation of a reduction kind."""
    return {
        "add": lambda b, x, y: b.add(x, y),
        "mul": lambda b, x, y: b.mul(x, y),
        "max": lambda b, x, y: b.max(x, y, unsigned=unsigned),
        "min": lambda b, x, y: b.min(x, y, unsigned=unsigned),
        "and": lambda b, x, y: b.and_(x, y),
        "or": lambda b, x, y: b.or_(x, y),
    }[kind]


def start(kind: str, element: Type) -> tuple[float | int | bool, Type]:
    """What changes nothing when combined, and the type that accumulates."""
    number = identity(kind, element)
    made = accumulator(element) if kind in ("add", "mul") else signless(element)
    if isinstance(made, t.IntegerType) and made is not t.i1 and number >= 2 ** (made.width - 1):
        number -= 2**made.width  # the same bits, signless
    return number, made


def lower_reduce(kernel: KernelLowering, op: Operation) -> None:
    x = tensor_type(op.operands[0])
    axes, kind = tuple(op["axes"]), op["kind"]
    kept = [i for i in range(x.rank) if i not in axes]
    combine = combiner(kind, t.is_unsigned(x))
    if not axes:
        kernel.stored[op.result] = kernel.tensor(op.operands[0])
        return

    def body(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
        (total,) = accumulators
        return [combine(b, total, b.cast(xs[0], total.type))]

    if kernel.function.get("kernel.root") in CONTRACTIONS:
        kernel.store_results(x.shape)  # what the sums read is what is stored: no epilogue is done twice
    map_ = transposed_map(x.rank, [*kept, *axes])
    shape = tensor_type(op.result).shape
    reductions = [x.shape[a] for a in axes]
    (made,) = kernel.reduce(
        op.result, [(op.operands[0], map_)], shape, reductions, [start(kind, x.element)], body, inline=True
    )
    kernel.stored[op.result] = made


def lower_arg_reduce(kernel: KernelLowering, op: Operation) -> None:
    x = tensor_type(op.operands[0])
    axis, kind, dtype = op["axis"], op["kind"], op["dtype"] if "dtype" in op.attributes else t.i32
    kept = [i for i in range(x.rank) if i != axis]
    best, element = start(kind, x.element)
    unsigned = t.is_unsigned(x)

    def body(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
        value, at = accumulators
        here = b.cast(b.create("linalg.index", (), {"dim": len(kept)}).result, dtype)
        better = b.cmp("gt" if kind == "max" else "lt", xs[0], value, unsigned=unsigned)
        if t.is_float(x):  # the first nan wins for good
            first_nan = b.and_(b.cmp("ne", xs[0], xs[0]), b.cmp("eq", value, value))
            better = b.or_(better, first_nan)
        return [b.select(better, xs[0], value), b.select(better, here, at)]

    inputs = [(op.operands[0], transposed_map(x.rank, [*kept, axis]))]
    inits: list[tuple[float | int | bool, Type]] = [(best, element), (0, dtype)]
    shape = tensor_type(op.result).shape
    made = kernel.reduce(op.result, inputs, shape, [x.shape[axis]], inits, body, inline=True)
    kernel.stored[op.result] = made[1]


def lower_reduce_window(kernel: KernelLowering, op: Operation) -> None:
    if any((*op["padding_low"], *op["padding_high"])):
        raise IRError("run decompose-windows first: only windows without padding are lowered", str(op.location))
    x = tensor_type(op.operands[0])
    window, strides, kind = op["window"], op["strides"], op["kind"]
    dilation = op.get("window_dilation") or (1,) * x.rank
    moving = [i for i in range(x.rank) if window[i] > 1] or [x.rank - 1]
    rank = x.rank + len(moving)
    exprs = [dim_expr(i) if strides[i] == 1 else expr({i: strides[i]}) for i in range(x.rank)]
    for k, i in enumerate(moving):
        exprs[i] = expr({i: strides[i], x.rank + k: dilation[i]})
    combine = combiner(kind, t.is_unsigned(x))

    def body(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
        (total,) = accumulators
        return [combine(b, total, b.cast(xs[-1], total.type))]

    sizes = [window[i] for i in moving]
    kernel.tensor(op.operands[0])
    shape_only = kernel.empty(sizes, x.element)
    extra = [
        (kernel.stored[op.operands[0]], affine_map(rank, exprs)),
        (shape_only, dims_map(rank, range(x.rank, rank))),
    ]

    def pooled(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
        return body(b, xs[:1], accumulators)

    shape = tensor_type(op.result).shape
    (made,) = kernel.reduce(op.result, [], shape, sizes, [start(kind, x.element)], pooled, extra)
    kernel.stored[op.result] = made
