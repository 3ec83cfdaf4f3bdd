"""How the kernel of a convolution lies in windows of three input elements, along one axis.

With input dilation f, output f i + r (its phase r) meets the kernel elements a with a = low - r mod f, at the inputs
i + (r - low + a) / f. Where these inputs span at most three for all phases together, each phase is a kernel of three
taps on the same window, some of them zero. A kernel of 3 without dilation is one phase with all three.

    4 taps, f = 2, low 2 (a 3 x 3 convolution of an upsampled image):    phase 0: a = 0, 2 at i - 1, i
                                                                         phase 1: a = 1, 3 at i, i + 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.dialects.graph.winograd import point_range
from kcompile.ir.core import Operation
from kcompile.transforms.kernel.kinds import tensor_type


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution in windows of three.

    taps        the first tap and the one after the last, of each phase
    low, high   the padding for the windows
    positions   how many windows there are
    drop        how many results at the end are too many
    select      [phases, 3, kernel]: which kernel element is which tap
    """

    taps: tuple[tuple[int, int], ...]
    low: int
    high: int
    positions: int
    drop: int
    select: np.ndarray[Any, Any]

    @property
    def flat_taps(self) -> tuple[int, ...]:
        return tuple(n for pair in self.taps for n in pair)

    def points(self, tile: int) -> int:
        """Points at which the kernel is not zero, of all phases."""
        return sum(end - first for first, end in (point_range(taps, tile) for taps in self.taps))

    def multiplications(self) -> int:
        """Of the direct convolution, for each window."""
        return sum(end - first for first, end in self.taps)


def windows_of(op: Operation) -> tuple[Axis, Axis] | None:
    """The two axes of a two-dimensional convolution without strides; None where a phase does not fit."""
    found = [_axis(op, i) for i in range(2)]
    down, across = found
    if down is None or across is None or max(end - first for a in (down, across) for first, end in a.taps) < 2:
        return None  # a kernel of single taps has nothing to save
    return down, across


def _axis(op: Operation, i: int) -> Axis | None:
    size = tensor_type(op.operands[0]).shape[op["lhs_spec"][2 + i]]
    kernel = tensor_type(op.operands[1]).shape[op["rhs_spec"][2 + i]]
    outputs = tensor_type(op.result).shape[op["out_spec"][2 + i]]
    factor, low = op["lhs_dilation"][i], op["padding_low"][i]
    assert isinstance(size, int) and isinstance(kernel, int) and isinstance(outputs, int)
    places = [
        {(phase - low + a) // factor: a for a in range(kernel) if (phase - low + a) % factor == 0}
        for phase in range(factor)
    ]
    if not all(places):
        return None
    first, last = min(min(p) for p in places), max(max(p) for p in places)
    if last - first > 2:
        return None
    choices = [_lie(places, first - shift) for shift in range(3 - (last - first))]
    best = min(choices, key=lambda taps: sum(n for pair in taps for n in np.diff(point_range(pair, 4))))
    start = first - choices.index(best)
    select = np.zeros((factor, 3, kernel))
    for phase, place in enumerate(places):
        for at, a in place.items():
            select[phase, at - start, a] = 1.0
    positions = -(-outputs // factor)
    return Axis(best, -start, positions - size + start + 2, positions, positions * factor - outputs, select)


def _lie(places: list[dict[int, int]], start: int) -> tuple[tuple[int, int], ...]:
    """The taps of all phases in a window that begins at `start`."""
    return tuple((min(p) - start, max(p) - start + 1) for p in places)
