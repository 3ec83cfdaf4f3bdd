"""Convolution with kernels of 3 x 3, and its kernel's gradient, by Winograd's minimal filtering: fewer multiplications.

A tile of m x m outputs needs n x n inputs d, n = m + 2. With the matrices B, G, A of m, evaluated at n points,

    y = A' [ sum over input features of (B' d B) * (G w G') ] A        * element by element

which takes n^2 instead of 9 m^2 multiplications a feature: 4 times fewer for m = 4. The transformed kernel G w G' is an
operand, made once. The gradient by w is the adjoint, G' [ sum over tiles of (B' d B) * (A dy A') ] G.

The points are 0, +-5/8, +-3/2 and infinity: their powers are exact, and the error with random data is about twice that
of the direct sum, where the textbook's 0, +-1, +-2 give 4 times (tools/bench/winograd_error.py).
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
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import TensorType, Type

from .convolution import window_size
from .dialect import (
    NONE,
    NOT_DIFFERENTIABLE,
    Array,
    check_choice,
    check_least,
    check_lengths,
    floating,
    graph,
    is_below,
    tensor,
)
from .sampling import Case, Rng, Samples, case, integers, values
from .tolerance import Tolerance, ulp_of

Ints = tuple[int, ...]

PAIRS = {2: (1.0,), 4: (0.625, 1.5)}  # for each tile size m the points p that are taken with both signs
WHOLE = (0, 3)  # the taps of a kernel that has all three along an axis
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


def _tiles(x: Array, low: Ints, space: Sequence[int], tile: int) -> Array:
    """The overlapping tiles of an image, zeros outside of it: [b, tiles down, tiles across, c, n, n]."""
    needed = [-(-n // tile) * tile + 2 for n in space]
    padded = np.zeros((x.shape[0], *needed, x.shape[3]), x.dtype)
    taken, put = [], []  # a negative padding crops
    for size, before, need in zip(x.shape[1:3], low, needed, strict=True):
        first, last = max(0, -before), max(0, min(size, need - before))
        taken.append(slice(first, max(first, last)))
        put.append(slice(first + before, first + before + max(0, last - first)))
    padded[:, put[0], put[1]] = x[:, taken[0], taken[1]]
    return sliding_window_view(padded, (tile + 2, tile + 2), (1, 2))[:, ::tile, ::tile]


def phases(taps: Ints) -> list[tuple[int, int]]:
    """The first tap, and the one after the last, of each phase."""
    return list(zip(taps[::2], taps[1::2], strict=True))


def point_range(taps: tuple[int, int], tile: int) -> tuple[int, int]:
    """The points at which a kernel with these taps is not zero: without the first tap 0, without the last infinity."""
    return int(taps[0] > 0), tile + 2 - int(taps[1] < 3)


def _convolve(
    x: Array,
    w: Array,
    low: Ints,
    high: Ints,
    features: int,
    tile: int,
    row_taps: Ints = WHOLE,
    column_taps: Ints = WHOLE,
    drop: Ints = (0, 0),
    absolute: bool = False,
) -> Array:
    """The convolution as the formula says; `absolute`: of absolute values throughout, a bound of all sums."""
    to_input, _, to_output = matrices(tile)
    if absolute:
        x, w, to_input, to_output = (np.abs(a) for a in (x, w, to_input, to_output))
    space = _outputs(x.shape[1:3], low, high)
    down, across = phases(row_taps), phases(column_taps)
    whole = np.zeros((x.shape[0], space[0] * len(down), space[1] * len(across), features), x.dtype)
    size, count = tile + 2, panels(features)
    if whole.size:
        data = np.einsum("pi,qj,byxcij->byxcpq", to_input, to_input, _tiles(x, low, space, tile), optimize=True)
    for i, j in np.ndindex(len(down), len(across) if whole.size else 0):
        phase = i * len(across) + j
        kernel = w[:, phase * count : (phase + 1) * count].transpose(0, 2, 1, 3)
        kernel = kernel.reshape(size, size, x.shape[3], -1)[..., :features]
        rows, columns = (slice(*point_range(taps, tile)) for taps in (down[i], across[j]))
        product = np.einsum("byxcpq,pqck->byxkpq", data[..., rows, columns], kernel[rows, columns], optimize=True)
        made = np.einsum("ip,jq,byxkpq->byixjk", to_output[:, rows], to_output[:, columns], product, optimize=True)
        made = made.reshape(x.shape[0], made.shape[1] * tile, made.shape[3] * tile, features)
        whole[:, i :: len(down), j :: len(across)] = made[:, : space[0], : space[1]]
    return whole[:, : whole.shape[1] - drop[0], : whole.shape[2] - drop[1]]


def _correlate(x: Array, ct: Array, low: Ints, tile: int, parts: int, absolute: bool = False) -> Array:
    """The filter gradient at the points, each part of the tiles for itself."""
    to_input, _, to_output = matrices(tile)
    if absolute:
        x, ct, to_input, to_output = (np.abs(a) for a in (x, ct, to_input, to_output))
    space, features, points = ct.shape[1:3], ct.shape[3], (tile + 2) ** 2
    result = np.zeros((parts, points, x.shape[3], features), x.dtype)
    if ct.size == 0 or result.size == 0:
        return result
    data = np.einsum("pi,qj,byxcij->byxpqc", to_input, to_input, _tiles(x, low, space, tile), optimize=True)
    whole = np.pad(ct, [(0, 0), *((0, -n % tile) for n in space), (0, 0)])
    cut = whole.reshape(ct.shape[0], whole.shape[1] // tile, tile, whole.shape[2] // tile, tile, features)
    spread = np.einsum("ip,jq,byixjk->byxpqk", to_output, to_output, cut, optimize=True)
    data, spread = data.reshape(-1, points, x.shape[3]), spread.reshape(-1, points, features)
    share = -(-len(data) // parts)
    for part in range(parts):
        mine = slice(part * share, (part + 1) * share)
        result[part] = np.einsum("tpc,tpk->pck", data[mine], spread[mine], optimize=True)
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
        x, other = (a.astype(np.float64) for a in arrays)
        low, tile = attributes["padding_low"], attributes["tile"]
        if "parts" in attributes:
            terms = other[..., 0].size
            magnitude = _correlate(x, other, low, tile, attributes["parts"], absolute=True)
        else:
            terms = x.shape[-1]
            names = ("padding_low", "padding_high", "features", "tile", "row_taps", "column_taps", "drop")
            given = [attributes[name] for name in names if name in attributes]
            magnitude = _convolve(x, other, *given, absolute=True)
        return np.asarray((terms + 40) * 2.0**-23 * magnitude + ulp_of(expected, element))


def _winograd_case(rng: Rng, element: Type) -> Case:
    tile = (2, 4)[int(rng.integers(2))]
    inputs, features = integers(rng, 1, 20, 2)
    shape = int(rng.integers(1, 3)), *integers(rng, 1, 11, 2), inputs
    x = values(rng, shape, element)
    taps = [((0, 3), (0, 3), (0, 2, 1, 3), (1, 2, 1, 3))[int(rng.integers(4))] for _ in range(2)]
    down, across = (len(pairs) // 2 for pairs in taps)
    w = values(rng, ((tile + 2) ** 2, down * across * panels(features), inputs, PANEL), element)
    low, high = integers(rng, -1, 4, 2), integers(rng, -1, 4, 2)
    space = _outputs(shape[1:3], low, high)
    drop = tuple(int(rng.integers(0, 2)) if n else 0 for n in space)
    return case(
        element, x, w, padding_low=low, padding_high=high, features=features, tile=tile, row_taps=taps[0],
        column_taps=taps[1], drop=drop,
    )  # fmt: skip


def _gradient_case(rng: Rng, element: Type) -> Case:
    drawn = _winograd_case(rng, element)
    x, attributes = drawn.arrays[0], drawn.attributes
    low, high = attributes["padding_low"], attributes["padding_high"]
    ct = values(rng, (x.shape[0], *_outputs(x.shape[1:3], low, high), attributes["features"]), element)
    parts = int(rng.integers(1, 4))
    return case(element, x, ct, padding_low=low, padding_high=high, tile=attributes["tile"], parts=parts)


def _outputs(space: Sequence[int], low: Ints, high: Ints) -> list[int]:
    return [max(0, n + lo + hi - 2) for n, lo, hi in zip(space, low, high, strict=True)]


def _check_images(x: TensorType, tile: int, padding_low: Ints, padding_high: Ints) -> tuple[Dim, Dim, Dim]:
    """Batch, height and width of the convolution's result."""
    floating(x)
    check_choice("tile", str(tile), [str(m) for m in PAIRS])
    check_lengths(2, padding_low=padding_low, padding_high=padding_high)
    if x.rank != 4 or any(isinstance(n, SymbolicDim) for n in x.shape[1:]):
        raise ShapeError(f"needs images [b, h, w, c] of fixed size. Received: {x}")
    height, width = (
        window_size(n, 3, lo, hi, 1, 1, f"spatial dim {i}")
        for i, (n, lo, hi) in enumerate(zip(x.shape[1:3], padding_low, padding_high, strict=True))
    )
    return x.shape[0], height, width


@graph.op("winograd_convolution", ins="lhs kernel")
class WinogradConvolution:
    """Windows of 3 x 3 of lhs[b, h, w, c], times a kernel that was transformed for tiles of `tile` outputs, summed.

    Height, width and channels are fixed sizes, padding is that of convolution, strides are 1. Several kernels may share
    the windows and make neighbouring pixels, the phases of an upsampling: row_taps and column_taps have a pair for each
    phase of an axis, the first tap and the one after the last that its kernel has along it; points at which it is zero
    therefore are left out. `drop` cuts rows and columns off the end of the result.

    The kernel is [(tile + 2)^2, phases * panels, c, PANEL], phases in row-major order: feature k of phase f is element
    k % PANEL of panel f * panels + k / PANEL; what is beyond `features` is not read.
    """

    def infer(
        lhs: Type,
        kernel: Type,
        *,
        padding_low: Ints,
        padding_high: Ints,
        features: int,
        tile: int,
        row_taps: Ints = WHOLE,
        column_taps: Ints = WHOLE,
        drop: Ints = (0, 0),
    ) -> TensorType:
        x, w = tensor(lhs), tensor(kernel)
        batch, height, width = _check_images(x, tile, padding_low, padding_high)
        for taps in (row_taps, column_taps):
            if not taps or len(taps) % 2 or any(not 0 <= first < end <= 3 for first, end in phases(taps)):
                raise ShapeError(f"taps are pairs from 0 to 3, the first below the second. Received: {taps}")
        down, across = len(row_taps) // 2, len(column_taps) // 2
        count = down * across * panels(features)
        if w is not TensorType(((tile + 2) ** 2, count, x.shape[3], PANEL), x.element):
            raise ShapeError(
                f"needs a kernel [{(tile + 2) ** 2}, {count}, c, {PANEL}] for {features} features. "
                f"Received: {x} and {w}"
            )
        check_lengths(2, drop=drop)
        space = [n * f - cut for n, f, cut in zip((height, width), (down, across), drop, strict=True)]
        if any(cut < 0 or is_below(n, 0) for n, cut in zip(space, drop, strict=True)):
            raise ShapeError(f"cannot drop {drop} of {height * down} rows and {width * across} columns")
        return TensorType((batch, *space, features), x.element)

    def reference(
        lhs: Array,
        kernel: Array,
        *,
        padding_low: Ints,
        padding_high: Ints,
        features: int,
        tile: int,
        row_taps: Ints = WHOLE,
        column_taps: Ints = WHOLE,
        drop: Ints = (0, 0),
    ) -> Array:
        wide = lhs.astype(np.float64), kernel.astype(np.float64)
        made = _convolve(*wide, padding_low, padding_high, features, tile, row_taps, column_taps, drop)
        return made.astype(lhs.dtype)

    vjp = NOT_DIFFERENTIABLE  # it is chosen when the gradients are already there
    lower = "winograd"
    stablehlo = NONE
    samples = Samples((t.f32,), _winograd_case)
    tolerance = TransformedSums()


@graph.op("winograd_filter_gradient", ins="lhs ct")
class WinogradFilterGradient:
    """The gradient of a 3 x 3 convolution by its kernel, at the points, in `parts` sums: [parts, points, c, k].

    The tiles of all images, in order, make equal parts; G' g G of the sum g of the parts is the gradient.
    ct[b, h, w, k] is by the result of the convolution of lhs[b, h, w, c] with this padding, strides and dilations 1.
    """

    def infer(lhs: Type, ct: Type, *, padding_low: Ints, padding_high: Ints, tile: int, parts: int = 1) -> TensorType:
        x, gradient = tensor(lhs), tensor(ct)
        images = _check_images(x, tile, padding_low, padding_high)
        check_least(1, parts=(parts,))
        if gradient.rank != 4 or gradient is not TensorType((*images, gradient.shape[3]), x.element):
            raise ShapeError(f"needs a gradient [{', '.join(map(str, images))}, k]. Received: {x} and {gradient}")
        return TensorType((parts, (tile + 2) ** 2, x.shape[3], gradient.shape[3]), x.element)

    def reference(lhs: Array, ct: Array, *, padding_low: Ints, padding_high: Ints, tile: int, parts: int = 1) -> Array:
        made: Array = _correlate(lhs.astype(np.float64), ct.astype(np.float64), padding_low, tile, parts)
        return made.astype(lhs.dtype)

    vjp = NOT_DIFFERENTIABLE
    lower = "winograd"
    stablehlo = NONE
    samples = Samples((t.f32,), _gradient_case)
    tolerance = TransformedSums()
