"""to_categorical and normalize, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ArgumentError


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """Class indices (..) as one-hot rows (.., num_classes) of the default float; a last axis of 1 is dropped.

    Example: to_categorical([0, 2]) == [[1, 0, 0], [0, 0, 1]]
    """
    indices = np.asarray(x, np.int64)
    shape = indices.shape[:-1] if indices.ndim > 1 and indices.shape[-1] == 1 else indices.shape
    flat = indices.reshape(-1)
    count = int(flat.max()) + 1 if num_classes is None and flat.size else num_classes or 0
    if flat.size and (flat.min() < 0 or flat.max() >= count):
        raise ArgumentError(
            f"class indices are from 0 to {count - 1}. Received: values from {flat.min()} to {flat.max()}"
        )
    out = np.zeros((flat.size, count), np.float32)
    out[np.arange(flat.size), flat] = 1
    return out.reshape(*shape, count)


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray[Any, Any]:
    """An array over its norms along `axis`."""
    array = np.asarray(x, np.float64 if np.asarray(x).dtype == np.float64 else np.float32)
    norm = np.atleast_1d(np.linalg.norm(array, order, axis))
    norm[norm == 0] = 1
    return np.asarray(array / np.expand_dims(norm, axis))
