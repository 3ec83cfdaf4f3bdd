"""The self-test of an artifact: inputs, and what must come out by the interpreter, not by the code under test."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.runtime.binding import Array

ROWS = 2
# Sums in another order than NumPy's: a few hundred ulp, far from what a wrong kernel would give.
TOLERANCE = {"float16": 2e-2, "float32": 1e-3, "float64": 1e-9}


def make_inputs(types: list[Any], sizes: dict[str, int]) -> list[Array]:
    """The same well-behaved numbers every time: floats around 0, small integers."""
    from kcompile.ir.dims import evaluate

    rng = np.random.default_rng(1)
    arrays: list[Array] = []
    for type in types:
        shape = tuple(evaluate(d, sizes) for d in type.shape)
        dtype = t.to_numpy(type.element)
        if dtype.kind == "f":
            arrays.append(rng.standard_normal(shape).astype(dtype))
        else:
            arrays.append(rng.integers(0, 2, shape).astype(dtype))
    return arrays


def pack(arrays: list[Array]) -> tuple[bytes, list[dict[str, Any]]]:
    """The bytes of arrays one after the other, and where each lies."""
    data = bytearray()
    index = []
    for array in arrays:
        index.append({"offset": len(data), "dtype": str(array.dtype), "shape": list(array.shape)})
        data += np.ascontiguousarray(array).tobytes()
        data += bytes(-len(data) % 64)
    return bytes(data), index
