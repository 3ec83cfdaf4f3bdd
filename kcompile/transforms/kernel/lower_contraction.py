"""dot_general and convolution as a linalg.generic of multiply and add.

Dims: those of the result in its order, then the reduced ones (for a convolution the kernel's spatial dims, then the input
features). A convolution is valid and has no dilated input here; `decompose-convolution` has seen to that.
"""

from __future__ import annotations

from kcompile.dialects.upstream import tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, affine_map, constant_expr, dim_expr, dims_map, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import Type
from kcompile.transforms.kernel.kernel_lowering import KernelLowering, accumulator
from kcompile.transforms.kernel.kinds import tensor_type


def multiply_add(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
    """accumulator + x * y, in the type of the accumulator."""
    (total,) = accumulators
    x, y = (b.cast(v, total.type) for v in xs)
    return [b.add(total, b.mul(x, y))]


def zero(element: Type) -> tuple[float | int, Type]:
    """The start of a sum and the type it is made in."""
    return (0.0 if t.is_float(element) else 0), accumulator(element)


def lower_dot_general(kernel: KernelLowering, op: Operation) -> None:
    lhs, rhs = op.operands
    shape = tensor_type(op.result).shape
    batch, contract = len(op["lhs_batch"]), len(op["lhs_contract"])
    rank = len(shape) + contract
    maps = []
    free = batch
    for value, batches, contracts in ((lhs, op["lhs_batch"], op["lhs_contract"]), (rhs, op["rhs_batch"], op["rhs_contract"])):
        dims: list[int] = []
        for axis in range(tensor_type(value).rank):
            if axis in batches:
                dims.append(batches.index(axis))
            elif axis in contracts:
                dims.append(len(shape) + contracts.index(axis))
            else:
                dims.append(free)
                free += 1
        maps.append(dims_map(rank, dims))
    reductions = [tensor_type(lhs).shape[a] for a in op["lhs_contract"]]
    inputs = list(zip((lhs, rhs), maps, strict=True))
    (made,) = kernel.reduce(op.result, inputs, shape, reductions, [zero(tensor_type(op.result).element)], multiply_add)
    kernel.stored[op.result] = made


def lower_convolution(kernel: KernelLowering, op: Operation) -> None:
    if any((*op["padding_low"], *op["padding_high"])) or any(d != 1 for d in op["lhs_dilation"]) or op.get("batch_groups", 1) != 1:
        raise IRError("run decompose-convolution first: only valid convolutions are lowered", str(op.location))
    lhs, rhs = op.operands
    x, w, out = (tensor_type(v) for v in (lhs, rhs, op.result))
    lhs_spec, rhs_spec, out_spec = op["lhs_spec"], op["rhs_spec"], op["out_spec"]
    groups = op.get("feature_groups", 1)
    features, window = w.shape[rhs_spec[1]], [w.shape[i] for i in rhs_spec[2:]]
    per_group: Dim = out.shape[out_spec[1]] // groups
    split_out, split_in = groups > 1 and per_group != 1, groups > 1 and features != 1

    shape: list[Dim] = []  # of the result, its features split into groups and features of a group
    place: dict[int, int] = {}  # role in out_spec -> dim of the iteration space
    for axis in range(out.rank):
        place[out_spec.index(axis)] = len(shape)
        shape += [groups, per_group] if axis == out_spec[1] and split_out else [out.shape[axis]]
    batch, group = place[0], place[1]
    feature_out = group + 1 if split_out else group
    reductions = [*window, *([] if groups > 1 and features == 1 else [features])]
    rank = len(shape) + len(reductions)
    spatial = range(len(window))
    kernel_dim = [len(shape) + i for i in spatial]
    feature_in = rank - 1

    lhs_exprs: dict[int, list[AffineExpr]] = {lhs_spec[0]: [dim_expr(batch)]}
    rhs_exprs: dict[int, list[AffineExpr]] = {}
    if groups == 1:
        lhs_exprs[lhs_spec[1]], rhs_exprs[rhs_spec[1]] = [dim_expr(feature_in)], [dim_expr(feature_in)]
        rhs_exprs[rhs_spec[0]] = [dim_expr(group)]
    else:
        lhs_exprs[lhs_spec[1]] = [dim_expr(group), dim_expr(feature_in)] if split_in else [dim_expr(group)]
        rhs_exprs[rhs_spec[1]] = [dim_expr(feature_in)] if features != 1 else [constant_expr(0)]
        rhs_exprs[rhs_spec[0]] = [dim_expr(group), dim_expr(feature_out)] if split_out else [dim_expr(group)]
    for i in spatial:
        at = {place[2 + i]: op["strides"][i], kernel_dim[i]: op["rhs_dilation"][i]}
        lhs_exprs[lhs_spec[2 + i]] = [expr(at)]
        rhs_exprs[rhs_spec[2 + i]] = [dim_expr(kernel_dim[i])]
    extra = []
    for value, exprs, axis, sizes in (
        (lhs, lhs_exprs, lhs_spec[1], (groups, features)),
        (rhs, rhs_exprs, rhs_spec[0], (groups, per_group)),
    ):
        made = kernel.tensor(value)
        old = tensor_type(value).shape
        if len(exprs[axis]) > 1:
            made = tensor.reshape(kernel.b, made, (*old[:axis], *sizes, *old[axis + 1 :]))
        extra.append((made, affine_map(rank, [e for i in range(len(old)) for e in exprs[i]])))
    (result,) = kernel.reduce(op.result, [], shape, reductions, [zero(out.element)], multiply_add, extra)
    kernel.stored[op.result] = tensor.reshape(kernel.b, result, out.shape) if split_out else result
