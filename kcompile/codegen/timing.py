"""How long kernels run, each alone on one thread of this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from kcompile.codegen.kernels import Array, Kernel
from kcompile.codegen.target import LINE
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import evaluate
from kcompile.ir.types import MemRefType


def example_arrays(function: Operation, sizes: Mapping[str, int]) -> list[Array]:
    """Buffers for a kernel at the loops level: random floats; zeros for integers, as 0 always is a place.

    They begin at a line of the cache, as those of the plan do; elsewhere a transpose of 512 x 512 takes 1.5 times as
    long.
    """
    random = np.random.default_rng(0)
    memrefs = [a.type for a in function.body.arguments if isinstance(a.type, MemRefType)]
    made = []
    for memref, shape in zip(memrefs, function["kernel.dims"], strict=False):  # behind them there may be scratch
        size = tuple(evaluate(d, dict(sizes)) for d in shape)
        dtype = t.to_numpy(memref.element)
        array = aligned(size, dtype)
        array[...] = 0 if dtype.kind in "iub" else random.random(size)
        made.append(array)
    return made


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array that begins at a line of the cache."""
    bytes_ = np.empty(math.prod(shape) * dtype.itemsize + LINE, np.uint8)
    start = -bytes_.ctypes.data % LINE
    return bytes_[start : start + len(bytes_) - LINE].view(dtype).reshape(shape)


def least_times(
    kernels: Sequence[Kernel], functions: Sequence[Operation], sizes: Mapping[str, int], rounds: int = 12
) -> list[float]:
    """The least seconds of a call of each kernel, over `rounds` in turn, so that a busy moment hits all of them."""
    calls: list[Callable[[], object]] = []
    for kernel, function in zip(kernels, functions, strict=True):
        symbols = [sizes[s] for s in function.get("kernel.symbols", ())]
        calls.append(partial(kernel, example_arrays(function, sizes), *symbols, 0, 1))
    return in_turns(calls, rounds)


def in_turns(calls: Sequence[Callable[[], object]], rounds: int = 1, seconds: float = 0.0) -> list[float]:
    """The least seconds of each call, all of them in turns: for so many rounds, and for so long if that is more."""
    best, end = [math.inf] * len(calls), time.perf_counter() + seconds
    while rounds > 0 or time.perf_counter() < end:
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
        rounds -= 1
    return best
