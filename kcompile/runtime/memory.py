"""Aligned memory for arenas, contexts and buffers."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np

ALIGNMENT = 64  # KC_ALIGNMENT of kc.h
# From here on whole pages, huge ones if the system has them: 5-10 % more streaming bandwidth, fewer TLB misses.
HUGE_PAGE = 2 << 20


class Memory:
    """`nbytes` bytes at `address`, aligned to 64, zero at first, alive as long as this object.

    Example: `arena = Memory(1 << 20); frame.run(..., arena.address, arena.nbytes)`.
    """

    __slots__ = ("_offset", "_owner", "address", "nbytes")

    def __init__(self, nbytes: int):
        self.nbytes = nbytes
        self._owner: mmap.mmap | bytearray
        if nbytes >= HUGE_PAGE:
            # Python's default is memory shared with child processes, for which Linux has no huge pages.
            private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
            self._owner = mmap.mmap(-1, nbytes, **private)
            if hasattr(mmap, "MADV_HUGEPAGE"):
                try:
                    self._owner.madvise(mmap.MADV_HUGEPAGE)
                except OSError:  # a kernel without huge pages
                    pass
        else:
            self._owner = bytearray(nbytes + ALIGNMENT)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._owner))
        self._offset = -start % ALIGNMENT
        self.address = start + self._offset

    def view(self) -> memoryview:
        """The bytes, writable."""
        return memoryview(self._owner)[self._offset : self._offset + self.nbytes]


def _address_from_object(array: np.ndarray[Any, Any]) -> int:
    return ctypes.c_ssize_t.from_address(id(array) + object.__basicsize__).value


def _address_from_interface(array: np.ndarray[Any, Any]) -> int:
    return int(array.ctypes.data)


def _choose_address_of() -> Callable[[np.ndarray[Any, Any]], int]:
    probes: list[np.ndarray[Any, Any]] = [np.empty(3), np.empty((2, 2), np.int8), np.empty(())]
    same = all(_address_from_object(probe) == _address_from_interface(probe) for probe in probes)
    return _address_from_object if same else _address_from_interface


# The data address of an ndarray. NumPy's C interface keeps the data pointer right behind the object header: reading it
# there takes 0.1 µs, `array.ctypes.data` 0.8 µs, several times per call of a small model. Checked at import.
address_of = _choose_address_of()
