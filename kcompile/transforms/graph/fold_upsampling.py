"""fold-upsampling: a convolution next to a nearest upsampling works on the small side of it.

Reads graph, writes graph; before decompose-convolution. An input whose elements are repeated f times is one with f - 1
zeros between its elements under a box of f ones. The box goes into the kernel, or, where the kernel is the larger (a
filter gradient), into the result; the zeros are never met (see convolution_phases):

    convolution(upsample(x), w)        =>   convolution(x, box(w)) {lhs_dilation f}
    convolution(upsample(x), dy)       =>   box(convolution(x, dy) {lhs_dilation f})
    sum of blocks(convolution(y, w))   =>   convolution(y, box(w)) {strides f}                  its gradient

A 3x3 kernel becomes 4x4, of which an output meets 2x2 taps: 2.25 times fewer multiplications with f = 2, and no
upsampled tensor. Sums over weights are made in f64, once, where they are known when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, floor_divide, product
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.kernel.kinds import tensor_type

LARGEST_BOX = 256  # elements along which boxes are summed: kernels of 16 x 16


@pass_("fold-upsampling", reads="graph", writes="graph")
def fold_upsampling(module: Operation) -> bool:
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        for op in [op for op in function.body.ops if op.name == "graph.convolution"]:
            changed |= _fold_input(op, weight_only) or _fold_sums(op, weight_only)
    return changed


@dataclass(slots=True)
class Blocks:
    """A tensor in view of `shape`, of whose axes each element was repeated, or is summed, `factors` times."""

    shape: list[Dim]
    factors: list[int]

    def take(self, factor: int, inner: Dim, axes: Sequence[int]) -> bool:
        """Take blocks of `factor` neighbours, `inner` elements each, out of the axis that they lie in."""
        for axis in axes:
            smaller = floor_divide(self.shape[axis], factor)
            if product(self.shape[axis + 1 :]) == inner and smaller is not None:
                if smaller * factor == self.shape[axis]:
                    self.shape[axis] = smaller
                    self.factors[axis] *= factor
                    return True
        return False

    def take_all(self, shape: Sequence[Dim], taken: Sequence[int], axes: Sequence[int]) -> bool:
        """Take the dims `taken` of `shape`, which has the same elements in the same order."""
        left = list(shape)
        for d in sorted(taken, reverse=True):
            size = left.pop(d)
            if not isinstance(size, int) or (size != 1 and not self.take(size, product(left[d:]), axes)):
                return False
        return True


def upsampled(value: Value, axes: Sequence[int]) -> tuple[Value, Blocks] | None:
    """What is repeated along `axes` to make `value`, in its flat order, with its shape; None if nothing is."""
    found: tuple[Value, Blocks] | None = None
    blocks = Blocks(list(tensor_type(value).shape), [1] * tensor_type(value).rank)
    while (op := value.defining_op) is not None and op.name in ("graph.reshape", "graph.broadcast_in_dim"):
        value = op.operands[0]
        if op.name == "graph.broadcast_in_dim":
            shape, source, dims = tensor_type(op.result).shape, tensor_type(value).shape, op["dims"]
            kept = {d for d, n in zip(dims, source, strict=True) if n == shape[d]}
            if list(dims) != sorted(dims) or not blocks.take_all(
                shape, [d for d in range(len(shape)) if d not in kept], axes
            ):
                break
            found = value, Blocks(list(blocks.shape), list(blocks.factors))
    return found


def block_sums(value: Value, axes: Sequence[int]) -> tuple[Value, Blocks] | None:
    """What neighbours along `axes` of `value` are summed to, in its flat order, with its shape; None if nothing is."""
    found: tuple[Value, Blocks] | None = None
    blocks = Blocks(list(tensor_type(value).shape), [1] * tensor_type(value).rank)
    while len(users := value.users) == 1 and users[0].name in ("graph.reshape", "graph.reduce"):
        op = users[0]
        if op.name == "graph.reduce":
            if op["kind"] != "add" or not blocks.take_all(tensor_type(value).shape, op["axes"], axes):
                break
            found = op.result, Blocks(list(blocks.shape), list(blocks.factors))
        value = op.result
    return found


def _fold_input(op: Operation, weight_only: WeightOnly) -> bool:
    axes = op["lhs_spec"][2:]
    found = upsampled(op.operands[0], axes)
    if found is None:
        return False
    source, blocks = found
    factors = [blocks.factors[axis] for axis in axes]
    if any(f > 1 and (op["strides"][i], op["rhs_dilation"][i], op["lhs_dilation"][i]) != (1, 1, 1)
           for i, f in enumerate(factors)):  # fmt: skip
        return False
    window = [tensor_type(op.operands[1]).shape[axis] for axis in op["rhs_spec"][2:]]
    outputs = [tensor_type(op.result).shape[axis] for axis in op["out_spec"][2:]]
    in_kernel, in_result = _pays(window, factors), _pays(outputs, factors)
    if in_kernel is None and in_result is None:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    attributes = {name: op[name] for name in op.attributes} | {"lhs_dilation": tuple(factors)}
    for side in ("padding_low", "padding_high"):
        attributes[side] = tuple(n + f - 1 for n, f in zip(op[side], factors, strict=True))
    small, kernel = b.reshape(source, shape=tuple(blocks.shape)), op.operands[1]
    if in_kernel is not None and (in_result is None or in_kernel <= in_result):
        made = b.convolution(small, box(b, kernel, op["rhs_spec"][2:], factors, weight_only), **attributes)
    else:
        made = b.convolution(small, kernel, **attributes)
        made = box(b, made, op["out_spec"][2:], factors, weight_only, inward=True)
    op.replace_by([made])
    return True


def _fold_sums(op: Operation, weight_only: WeightOnly) -> bool:
    axes = op["out_spec"][2:]
    found = block_sums(op.result, axes)
    if found is None:
        return False
    total, blocks = found
    factors = [blocks.factors[axis] for axis in axes]
    if any(f > 1 and (op["strides"][i], op["rhs_dilation"][i], op["lhs_dilation"][i]) != (1, 1, 1)
           for i, f in enumerate(factors)):  # fmt: skip
        return False
    if _pays([tensor_type(op.operands[1]).shape[axis] for axis in op["rhs_spec"][2:]], factors) is None:
        return False
    b: GraphBuilder = GraphBuilder.before_op(op)
    attributes = {name: op[name] for name in op.attributes}
    attributes["strides"] = tuple(s * f for s, f in zip(op["strides"], factors, strict=True))
    kernel = box(b, op.operands[1], op["rhs_spec"][2:], factors, weight_only)
    made = b.reshape(b.convolution(op.operands[0], kernel, **attributes), shape=tensor_type(total).shape)
    total.replace_by(made)
    return True


def _pays(sizes: Sequence[Dim], factors: Sequence[int]) -> int | None:
    """How many elements a box over `sizes` makes, if there are fewer multiplications with it; else None."""
    static = [n for n in sizes if isinstance(n, int)]
    if len(static) < len(sizes):
        return None
    grown = prod(n + f - 1 for n, f in zip(static, factors, strict=True))
    return grown if 0 < grown < prod(static) * prod(factors) and grown <= LARGEST_BOX else None


def box(
    b: GraphBuilder,
    x: Value,
    axes: Sequence[int],
    factors: Sequence[int],
    weight_only: WeightOnly,
    inward: bool = False,
) -> Value:
    """Sums of `factors` neighbours along `axes`: those that begin outside too (longer), or the whole ones (shorter)."""
    source = tensor_type(x)
    matrix = np.ones(())
    for axis, f in zip(axes, factors, strict=True):
        size = source.shape[axis]
        assert isinstance(size, int)
        short = size - f + 1 if inward else size
        reach = np.arange(short + f - 1)[:, None] - np.arange(short)[None, :]
        along = ((reach >= 0) & (reach < f)).astype(np.float64)
        matrix = np.multiply.outer(matrix, along.T if inward else along)
    count = len(axes)  # the matrix has dims (new, old) for each axis: all new ones first
    matrix = matrix.transpose([*range(0, 2 * count, 2), *range(1, 2 * count, 2)])
    exact = x in weight_only and t.is_float(source) and t.bitwidth(source) < 64
    element = t.f64 if exact else source.element
    wide = b.convert(x, dtype=t.f64) if exact else x
    made = b.dot_general(
        b.constant(matrix, element), wide, lhs_batch=(), rhs_batch=(), lhs_contract=tuple(range(count, 2 * count)),
        rhs_contract=tuple(axes),
    )  # fmt: skip
    others = [d for d in range(source.rank) if d not in axes]
    place = {d: i for i, d in enumerate([*axes, *others])}
    made = b.transpose(made, permutation=tuple(place[d] for d in range(source.rank)))
    return b.convert(made, dtype=source.element) if exact else made  # type: ignore[no-any-return]
