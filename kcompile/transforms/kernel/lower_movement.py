"""pad and concatenate as `tensor` operations: a border, slices written into a filled tensor, tensors joined."""

from __future__ import annotations

from kcompile.dialects.upstream import linalg, tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import UnsupportedError
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.transforms.kernel.kernel_lowering import KernelLowering
from kcompile.transforms.kernel.kinds import tensor_type
from kcompile.transforms.kernel.point_body import constant


def lower_pad(kernel: KernelLowering, op: Operation) -> None:
    """Crop what is cropped, then a tensor.pad; with gaps, or a symbolic border, a strided slice of a filled tensor is
    written.
    """
    x = kernel.tensor(op.operands[0])
    shape = tensor_type(op.result).shape
    low, high, interior = list(op["low"]), list(op["high"]), op["interior"]
    for padding in (*low, *interior):
        if isinstance(padding, SymbolicDim):
            raise UnsupportedError(
                f"a pad by the symbolic amount {padding}; give that axis a fixed size", str(op.location)
            )
    value = _fill_value(kernel, op.operands[1])
    symbolic = any(isinstance(n, SymbolicDim) for n in high)
    if not symbolic and not any(interior):
        x = _crop(kernel, x, [max(0, -n) for n in low], [max(0, -n) for n in high])
        if any(n > 0 for n in (*low, *high)):
            x = tensor.pad(kernel.b, x, value, [max(0, n) for n in low], [max(0, n) for n in high])
        kernel.stored[op.result] = x
        return
    spread = [_spread(n, gap) for n, gap in zip(tensor_type(op.operands[0]).shape, interior, strict=True)]
    grown = [max(0, n) for n in low]
    whole: list[Dim] = []  # the result before anything is cropped
    for size, before, after in zip(spread, grown, high, strict=True):
        whole.append(size + before + (after if isinstance(after, int) and after > 0 else 0))
        if isinstance(after, SymbolicDim) and not _is_growth(after):
            raise UnsupportedError(
                f"a pad by the symbolic amount {after}; give that axis a fixed size", str(op.location)
            )
        if isinstance(after, SymbolicDim):
            whole[-1] = size + before + after
    filled = linalg.fill(kernel.b, value, kernel.empty(whole, tensor_type(op.result).element))
    x = tensor.insert_slice(kernel.b, x, filled, grown, [gap + 1 for gap in interior])
    after_crop = [max(0, -n) if isinstance(n, int) else 0 for n in high]
    x = _crop(kernel, x, [max(0, -n) for n in low], after_crop)
    assert tensor_type(x).shape == shape
    kernel.stored[op.result] = x


def _spread(size: Dim, gap: int) -> Dim:
    return size if gap == 0 or size == 0 else (size - 1) * (gap + 1) + 1


def _is_growth(dim: SymbolicDim) -> bool:
    """Whether the dim is at least 0 for all sizes of 1 or more."""
    negative = -sum(c for _, c in dim.terms if c < 0)
    return sum(c for monomial, c in dim.terms if c > 0) >= negative and all(c > 0 or not m for m, c in dim.terms)


def _crop(kernel: KernelLowering, x: Value, low: list[int], high: list[int]) -> Value:
    if not any((*low, *high)):
        return x
    sizes = [n - a - z for n, a, z in zip(tensor_type(x).shape, low, high, strict=True)]
    return tensor.extract_slice(kernel.b, x, low, sizes, [1] * len(sizes))


def _fill_value(kernel: KernelLowering, value: Value) -> Value:
    op = value.defining_op
    if op is not None and op.name == "graph.constant":
        return constant(LoopBuilder(kernel.block, None, op.location), op)
    return kernel.b.create("tensor.extract", [kernel.tensor(value)]).result


def lower_concatenate(kernel: KernelLowering, op: Operation) -> None:
    kernel.stored[op.result] = tensor.concat(kernel.b, [kernel.tensor(v) for v in op.operands], op["axis"])
