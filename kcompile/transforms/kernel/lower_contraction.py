"""dot_general and convolution as a linalg.generic of multiply and add.

Dims: those of the result in its order, then the reduced ones (for a convolution the kernel's spatial dims, then the
input features). A convolution is valid and has no dilated input here; `decompose-convolution` has seen to that.
"""

from __future__ import annotations

from kcompile.dialects.upstream import tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, constant_expr, dim_expr, dims_map, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import Type
from kcompile.transforms.kernel.kernel_lowering import KernelLowering, accumulator
from kcompile.transforms.kernel.kinds import tensor_type
from kcompile.transforms.kernel.legality import parts_of


def multiply_add(b: LoopBuilder, xs: list[Value], accumulators: list[Value]) -> list[Value]:
    """accumulator + x * y, in the type of the accumulator."""
    (total,) = accumulators
    x, y = (b.cast(v, total.type) for v in xs)
    return [b.add(total, b.mul(x, y))]


def zero(element: Type) -> tuple[float | int, Type]:
    """The start of a sum and the type it is made in."""
    return (0.0 if t.is_float(element) else 0), accumulator(element)


def lower_dot_general(kernel: KernelLowering, op: Operation) -> None:
    """Where the kernel reads the features in parts, the result has one more dim: (.., part, feature of the part)."""
    lhs, rhs = op.operands
    shape = tensor_type(op.result).shape
    parts = _parts(kernel, op)
    if parts > 1:
        _lower_dot_in_parts(kernel, op, parts)
        return
    batch, contract = len(op["lhs_batch"]), len(op["lhs_contract"])
    rank = len(shape) + contract
    maps = []
    free = batch
    for value, batches, contracts in (
        (lhs, op["lhs_batch"], op["lhs_contract"]),
        (rhs, op["rhs_batch"], op["rhs_contract"]),
    ):
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


def _parts(kernel: KernelLowering, op: Operation) -> int:
    """In how many parts the results of the kernel read the dot; see `legality.parts_between`."""
    returned = {tensor_type(v).shape for v in kernel.function.body.terminator.operands}
    (part,) = returned if len(returned) == 1 else ((),)
    return parts_of(tensor_type(op.result).shape, part)


def _lower_dot_in_parts(kernel: KernelLowering, op: Operation, parts: int) -> None:
    lhs, rhs = op.operands
    *outer, whole = tensor_type(op.result).shape
    shape = [*outer, parts, whole // parts]
    contract = range(len(shape), len(shape) + len(op["lhs_contract"]))
    rank = len(shape) + len(contract)
    batch = len(op["lhs_batch"])
    left = iter(range(batch, len(outer)))
    maps = []
    for value, batches, contracts in (
        (lhs, op["lhs_batch"], op["lhs_contract"]),
        (rhs, op["rhs_batch"], op["rhs_contract"]),
    ):
        dims: list[int] = []
        for axis in range(tensor_type(value).rank):
            if axis in batches:
                dims.append(batches.index(axis))
            elif axis in contracts:
                dims.append(contract[contracts.index(axis)])
            else:
                dims += [next(left)] if value is lhs else [len(outer), len(outer) + 1]
        maps.append(dims_map(rank, dims))
    weights = tensor.reshape(kernel.b, kernel.tensor(rhs), (*tensor_type(rhs).shape[:-1], *shape[-2:]))
    reductions = [tensor_type(lhs).shape[a] for a in op["lhs_contract"]]
    operands = [(kernel.tensor(lhs), maps[0]), (weights, maps[1])]
    inits = [zero(tensor_type(op.result).element)]
    (kernel.stored[op.result],) = kernel.reduce(op.result, [], shape, reductions, inits, multiply_add, operands)
    kernel.parts[op.result] = parts


def lower_convolution(kernel: KernelLowering, op: Operation) -> None:
    if any((*op["padding_low"], *op["padding_high"])) or any(d != 1 for d in op["lhs_dilation"]):
        raise IRError("run decompose-convolution first: only valid convolutions are lowered", str(op.location))
    lhs, rhs = op.operands
    x, w, out = (tensor_type(v) for v in (lhs, rhs, op.result))
    lhs_spec, rhs_spec, out_spec = op["lhs_spec"], op["rhs_spec"], op["out_spec"]
    batch_groups = op.get("batch_groups", 1)
    groups = op.get("feature_groups", 1) * batch_groups  # one of the two is 1
    grouped_axis = lhs_spec[0] if batch_groups > 1 else lhs_spec[1]  # of lhs: which its groups are cut from
    features, window = w.shape[rhs_spec[1]], [w.shape[i] for i in rhs_spec[2:]]
    outputs: Dim = out.shape[out_spec[1]] // groups
    split = groups > 1 and outputs != 1  # a group has several output features

    shape: list[Dim] = []  # of the result, its features split into groups and features of a group
    place: dict[int, int] = {}  # role in out_spec -> dim of the iteration space
    for axis in range(out.rank):
        place[out_spec.index(axis)] = len(shape)
        shape += [groups, outputs] if axis == out_spec[1] and split else [out.shape[axis]]
    batch, group = place[0], place[1]
    summed = groups == 1 or features != 1  # input features are a dim
    rank = len(shape) + len(window) + summed
    kernel_dim = [len(shape) + i for i in range(len(window))]
    feature_in = dim_expr(rank - 1) if summed else constant_expr(0)

    rhs_exprs = {
        rhs_spec[0]: [dim_expr(group), dim_expr(group + 1)] if split else [dim_expr(group)],
        rhs_spec[1]: [feature_in],
    }
    lhs_exprs = {lhs_spec[0]: [dim_expr(batch)], lhs_spec[1]: [feature_in]}
    if groups > 1:
        inside = lhs_exprs[grouped_axis][0]
        lhs_exprs[grouped_axis] = [dim_expr(group)] if x.shape[grouped_axis] == groups else [dim_expr(group), inside]
    for i, dim in enumerate(kernel_dim):
        lhs_exprs[lhs_spec[2 + i]] = [expr({place[2 + i]: op["strides"][i], dim: op["rhs_dilation"][i]})]
        rhs_exprs[rhs_spec[2 + i]] = [dim_expr(dim)]
    operands = [
        _grouped(kernel, lhs, lhs_exprs, grouped_axis, groups, rank),
        _grouped(kernel, rhs, rhs_exprs, rhs_spec[0], groups, rank),
    ]
    reductions = [*window, *([features] if summed else [])]
    (made,) = kernel.reduce(op.result, [], shape, reductions, [zero(out.element)], multiply_add, operands)
    kernel.stored[op.result] = tensor.reshape(kernel.b, made, out.shape) if split else made


def _grouped(
    kernel: KernelLowering, value: Value, exprs: dict[int, list[AffineExpr]], axis: int, groups: int, rank: int
) -> tuple[Value, AffineMap]:
    """The operand, its `axis` cut into groups where two expressions index it, and its map."""
    made = kernel.tensor(value)
    shape = tensor_type(value).shape
    if len(exprs[axis]) > 1:
        made = tensor.reshape(kernel.b, made, (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :]))
    return made, affine_map(rank, [e for i in range(len(shape)) for e in exprs[i]])
