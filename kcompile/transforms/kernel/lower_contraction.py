"""dot_general as a linalg.generic of multiply and add."""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph.contraction import free_axes
from kcompile.dialects.upstream import tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import dims_map
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
    """Dims: those of the result, then the summed ones.

    Where the kernel reads the features in parts there is a dim for the part, before that of the feature in it, or
    before (panel, column) where the weights are packed. A product that is added to another goes on from its sums.
    """
    lhs, rhs = op.operands
    shape = list(tensor_type(op.result).shape)
    total, before = _added_to(kernel, op)
    whole = next((u.result for u in total.users if _joins_panels(u)), total)
    parts = _parts(kernel, tensor_type(whole).shape)
    split = len(shape) - (1 if whole is total else 2)  # the dim that is cut into parts
    weights, cut = kernel.tensor(rhs), -1
    if parts > 1:
        cut = tensor_type(rhs).rank - (len(shape) - split) if whole is total else _first_free(op)
        sizes = tensor_type(rhs).shape
        weights = tensor.reshape(kernel.b, weights, (*sizes[:cut], parts, sizes[cut] // parts, *sizes[cut + 1 :]))
        shape[split : split + 1] = [parts, shape[split] // parts]
    contract = range(len(shape), len(shape) + len(op["lhs_contract"]))
    free = iter(range(len(op["lhs_batch"]), len(shape)))
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
                dims += [next(free) for _ in range(2 if value is rhs and axis == cut else 1)]
        maps.append(dims_map(len(shape) + len(contract), dims))
    operands = [(kernel.tensor(lhs), maps[0]), (weights, maps[1])]
    reductions = [tensor_type(lhs).shape[a] for a in op["lhs_contract"]]
    inits = [zero(tensor_type(op.result).element)]
    (made,) = kernel.reduce(op.result, [], shape, reductions, inits, multiply_add, operands, before=before)
    kernel.stored[total] = made
    if whole is not total:
        kernel.panels[total] = parts
    elif parts > 1:
        kernel.parts.add(total)


def _added_to(kernel: KernelLowering, op: Operation) -> tuple[Value, Sequence[Value]]:
    """The value that a product gives, and the stored sums that it goes on from: of one of several, a sum with it."""
    if kernel.function.get("kernel.root") != "product_sums" or not op.result.has_one_use:
        return op.result, ()
    (add,) = op.result.users
    others = [v for v in add.operands if v is not op.result]
    before = [kernel.stored[v] for v in others if v in kernel.stored and _is_of_products(v)]
    return (add.result, before) if add.name == "graph.add" and before else (op.result, ())


def _is_of_products(value: Value) -> bool:
    """Whether a value is made by products alone, and read once."""
    op = value.defining_op
    if op is None or not value.has_one_use:
        return False
    return op.name == "graph.dot_general" or (op.name == "graph.add" and all(map(_is_of_products, op.operands)))


def _joins_panels(op: Operation) -> bool:
    """Whether a reader of a product makes one axis of its last two."""
    if op.name != "graph.reshape":
        return False
    panels, whole = tensor_type(op.operands[0]).shape, tensor_type(op.result).shape
    return len(panels) == len(whole) + 1 and panels[:-2] == whole[:-1]


def _first_free(op: Operation) -> int:
    """The first axis of the right operand that is the result's: that of the panels."""
    return free_axes(tensor_type(op.operands[1]).rank, op["rhs_batch"], op["rhs_contract"])[0]


def _parts(kernel: KernelLowering, whole: Sequence[Dim]) -> int:
    """In how many parts the results of the kernel read a product of the shape `whole`."""
    if kernel.function.get("kernel.root") in ("attention", "separable"):
        return 0  # two products: what the kernel returns is no part of the first
    returned = {tensor_type(v).shape for v in kernel.function.body.terminator.operands}
    return parts_of(whole, next(iter(returned))) if len(returned) == 1 else 0
