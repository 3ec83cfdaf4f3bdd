"""The phases of a convolution with a dilated input: the output positions that meet the same taps of the kernel.

With lhs_dilation s the input has s - 1 zeros between its elements. An output position o meets only the taps under which
no such zero lies, and these depend on o modulo s alone. So a convolution over a dilated input is, for each phase, a
convolution over the input itself with every s-th tap:

    y[s * q + offset] = sum_j x[q * stride + j * move + start] * w[j * step + tap]

A transposed convolution and the input gradient of a strided one are such; so is, along the kernel, the filter gradient
of a transposed one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim, SymbolicDim, floor_divide
from kcompile.transforms.kernel.kinds import tensor_type

MOST_PHASES = 16  # of one convolution: each is a loop nest in its kernel


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase along one spatial dim, as in the formula above, with `count` outputs and `taps` taps."""

    offset: int
    count: Dim
    stride: int
    tap: int
    taps: Dim
    step: int
    start: Dim
    move: int


def phases_of(op: Operation) -> list[tuple[Phase, ...]] | None:
    """A phase of every spatial dim, in all combinations; None where their number or their sizes are not known."""
    x, y, shape = tensor_type(op.operands[0]), tensor_type(op.result), panel_shape(op)
    dims = []
    for i, (kernel_axis, out_axis) in enumerate(zip(op["rhs_spec"][2:], op["out_spec"][2:], strict=True)):
        found = _phases(
            shape[kernel_axis], y.shape[out_axis], op["padding_low"][i], op["lhs_dilation"][i],
            op["rhs_dilation"][i], op["strides"][i],
        )  # fmt: skip
        if found is None:
            return None
        dims.append(found)
    made = list(product(*dims))
    return made if len(made) <= MOST_PHASES and x.rank > 2 else None


def panel_shape(op: Operation) -> tuple[Dim, ...]:
    """The shape of the kernel, or of one panel of it: what rhs_spec is about."""
    x, w = tensor_type(op.operands[0]), tensor_type(op.operands[1])
    return w.shape[w.rank - x.rank :]


def _phases(
    window: Dim, outputs: Dim, low: Dim, dilation: int, kernel_dilation: int, stride: int
) -> list[Phase] | None:
    if dilation == 1:
        return [Phase(0, outputs, stride, 0, window, 1, -low, kernel_dilation)]
    if stride != 1 or isinstance(low, SymbolicDim) or dilation > MOST_PHASES:
        return None
    found = []
    for offset in range(dilation):
        count = floor_divide(outputs - offset + dilation - 1, dilation)
        hits = [k for k in range(2 * dilation) if (offset + k * kernel_dilation - low) % dilation == 0]
        if count is None:
            return None
        if not hits:
            found.append(Phase(offset, count, 1, 0, 0, dilation, 0, 1))  # nothing but zeros
            continue
        tap, step = hits[0], hits[1] - hits[0]
        taps = floor_divide(window - tap + step - 1, step)
        if taps is None:
            return None
        if isinstance(taps, int):
            taps = max(0, taps)
        start = (offset + tap * kernel_dilation - low) // dilation
        found.append(Phase(offset, count, 1, tap, taps, step, start, step * kernel_dilation // dilation))
    return [p for p in found if not isinstance(p.count, int) or p.count > 0]


def border(op: Operation, phases: list[tuple[Phase, ...]]) -> list[tuple[Dim, Dim]] | None:
    """How many zeros before and after the input, along every spatial dim, the phases reach; None if not known."""
    x = tensor_type(op.operands[0])
    found: list[tuple[Dim, Dim]] = []
    for i, axis in enumerate(op["lhs_spec"][2:]):
        low: Dim = 0
        high: Dim | None = None
        for phase in {p[i]: None for p in phases if not any(q.taps == 0 for q in p)}:
            last = (phase.count - 1) * phase.stride + (phase.taps - 1) * phase.move + phase.start - (x.shape[axis] - 1)
            if isinstance(phase.start, SymbolicDim) or (isinstance(last, SymbolicDim) and high not in (None, last)):
                return None
            low = max(low, -phase.start)  # type: ignore[type-var]
            high = last if high is None or isinstance(last, SymbolicDim) else max(high, last)
        if isinstance(high, SymbolicDim) and op["lhs_dilation"][i] != 1:
            return None
        found.append((low, max(0, high or 0) if not isinstance(high, SymbolicDim) else high))
    return found
