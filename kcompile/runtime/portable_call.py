"""PortableCall: what runtime/kc_call.c does, in Python: calls of one bound model on NumPy arrays.

It takes arrays that kernels can read as they are, of shapes that it has been told about (`learn`), and answers None for
anything else. Pointer tables, byte counts and arena are made once for each set of shapes and each thread that is inside
at the same moment (a `Workspace`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kcompile.runtime import abi
from kcompile.runtime.memory import Memory, address_of

PLAIN = 0x101  # NumPy's flags C_CONTIGUOUS and ALIGNED
WRITABLE = PLAIN | 0x400
MOST_SHAPES = 256  # what calls with more different shapes have taught is forgotten, not kept for ever
Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Port = int | np.dtype[Any]  # the address of a variable, or the dtype of an array of the caller


class Known(NamedTuple):
    """What calls with arrays of certain shapes need."""

    sizes: dict[str, int]
    in_bytes: tuple[int, ...]
    out_bytes: tuple[int, ...]
    results: tuple[Shape, ...]
    arena_bytes: int


class Workspace:
    """What one thread at a time works with: an arena, and a frame for every set of shapes seen."""

    __slots__ = ("arena", "frames")

    def __init__(self) -> None:
        self.arena = Memory(0)
        self.frames: dict[tuple[Shape, ...], abi.Frame] = {}

    def frame(self, shapes: tuple[Shape, ...], bound: abi.BoundModel, known: Known) -> abi.Frame:
        """The frame for these shapes; all frames of a workspace share its arena, which grows as needed."""
        found = self.frames.get(shapes)
        if found is None:
            if known.arena_bytes > self.arena.nbytes:
                self.arena = Memory(known.arena_bytes)
                self.frames = {}
            found = bound.frame(known.sizes, known.in_bytes, known.out_bytes, arena=self.arena)
            self.frames[shapes] = found
        return found


class PortableCall:
    """inputs, outputs: one port each of the model; alone: only one call at a time, because variables change."""

    def __init__(self, bound: abi.BoundModel, inputs: Sequence[Port], outputs: Sequence[Port], alone: bool):
        self._bound = bound
        self._pointers = [port if isinstance(port, int) else 0 for port in inputs]
        self._targets = [port if isinstance(port, int) else 0 for port in outputs]
        self._input_places = [i for i, port in enumerate(inputs) if not isinstance(port, int)]
        self._output_places = [i for i, port in enumerate(outputs) if not isinstance(port, int)]
        self._dtypes = [port for port in inputs if not isinstance(port, int)]
        self._result_dtypes = [port for port in outputs if not isinstance(port, int)]
        self._known: dict[tuple[Shape, ...], Known] = {}
        self._idle: list[Workspace] = []
        self._lock = threading.Lock() if alone else None

    def learn(
        self,
        shapes: tuple[Shape, ...],
        sizes: tuple[int, ...],
        in_bytes: tuple[int, ...],
        out_bytes: tuple[int, ...],
        results: tuple[Shape, ...],
        arena_bytes: int,
        release: bool,
    ) -> None:
        """Calls with arrays of these shapes are possible from here on."""
        if len(self._known) >= MOST_SHAPES:
            self.forget()
        named = dict(zip(self._bound.model.size_names, sizes, strict=True))
        self._known[shapes] = Known(named, in_bytes, out_bytes, results, arena_bytes)

    def forget(self) -> None:
        """Drop what was learned, and idle memory."""
        self._known, self._idle = {}, []

    def __call__(self, *arrays: Any) -> list[Array] | None:
        """New arrays with the results; None where the arrays do not fit."""
        shapes = self._shapes(arrays)
        known = None if shapes is None else self._known.get(shapes)
        if shapes is None or known is None:
            return None
        results = [np.empty(shape, dtype) for shape, dtype in zip(known.results, self._result_dtypes, strict=True)]
        targets = [address_of(y) for y in results]
        self._working(shapes, known, lambda frame: self._run(frame, [address_of(x) for x in arrays], targets))
        return results

    def one(self, array: Any) -> Array | None:
        """The one result for the one argument."""
        if len(self._dtypes) != 1 or len(self._result_dtypes) != 1:
            return None
        results = self(array)
        return None if results is None else results[0]

    def steps(
        self,
        arrays: tuple[Array, ...],
        order: Array | None,
        first: int,
        rows: int,
        count: int,
        seconds: float,
        into: tuple[Array, ...],
    ) -> int | None:
        """Run on `count` batches of `rows` rows from row `first` on, of the arrays, or of their rows in `order`.

        Results are written to the same rows of `into`. Stops after `seconds` (0: no limit). Gives the number of batches
        done, or None where the arrays do not fit.
        """
        if first < 0 or rows < 1 or count < 0:
            raise ValueError("steps needs first >= 0, rows >= 1 and count >= 0")
        end = first + rows * count
        shapes = self._shapes(arrays)
        if not shapes or len(into) != len(self._result_dtypes) or any(not shape for shape in shapes):
            return None
        if order is None and min(shape[0] for shape in shapes) < end:
            return None
        if order is not None and (order.dtype != np.int64 or order.ndim != 1 or len(order) < end):
            return None
        available = min(shape[0] for shape in shapes)
        shapes = tuple([(rows, *shape[1:]) for shape in shapes])
        known = self._known.get(shapes)
        if known is None or not self._take(into, known, rows, end):
            return None
        gathered = [np.empty(s, d) for s, d in zip(shapes, self._dtypes, strict=True)] if order is not None else []
        stop = time.perf_counter() + seconds if seconds > 0 else None

        def run(frame: abi.Frame) -> int:
            for done in range(count):
                row = first + done * rows
                if order is not None:
                    wanted = order[row : row + rows]
                    if wanted.min() < 0 or wanted.max() >= available:
                        raise IndexError("a row number of order is out of range")
                    for array, target in zip(arrays, gathered, strict=True):
                        np.take(array, wanted, axis=0, out=target, mode="clip")  # "raise" would copy
                batch = gathered or [array[row : row + rows] for array in arrays]
                targets = [address_of(array[row : row + rows]) for array in into]
                self._run(frame, [address_of(x) for x in batch], targets)
                if stop is not None and time.perf_counter() >= stop:
                    return done + 1
            return count

        done: int = self._working(shapes, known, run)
        return done

    def _shapes(self, arrays: Sequence[Any]) -> tuple[Shape, ...] | None:
        """The shapes of arrays that kernels can read as they are; None for others."""
        try:
            fits = [x.dtype for x in arrays] == self._dtypes and all([x.flags.num & PLAIN == PLAIN for x in arrays])
        except AttributeError:
            return None
        return tuple([x.shape for x in arrays]) if fits else None

    def _take(self, into: Sequence[Array], known: Known, rows: int, end: int) -> bool:
        """Whether results can be written to `into`."""
        return all(
            array.flags.num & WRITABLE == WRITABLE
            and array.dtype == dtype
            and shape[:1] == (rows,)
            and array.shape[1:] == shape[1:]
            and array.ndim == len(shape)
            and len(array) >= end
            for array, dtype, shape in zip(into, self._result_dtypes, known.results, strict=True)
        )

    def _working(self, shapes: tuple[Shape, ...], known: Known, run: Callable[[abi.Frame], Any]) -> Any:
        if self._lock is not None:
            with self._lock:
                return self._with_workspace(shapes, known, run)
        return self._with_workspace(shapes, known, run)

    def _with_workspace(self, shapes: tuple[Shape, ...], known: Known, run: Callable[[abi.Frame], Any]) -> Any:
        try:
            workspace = self._idle.pop()
        except IndexError:
            workspace = Workspace()
        done = run(workspace.frame(shapes, self._bound, known))
        self._idle.append(workspace)
        return done

    def _run(self, frame: abi.Frame, inputs: list[int], outputs: list[int]) -> None:
        pointers, targets = self._pointers.copy(), self._targets.copy()
        for i, address in zip(self._input_places, inputs, strict=True):
            pointers[i] = address
        for i, address in zip(self._output_places, outputs, strict=True):
            targets[i] = address
        frame.run(pointers, targets)
