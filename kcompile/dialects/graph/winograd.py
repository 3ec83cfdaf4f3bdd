"""Convolution with kernels of 3 x 3 by Winograd's minimal filtering: fewer multiplications on transformed tiles.

A tile of m x m outputs needs n x n inputs d, n = m + 2. With the matrices B, G, A of m, evaluated at n points,

    y = A' [ sum over input features of (B' d B) * (G w G') ] A        * element by element

which takes n^2 instead of 9 m^2 multiplications a feature: 4 times fewer for m = 4. The transformed kernel G w G' is an
operand, made once. The points are 0, +-5/8, +-3/2 and infinity: their powers are exact, and the error with random data
is about twice that of the direct sum, where the textbook's 0, +-1, +-2 give 4 times (tools/bench/winograd_error.py).
Lavin and Gray, Fast algorithms for convolutional neural networks, arXiv 1509.09308.
"""
# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.ir.definition import Definition
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.types import TensorType, Type

from .convolution import window_size
from .dialect import NONE, NOT_DIFFERENTIABLE, Array, check_choice, check_lengths, floating, graph, tensor
from .sampling import Case, Rng, Samples, case, integers, values
from .tolerance import Tolerance, ulp_of

Ints = tuple[int, ...]

PAIRS = {2: (1.0,), 4: (0.625, 1.5)}  # for each tile size m the points p that are taken with both signs
PANEL = 16  # output features that lie side by side in the transformed kernel: a cache line of f32


@cache
def matrices(tile: int) -> tuple[Array, Array, Array]:
    """B' [n, n], G [n, 3] and A' [m, n] of a tile size m, in f64; n = m + 2.

    >>> matrices(2)[2].tolist()
    [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, 1.0]]
    """
    points = np.array([0.0, *(sign * p for p in PAIRS[tile] for sign in (1, -1))])
    size = tile + 2
    inputs, kernel, outputs = np.zeros((size, size)), np.zeros((size, 3)), np.zeros((tile, size))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        inputs[i, : size - 1] = np.poly(others)[::-1]
        kernel[i] = point ** np.arange(3) / np.prod(point - others)
        outputs[:, i] = point ** np.arange(tile)
    inputs[-1] = np.poly(points)[::-1]
    kernel[-1, 2] = outputs[-1, -1] = 1.0
    return inputs, kernel, outputs


def panels(features: int) -> int:
    """How many panels hold so many output features; the last one is filled up with zeros."""
    return -(-features // PANEL)


def _transformed(x: Array, w: Array, low: Ints, high: Ints, features: int, tile: int, absolute: bool = False) -> Array:
    """The convolution as the formula says; `absolute`: of absolute values throughout, a bound of all sums."""
    to_input, _, to_output = matrices(tile)
    if absolute:
        x, w, to_input, to_output = (np.abs(a) for a in (x, w, to_input, to_output))
    batch, *_, inputs = x.shape
    space = [n + lo + hi - 2 for n, lo, hi in zip(x.shape[1:3], low, high, strict=True)]
    result = np.zeros((batch, *(max(0, n) for n in space), features), x.dtype)
    if result.size == 0:
        return result
    size = tile + 2
    needed = [-(-n // tile) * tile + 2 for n in space]
    padded = np.zeros((batch, *needed, inputs), x.dtype)
    # a negative padding crops
    rows, columns = (
        (slice(max(0, -lo), min(n, need - lo)), slice(max(0, lo), max(0, lo) + min(n, need - lo) - max(0, -lo)))
        for n, lo, need in zip(x.shape[1:3], low, needed, strict=True)
    )
    if rows[0].stop > rows[0].start and columns[0].stop > columns[0].start:
        padded[:, rows[1], columns[1]] = x[:, rows[0], columns[0]]
    tiles = sliding_window_view(padded, (size, size), (1, 2))[:, ::tile, ::tile]  # b y x c i j
    data = np.einsum("pi,qj,byxcij->byxcpq", to_input, to_input, tiles, optimize=True)
    kernel = w.transpose(0, 2, 1, 3).reshape(size, size, inputs, -1)[..., :features]
    product = np.einsum("byxcpq,pqck->byxkpq", data, kernel, optimize=True)
    made = np.einsum("ip,jq,byxkpq->byixjk", to_output, to_output, product, optimize=True)
    whole = made.reshape(batch, made.shape[1] * tile, made.shape[3] * tile, features)
    result[...] = whole[:, : space[0], : space[1]]
    return result


@dataclass(frozen=True)
class TransformedSums(Tolerance):
    """Rounding of the transforms and the sum, each at most so many steps of the sum of all magnitudes."""

    def bound(
        self,
        definition: Definition,
        arrays: Sequence[Array],
        attributes: Mapping[str, Any],
        expected: Array,
        element: Type,
    ) -> Array:
        x, w = (a.astype(np.float64) for a in arrays)
        named = {"low": "padding_low", "high": "padding_high", "features": "features", "tile": "tile"}
        taken = {short: attributes[name] for short, name in named.items()}
        magnitude = _transformed(x, w, **taken, absolute=True)
        steps = (x.shape[-1] + 40) * 2.0**-23
        return np.asarray(steps * magnitude + ulp_of(expected, element))


def _winograd_case(rng: Rng, element: Type) -> Case:
    tile = (2, 4)[int(rng.integers(2))]
    inputs, features = integers(rng, 1, 20, 2)
    shape = int(rng.integers(1, 3)), *integers(rng, 1, 11, 2), inputs
    x = values(rng, shape, element)
    w = values(rng, ((tile + 2) ** 2, panels(features), inputs, PANEL), element)
    return case(
        element, x, w, tile=tile, features=features, padding_low=integers(rng, -1, 4, 2),
        padding_high=integers(rng, -1, 4, 2),
    )  # fmt: skip


@graph.op("winograd_convolution", ins="lhs kernel")
class WinogradConvolution:
    """Windows of 3 x 3 of lhs[b, h, w, c], times a kernel that was transformed for tiles of `tile` outputs, summed.

    Height, width and channels are fixed sizes. The kernel is [(tile + 2)^2, panels, c, PANEL]: output feature k is
    element k % PANEL of panel k / PANEL; what is beyond `features` is not read. Padding as in convolution, strides and
    dilations 1.
    """

    def infer(
        lhs: Type, kernel: Type, *, padding_low: Ints, padding_high: Ints, features: int, tile: int
    ) -> TensorType:
        x, w = tensor(lhs), tensor(kernel)
        floating(x)
        check_choice("tile", str(tile), [str(m) for m in PAIRS])
        check_lengths(2, padding_low=padding_low, padding_high=padding_high)
        if x.rank != 4 or w is not TensorType(((tile + 2) ** 2, panels(features), x.shape[3], PANEL), x.element):
            raise ShapeError(
                f"needs images [b, h, w, c] and a kernel [{(tile + 2) ** 2}, {panels(features)}, c, {PANEL}] for "
                f"{features} features. Received: {x} and {w}"
            )
        if any(isinstance(n, SymbolicDim) for n in x.shape[1:]):
            raise ShapeError(f"needs images of fixed size. Received: {x}")
        space = [
            window_size(n, 3, lo, hi, 1, 1, f"spatial dim {i}")
            for i, (n, lo, hi) in enumerate(zip(x.shape[1:3], padding_low, padding_high, strict=True))
        ]
        return TensorType((x.shape[0], *space, features), x.element)

    def reference(
        lhs: Array, kernel: Array, *, padding_low: Ints, padding_high: Ints, features: int, tile: int
    ) -> Array:
        wide = lhs.astype(np.float64), kernel.astype(np.float64)
        made: Array = _transformed(*wide, padding_low, padding_high, features, tile).astype(lhs.dtype)
        return made

    vjp = NOT_DIFFERENTIABLE  # it is chosen when the gradients are already there
    lower = "winograd"
    stablehlo = NONE
    samples = Samples((t.f32,), _winograd_case)
    tolerance = TransformedSums()
