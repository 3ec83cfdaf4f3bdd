"""Arrays between forbidden pages: a kernel that reads or writes one byte too far ends in a signal.

`guarded(array)` is a copy of an array that ends right before a forbidden page, or begins right after one.
`run_guarded(kernel, inputs, outputs, ...)` runs a kernel on both kinds and checks that they agree.
The checks run in this process: a failing one kills pytest with SIGSEGV, whose traceback (faulthandler) names the test.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kcompile.ir.interpreter import undefined

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

Array = np.ndarray[Any, Any]


def guarded(array: Array, at_end: bool = True, alignment: int | None = None) -> Array:
    """A copy of `array` in pages of its own, between two forbidden pages.

    at_end      the last byte is the last before the forbidden page; else the first byte is the first after one
    alignment   of the first byte; the items' size unless given (a copy at the end then touches the page exactly)
    """
    array = np.ascontiguousarray(array).reshape(array.shape)
    alignment = array.itemsize if alignment is None else alignment
    pages = max(1, -(-array.nbytes // PAGE))
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    whole = np.frombuffer(memory, np.uint8)
    base = whole.ctypes.data
    assert base % PAGE == 0
    start = (PAGE + pages * PAGE - array.nbytes) // alignment * alignment if at_end else PAGE
    copy = whole[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    for place in (base, base + (pages + 1) * PAGE):
        if _libc.mprotect(place, PAGE, mmap.PROT_NONE if hasattr(mmap, "PROT_NONE") else 0):
            raise OSError(ctypes.get_errno(), "mprotect failed")
    return copy  # keeps the memory alive by its base


def run_guarded(
    kernel: Callable[..., None],
    inputs: Sequence[Array],
    outputs: Sequence[Array],
    *indices: int,
    team: int | None = None,
) -> list[Array]:
    """Run `kernel([*inputs, *outputs], *indices)` with every buffer at the end and at the start of its pages.

    outputs     arrays of the right shape; their content is what the kernel finds
    team        run it as every worker of a team, one after the other: `tid, team` are appended to the indices
    Gives the outputs; fails if the two runs differ, or if an input was changed.
    """
    results: list[list[Array]] = []
    for at_end in (True, False):
        given = [guarded(x, at_end) for x in inputs]
        made = [guarded(x, at_end) for x in outputs]
        workers = [()] if team is None else [(tid, team) for tid in range(team)]
        for worker in workers:
            scratch = [guarded(undefined(x), at_end) for x in getattr(kernel, "scratch", ())]
            kernel([*given, *made, *scratch], *indices, *worker)
        for before, after in zip(inputs, given, strict=True):
            assert before.tobytes() == after.tobytes(), "the kernel wrote to an input"
        results.append([x.copy() for x in made])
    for first, second in zip(*results, strict=True):
        assert first.tobytes() == second.tobytes(), "the result depends on where the buffers lie"
    return results[0]
