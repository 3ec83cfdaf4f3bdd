"""Interpolation between the elements of an axis, as the matrix that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _triangle(x: Array) -> Array:
    return np.maximum(0, 1 - x)


def _keys_cubic(x: Array) -> Array:
    """The cubic of Keys, 1981, with a = -1/2: third-order exact."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: float) -> Callable[[Array], Array]:
    def kernel(x: Array) -> Array:
        return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)

    return kernel


KERNELS: dict[str, Callable[[Array], Array]] = {
    "bilinear": _triangle,
    "bicubic": _keys_cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def resampling_matrix(size: int, factor: int, kind: str) -> Array:
    """(factor * size, size), float64: the weights of the elements in each new one; pixels are squares, not points.

    Weights of elements that would lie outside are shared out among the others.

    >>> resampling_matrix(2, 2, "bilinear").tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    places = (np.arange(size * factor) + 0.5) / factor - 0.5
    weights = KERNELS[kind](np.abs(places[:, None] - np.arange(size)[None, :]))
    return weights / weights.sum(axis=1, keepdims=True)
