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
from .dialect import NONE, NOT_DIFFERENTIABLE, Array, check_choice, check_least, check_lengths, floating, graph, tensor
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


def _convolve(x: Array, w: Array, low: Ints, high: Ints, features: int, tile: int, absolute: bool = False) -> Array:
    """The convolution as the formula says; `absolute`: of absolute values throughout, a bound of all sums."""
    to_input, _, to_output = matrices(tile)
    if absolute:
        x, w, to_input, to_output = (np.abs(a) for a in (x, w, to_input, to_output))
    space = [max(0, n + lo + hi - 2) for n, lo, hi in zip(x.shape[1:3], low, high, strict=True)]
    result = np.zeros((x.shape[0], *space, features), x.dtype)
    if result.size == 0:
        return result
    size = tile + 2
    data = np.einsum("pi,qj,byxcij->byxcpq", to_input, to_input, _tiles(x, low, space, tile), optimize=True)
    kernel = w.transpose(0, 2, 1, 3).reshape(size, size, x.shape[3], -1)[..., :features]
    product = np.einsum("byxcpq,pqck->byxkpq", data, kernel, optimize=True)
    made = np.einsum("ip,jq,byxkpq->byixjk", to_output, to_output, product, optimize=True)
    whole = made.reshape(x.shape[0], made.shape[1] * tile, made.shape[3] * tile, features)
    result[...] = whole[:, : space[0], : space[1]]
    return result


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
            magnitude = _convolve(x, other, low, attributes["padding_high"], attributes["features"], tile, True)
        return np.asarray((terms + 40) * 2.0**-23 * magnitude + ulp_of(expected, element))


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


def _gradient_case(rng: Rng, element: Type) -> Case:
    drawn = _winograd_case(rng, element)
    x, attributes = drawn.arrays[0], drawn.attributes
    lists = zip(x.shape[1:3], attributes["padding_low"], attributes["padding_high"], strict=True)
    space = [int(window_size(n, 3, lo, hi, 1, 1, "dim")) for n, lo, hi in lists]  # type: ignore[arg-type]
    ct = values(rng, (x.shape[0], *space, attributes.pop("features")), element)
    return case(element, x, ct, **attributes, parts=int(rng.integers(1, 4)))


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

    Height, width and channels are fixed sizes. The kernel is [(tile + 2)^2, panels, c, PANEL]: output feature k is
    element k % PANEL of panel k / PANEL; what is beyond `features` is not read. Padding as in convolution, strides and
    dilations 1.
    """

    def infer(
        lhs: Type, kernel: Type, *, padding_low: Ints, padding_high: Ints, features: int, tile: int
    ) -> TensorType:
        x, w = tensor(lhs), tensor(kernel)
        images = _check_images(x, tile, padding_low, padding_high)
        if w is not TensorType(((tile + 2) ** 2, panels(features), x.shape[3], PANEL), x.element):
            raise ShapeError(
                f"needs a kernel [{(tile + 2) ** 2}, {panels(features)}, c, {PANEL}] for {features} features. "
                f"Received: {x} and {w}"
            )
        return TensorType((*images, features), x.element)

    def reference(
        lhs: Array, kernel: Array, *, padding_low: Ints, padding_high: Ints, features: int, tile: int
    ) -> Array:
        wide = lhs.astype(np.float64), kernel.astype(np.float64)
        made: Array = _convolve(*wide, padding_low, padding_high, features, tile).astype(lhs.dtype)
        return made

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
