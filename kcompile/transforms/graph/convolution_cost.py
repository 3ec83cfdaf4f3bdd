"""Which algorithm a convolution of 3 x 3 takes: an estimate of its time on one core. The only place with its numbers.

Measured on an AMD Zen 5 core at 276 GF/s (tools/bench/kernels.py); what counts is how they compare with one another,
which is much the same on other machines with wide vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from kcompile.dialects.graph.winograd import PAIRS, PANEL, panels, point_range

Taps = tuple[tuple[int, int], ...]  # the first, and the one after the last, of each phase
THREE: tuple[Taps, Taps] = (((0, 3),), ((0, 3),))
MULTIPLY = 8.0e-3  # ns a multiply-add, in register tiles, direct or at the points: 250 of 276 GF/s
GATHER = {2: 1.0, 4: 2.4}  # ns a tile and input channel: read, transform, store (16 or 36 points)
SCATTER = {2: 0.8, 4: 1.9}  # ns a tile and output feature: load, transform back, epilogue, store
LOAD = 0.033  # ns a byte of weights that do not stay in the cache from one call to the next: 30 GB/s
CACHED = 1 << 20  # bytes of weights that do stay
PREPARE = 0.4  # ns an element of the transformed kernel, where it is made anew in each call
FINISH = 0.1  # ns an element of a filter gradient at the points: written and read once more
BLOCK = 64  # channels and features of a block of a filter gradient, see strategies/winograd_filter.py
MARGIN = 0.9  # Winograd's larger rounding error wants a gain of at least a tenth


@dataclass(frozen=True, slots=True)
class Choice:
    """tile: of Winograd's algorithm; 0: the direct one. reason: the estimates, in microseconds."""

    tile: int
    reason: str


def choose(
    images: int, height: int, width: int, inputs: int, features: int, frozen: bool, taps: tuple[Taps, Taps] = THREE
) -> Choice:
    """The algorithm for so many images with height x width windows; `frozen`: the weights stay from call to call.

    taps: of the phases, down and across (see tap_windows.py).

    >>> choose(1, 56, 56, 64, 64, True).tile, choose(1, 28, 28, 3, 32, True).tile
    (4, 0)
    """
    met = prod(sum(end - first for first, end in axis) for axis in taps)
    times = {0: direct(images * height * width * met, inputs, features)}
    times |= {m: winograd(m, images, height, width, inputs, features, frozen, taps) for m in PAIRS}
    return decide(times, images)


def choose_for_filter(images: int, height: int, width: int, inputs: int, features: int) -> Choice:
    """The algorithm for the gradient by the weights; `height` and `width` are those of the convolution's result."""
    times = {0: direct(9 * images * height * width, inputs, features)}
    return decide(times | {m: winograd_filter(m, images, height, width, inputs, features) for m in PAIRS}, images)


def decide(times: dict[int, float], images: int) -> Choice:
    """The fastest of algorithms by their times in ns; the direct one is 0."""
    best = min(PAIRS, key=times.__getitem__)
    listed = ", ".join(f"{'direct' if m == 0 else f'F({m},3)'} {time / 1e3:.1f} us" for m, time in times.items())
    return Choice(best if times[best] < MARGIN * times[0] else 0, f"{listed} for {images} image{'s'[: images != 1]}")


def direct(positions: int, inputs: int, features: int) -> float:
    """ns of the direct convolution; `positions`: multiplications for an input and an output feature."""
    lanes = panels(features) * PANEL  # idle ones take time too
    return max(positions * inputs * lanes * MULTIPLY, loading(9 * inputs * features))


def winograd(
    tile: int, images: int, height: int, width: int, inputs: int, features: int, frozen: bool, taps: tuple[Taps, Taps]
) -> float:
    """ns of F(tile, 3)."""
    tiles = images * -(-height // tile) * -(-width // tile)
    lanes, channels = panels(features) * PANEL, panels(inputs) * PANEL
    down, across = ([end - first for first, end in (point_range(pair, tile) for pair in axis)] for axis in taps)
    weights = sum(down) * sum(across) * inputs * lanes
    multiply = max(tiles * weights * MULTIPLY, loading(weights))
    prepare = 0.0 if frozen else weights * PREPARE
    scattered = lanes * len(down) * len(across) * SCATTER[tile]
    return multiply + tiles * (channels * GATHER[tile] + scattered) + prepare


def winograd_filter(tile: int, images: int, height: int, width: int, inputs: int, features: int) -> float:
    """ns of the gradient by the weights on transformed tiles; blocks of channels are transformed for each other's."""
    tiles = images * -(-height // tile) * -(-width // tile)
    points, channels, lanes = (tile + 2) ** 2, panels(inputs) * PANEL, panels(features) * PANEL
    again = -(-channels // BLOCK), -(-lanes // BLOCK)
    transforms = tiles * (channels * again[1] * GATHER[tile] + lanes * again[0] * SCATTER[tile])
    finish = points * filter_parts(inputs, features) * channels * lanes * (9 * MULTIPLY + FINISH)
    return points * tiles * channels * lanes * MULTIPLY + transforms + finish


def filter_parts(inputs: int, features: int) -> int:
    """How many sums a filter gradient is made in: work for a few threads where there are few channels."""
    blocks = -(-inputs // BLOCK) * -(-features // BLOCK)
    return max(1, 4 // blocks)


def loading(elements: int) -> float:
    """ns to load so many weights of f32."""
    return max(0, 4 * elements - CACHED) * LOAD
