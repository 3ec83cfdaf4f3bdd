"""convolution as linalg.generics of multiply and add: one, or one for each phase of a dilated input.

Dims: those of the result in its order, then the reduced ones (the kernel's spatial dims, then the input features). No
window leaves the input here; `decompose-convolution` has seen to that. The phases are written into one result:

    convolution {lhs_dilation 2}  =>  insert_slice of generic (even outputs), insert_slice of generic (odd outputs)
"""

from __future__ import annotations

from kcompile.dialects.upstream import tensor
from kcompile.errors import IRError
from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, constant_expr, dim_expr, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.transforms.kernel.convolution_phases import Phase, border, panel_shape, phases_of
from kcompile.transforms.kernel.kernel_lowering import KernelLowering
from kcompile.transforms.kernel.kinds import tensor_type
from kcompile.transforms.kernel.lower_contraction import multiply_add, zero


def lower_convolution(kernel: KernelLowering, op: Operation) -> None:
    phases = phases_of(op)
    if phases is None or any(n != 0 for pair in border(op, phases) or [(1, 1)] for n in pair):
        raise IRError("run decompose-convolution first: only valid convolutions are lowered", str(op.location))
    lower = _Lowering(kernel, op)
    if len(phases) == 1:
        kernel.stored[op.result] = lower.phase(phases[0])
        return
    out = tensor_type(op.result)
    made = [lower.phase(phase) for phase in phases]
    target = kernel.empty(out.shape, tensor_type(made[0]).element)
    for phase, part in zip(phases, made, strict=True):
        offsets, strides = [0] * out.rank, [1] * out.rank
        for axis, along, dilation in zip(op["out_spec"][2:], phase, op["lhs_dilation"], strict=True):
            offsets[axis], strides[axis] = along.offset, dilation
        target = tensor.insert_slice(kernel.b, part, target, offsets, strides)
    kernel.stored[op.result] = target


class _Lowering:
    """What all phases of a convolution share: the dims of the result and the operands, cut into groups or panels."""

    def __init__(self, kernel: KernelLowering, op: Operation):
        self.kernel, self.op = kernel, op
        self.lhs, self.rhs = op.operands
        x, w, out = (tensor_type(v) for v in (self.lhs, self.rhs, op.result))
        self.in_panels = w.rank > x.rank
        batch_groups = op.get("batch_groups", 1)
        self.groups = op.get("feature_groups", 1) * batch_groups  # one of the two is 1
        # the axis of lhs that its groups are cut from
        self.grouped_axis = op["lhs_spec"][0] if batch_groups > 1 else op["lhs_spec"][1]
        self.features = panel_shape(op)[op["rhs_spec"][1]]
        self.pieces: Dim = w.shape[0] if self.in_panels else self.groups  # of the output features
        self.outputs: Dim = out.shape[op["out_spec"][1]] // self.pieces
        self.split = self.in_panels or (self.groups > 1 and self.outputs != 1)  # a piece has several of them
        self.x, self.out = x, out

    def phase(self, phase: tuple[Phase, ...]) -> Value:
        """The convolution of one phase, as a tensor of its own."""
        op, kernel, groups = self.op, self.kernel, self.groups
        lhs_spec, rhs_spec, out_spec = op["lhs_spec"], op["rhs_spec"], op["out_spec"]
        result = list(self.out.shape)
        for axis, along in zip(out_spec[2:], phase, strict=True):
            result[axis] = along.count
        shape: list[Dim] = []  # of the result, its features split into groups and features of a group
        place: dict[int, int] = {}  # role in out_spec -> dim of the iteration space
        for axis in range(self.out.rank):
            place[out_spec.index(axis)] = len(shape)
            shape += [self.pieces, self.outputs] if axis == out_spec[1] and self.split else [result[axis]]
        batch, group = place[0], place[1]
        summed = groups == 1 or self.features != 1  # input features are a dim
        rank = len(shape) + len(phase) + summed
        kernel_dim = [len(shape) + i for i in range(len(phase))]
        feature_in = dim_expr(rank - 1) if summed else constant_expr(0)

        rhs_exprs = {
            rhs_spec[0]: [dim_expr(group + d) for d in range(1 + self.split)],
            rhs_spec[1]: [feature_in],
        }
        lhs_exprs = {lhs_spec[0]: [dim_expr(batch)], lhs_spec[1]: [feature_in]}
        if groups > 1:
            inside = lhs_exprs[self.grouped_axis][0]
            whole = self.x.shape[self.grouped_axis] == groups
            lhs_exprs[self.grouped_axis] = [dim_expr(group)] if whole else [dim_expr(group), inside]
        for i, (dim, along) in enumerate(zip(kernel_dim, phase, strict=True)):
            assert not isinstance(along.start, SymbolicDim)
            lhs_exprs[lhs_spec[2 + i]] = [expr({place[2 + i]: along.stride, dim: along.move}, along.start)]
            rhs_exprs[rhs_spec[2 + i]] = [expr({dim: along.step}, along.tap)]
        operands = [
            self._grouped(self.lhs, lhs_exprs, self.grouped_axis, rank),
            self._paneled(rhs_exprs, rhs_spec[0], rank)
            if self.in_panels
            else self._grouped(self.rhs, rhs_exprs, rhs_spec[0], rank),
        ]
        reductions = [*(along.taps for along in phase), *([self.features] if summed else [])]
        inits = [zero(self.out.element)]
        (made,) = kernel.reduce(op.result, [], shape, reductions, inits, multiply_add, operands)
        return tensor.reshape(kernel.b, made, result) if self.split else made

    def _paneled(self, exprs: dict[int, list[AffineExpr]], axis: int, rank: int) -> tuple[Value, AffineMap]:
        """The kernel, whose panels are its first dim, and its map."""
        panel, exprs[axis] = exprs[axis][0], exprs[axis][1:]
        return self.kernel.tensor(self.rhs), affine_map(rank, [panel, *(e for i in sorted(exprs) for e in exprs[i])])

    def _grouped(
        self, value: Value, exprs: dict[int, list[AffineExpr]], axis: int, rank: int
    ) -> tuple[Value, AffineMap]:
        """The operand, its `axis` cut into groups where two expressions index it, and its map."""
        made = self.kernel.tensor(value)
        shape = tensor_type(value).shape
        if len(exprs[axis]) > 1:
            cut = (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1 :])
            made = tensor.reshape(self.kernel.b, made, cut)
        return made, affine_map(rank, [e for i in range(len(shape)) for e in exprs[i]])
