"""gather as a linalg.generic that reads its table by tensor.extract; scatter stays, for the strategy that knows it.

gather(x [v, d], indices [n, 1])    =>    generic (n, d) { i = clamp(indices[n, 0]); yield tensor.extract x[i, d] }
"""

from __future__ import annotations

import functools

from kcompile.dialects.graph.indexing import window_axes
from kcompile.dialects.upstream import linalg
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, constant_expr, dim_expr, identity_map
from kcompile.ir.attributes import DimsAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.transforms.kernel.kernel_lowering import KernelLowering
from kcompile.transforms.kernel.kinds import tensor_type
from kcompile.transforms.kernel.point_body import PointBody, constant, signless


def lower_gather(kernel: KernelLowering, op: Operation) -> None:
    x, indices = op.operands
    axes, batch_axes = tuple(op["axes"]), tuple(op.get("batch_axes") or ())
    clamp = bool(op.get("clamp", True))
    table, shape = tensor_type(x), tensor_type(op.result).shape
    places, rank = tensor_type(indices).rank - 1, len(shape)
    windows = window_axes(table.rank, axes, batch_axes)
    source = x.defining_op if x.defining_op is not None and x.defining_op.name == "graph.constant" else None
    stored = None if source is not None else kernel.tensor(x)
    body = PointBody(kernel.stored)
    nodes = [
        body.require(indices, affine_map(rank, [*(dim_expr(d) for d in range(places)), constant_expr(i)]))
        for i in range(len(axes))
    ]

    def emit(b: LoopBuilder, *elements: Value) -> Value:
        made = body.emit(b, elements)
        at: dict[int, Value] = {}
        inside: list[Value] = []
        for axis, node in zip(axes, nodes, strict=True):
            index, size = b.cast(made[node], t.index), dim_size(b, table.shape[axis])
            at[axis] = b.max(b.min(index, b.sub(size, 1)), 0)
            if not clamp:
                inside.append(b.cmp("eq", at[axis], index))
        for i, axis in enumerate((*batch_axes, *windows)):
            dim = i if i < len(batch_axes) else places + i - len(batch_axes)
            at[axis] = b.create("linalg.index", (), {"dim": dim}).result
        if any(table.shape[a] == 0 for a in axes):
            return b.constant(0, signless(table.element))
        if source is not None:
            read = constant(b, source)
        else:
            read = b.create("tensor.extract", [stored, *(at[d] for d in range(table.rank))]).result  # type: ignore[list-item]
        return b.select(functools.reduce(b.and_, inside), read, 0) if inside else read

    output = kernel.empty(shape, table.element)
    maps = [*(m for _, m in body.inputs), identity_map(rank)]
    inputs = kernel.tensors(body, shape)
    (made,) = linalg.generic(kernel.b, inputs, [output], maps, ["parallel"] * rank, emit)
    made.hint = op.result.hint
    kernel.stored[op.result] = made


def dim_size(b: LoopBuilder, dim: Dim) -> Value:
    """A dim as an index inside a body."""
    if isinstance(dim, int):
        return b.index(dim)
    return b.create("kernel.size", (), {"dims": DimsAttr((dim,))}, [t.index]).result
