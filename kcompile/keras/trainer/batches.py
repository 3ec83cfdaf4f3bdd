"""Where batches come from: arrays in memory, indexed data sets, and any iterable of batches.

A source gives `(x, y, sample_weight)` per batch, each a structure (tensor, list, dict) of NumPy arrays or None.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing.structure import flatten, map_structure

Batch = tuple[Any, Any, Any]
DEFAULT_ROWS = 32  # of a batch, as in Keras


class PyDataset:
    """Base of data sets with random access: `__len__` = number of batches, `__getitem__(i)` = batch i.

    Batches are read in the thread that trains; workers, use_multiprocessing and max_queue_size are accepted and unused.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    @property
    def num_batches(self) -> int | None:
        return len(self)

    def on_epoch_begin(self) -> None:
        """Before each epoch."""

    def on_epoch_end(self) -> None:
        """After each epoch."""


Sequence = PyDataset  # its name in older Keras


class Source:
    """Base: `epoch()` iterates over the batches of one epoch; `steps` is their number, or None."""

    steps: int | None = None
    samples: int | None = None  # rows in all, where known before

    def epoch(self) -> Iterator[Batch]:
        raise NotImplementedError

    def end_epoch(self) -> None:
        """After an epoch that ran to its end."""


class ArraySource(Source):
    """Rows of arrays in memory, in order or shuffled anew in each epoch.

    Batches of unshuffled data are views; those of shuffled data are written into one buffer that the next batch reuses.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        shuffle: bool = False,
        steps: int | None = None,
    ):
        self.parts = (as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight"))
        self.arrays = [a for a in flatten(self.parts) if a is not None]
        self.samples = common_length(self.parts)
        if batch_size is not None and (not isinstance(batch_size, int | np.integer) or batch_size < 1):
            raise ArgumentError(f"batch_size is an int >= 1. Received: batch_size={batch_size!r}")
        if batch_size is None and steps:
            batch_size = -(-self.samples // steps)
        self.batch_size = int(batch_size or DEFAULT_ROWS)
        self.shuffle = bool(shuffle)
        self.steps = math.ceil(self.samples / self.batch_size)

    def epoch(self) -> Iterator[Batch]:
        size, total = self.batch_size, int(self.samples or 0)
        if not self.shuffle:
            for start in range(0, total, size):
                yield self._pack([a[start : start + size] for a in self.arrays])
            return
        order = self.order()
        assert order is not None
        buffers = [np.empty((min(size, total), *a.shape[1:]), a.dtype) for a in self.arrays]
        for start in range(0, total, size):
            rows = order[start : start + size]
            targets = buffers if len(rows) == len(buffers[0]) else [b[: len(rows)] for b in buffers]
            for array, target in zip(self.arrays, targets, strict=True):
                np.take(array, rows, axis=0, out=target, mode="clip")  # in range by construction; "raise" would copy
            yield self._pack(targets)

    def order(self) -> np.ndarray[Any, Any] | None:
        """The order of the rows of a new epoch; None where they stay as they are."""
        return np.random.permutation(int(self.samples or 0)) if self.shuffle else None

    def _pack(self, leaves: list[Any]) -> Batch:
        if len(self.arrays) == 2 and self.parts[0] is self.arrays[0] and self.parts[1] is self.arrays[1]:
            return leaves[0], leaves[1], None
        items = iter(leaves)
        return tuple(map_structure(lambda a: None if a is None else next(items), part) for part in self.parts)  # type: ignore[return-value]


class DatasetSource(Source):
    """A PyDataset, or any object with its protocol."""

    def __init__(self, dataset: Any, shuffle: bool = False):
        self.dataset = dataset
        self.shuffle = shuffle
        count = getattr(dataset, "num_batches", None)
        self.steps = len(dataset) if count is None else int(count)

    def epoch(self) -> Iterator[Batch]:
        begin = getattr(self.dataset, "on_epoch_begin", None)
        if begin is not None:
            begin()
        order = np.random.permutation(int(self.steps or 0)) if self.shuffle else range(int(self.steps or 0))
        for i in order:
            yield as_batch(self.dataset[int(i)])

    def end_epoch(self) -> None:
        end = getattr(self.dataset, "on_epoch_end", None)
        if end is not None:
            end()


class IterableSource(Source):
    """Any iterable of batches. An iterator (a generator) is read once; other iterables start again in each epoch."""

    def __init__(self, iterable: Iterable[Any], steps: int | None = None):
        self.iterable = iterable
        self.once = isinstance(iterable, Iterator)
        self.steps = steps
        if steps is None and hasattr(iterable, "__len__"):
            self.steps = len(iterable)  # type: ignore[arg-type]

    def epoch(self) -> Iterator[Batch]:
        for item in self.iterable:
            yield as_batch(item)


class EpochReader:
    """Hands out the batches of epochs of `steps` batches each; without `steps` an epoch is all batches of the source.

    With `steps`, an epoch goes on where the one before stopped, and starts a source of arrays again at its end.
    """

    def __init__(self, source: Source, steps: int | None = None):
        if steps is not None and (not isinstance(steps, int | np.integer) or steps < 1):
            raise ArgumentError(f"the number of steps is an int >= 1. Received: steps={steps!r}")
        self.source = source
        self.steps = steps
        self._current: Iterator[Batch] | None = None

    @property
    def known_steps(self) -> int | None:
        return self.steps if self.steps is not None else self.source.steps

    def batches(self) -> Iterator[Batch]:
        if self.steps is None:
            yield from self.source.epoch()
            self.source.end_epoch()
            return
        restarted = False
        given = 0
        while given < self.steps:
            if self._current is None:
                self._current = self.source.epoch()
            batch = next(self._current, None)
            if batch is not None:
                restarted = False
                given += 1
                yield batch
                continue
            self._current = None
            self.source.end_epoch()
            if restarted or getattr(self.source, "once", False):
                warnings.warn(
                    f"the data ended after {given} of {self.steps} batches. Give as many batches as steps_per_epoch "
                    f"* epochs, "
                    f"or leave the number of steps out.",
                    stacklevel=3,
                )
                return
            restarted = True


def make_source(
    x: Any, y: Any, sample_weight: Any, batch_size: int | None, shuffle: Any, steps: int | None = None
) -> Source:
    """The source for what a user passes as `x`: arrays, a PyDataset, or an iterable of batches."""
    if is_dataset(x):
        _refuse_extra(x, y, sample_weight)
        return DatasetSource(x, shuffle=bool(shuffle))
    if is_batch_iterable(x):
        _refuse_extra(x, y, sample_weight)
        return IterableSource(x)
    return ArraySource(x, y, sample_weight, batch_size=batch_size, shuffle=bool(shuffle), steps=steps)


def is_dataset(x: Any) -> bool:
    if isinstance(x, PyDataset):
        return True
    indexed = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return indexed and (hasattr(x, "on_epoch_end") or hasattr(x, "num_batches"))


def is_batch_iterable(x: Any) -> bool:
    """Whether `x` gives batches when iterated: no array, no container of arrays."""
    if isinstance(x, list | tuple | Mapping | np.ndarray | str) or hasattr(x, "__array__") or hasattr(x, "shape"):
        return False
    return hasattr(x, "__iter__")


def _refuse_extra(x: Any, y: Any, sample_weight: Any) -> None:
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                f"with x of {type(x).__name__} the batches hold {name} too, so {name} is left out. Received: {name} "
                f"of {type(value).__name__}"
            )


def as_batch(item: Any) -> Batch:
    """(x,), (x, y) or (x, y, sample_weight) as a triple of structures of arrays."""
    if isinstance(item, tuple):
        if not 1 <= len(item) <= 3:
            raise ArgumentError(f"a batch is x, (x, y) or (x, y, sample_weight). Received: a tuple of {len(item)}")
        parts = (*item, None, None)[:3]
    elif isinstance(item, list) and 1 < len(item) <= 3 and all(hasattr(v, "shape") for v in item):
        parts = (*item, None, None)[:3]  # what a torch DataLoader gives
    else:
        parts = (item, None, None)
    return tuple(as_arrays(p, n) for p, n in zip(parts, ("x", "y", "sample_weight"), strict=True))  # type: ignore[return-value]


def as_arrays(value: Any, name: str) -> Any:
    """The structure with a C-contiguous array at each leaf; float64 becomes float32, integers keep their dtype."""
    if isinstance(value, list | tuple) and value and not _has_arrays(value):
        return _as_array(np.asarray(value), name)  # nested Python numbers are one array
    return map_structure(lambda leaf: None if leaf is None else _as_array(leaf, name), value)


def _has_arrays(value: Any) -> bool:
    return any(hasattr(leaf, "shape") or leaf is None for leaf in flatten(value)) or isinstance(value, Mapping)


def _as_array(value: Any, name: str) -> np.ndarray[Any, Any]:
    if hasattr(value, "detach"):
        value = value.detach()
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ArgumentError(
            f"{name} must hold numbers. Received: an array of dtype {array.dtype} and shape {array.shape}. Encode text "
            f"and categories as numbers first."
        )
    if array.ndim == 0:
        raise ShapeError(f"{name} needs a batch axis. Received: a scalar, {array!r}")
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def common_length(parts: Any) -> int:
    """The number of rows that all arrays share; raises ShapeError when they differ."""
    sizes = {len(a) for a in flatten(parts) if a is not None}
    if len(sizes) != 1:
        shown = ", ".join(
            f"{name}: {[a.shape for a in flatten(part) if a is not None]}"
            for name, part in zip(("x", "y", "sample_weight"), parts, strict=False) if part is not None
        )  # fmt: skip
        raise ShapeError(f"all arrays need the same number of rows (axis 0). Received: {shown or 'no data'}")
    return sizes.pop()


def split_for_validation(parts: Any, fraction: float) -> tuple[Any, Any]:
    """The first rows for training, the last `fraction` for validation."""
    if not 0.0 < fraction < 1.0:
        raise ArgumentError(f"validation_split lies inside (0, 1). Received: validation_split={fraction}")
    total = common_length(parts)
    cut = math.floor(total * (1.0 - fraction))
    if not 0 < cut < total:
        raise ArgumentError(
            f"{total} rows cannot be split for training and validation. Received: validation_split={fraction}. Give "
            f"more rows, or "
            f"validation_data."
        )

    def rows(start: int, stop: int) -> Any:
        return tuple(map_structure(lambda a: None if a is None else a[start:stop], p) for p in parts)

    return rows(0, cut), rows(cut, total)


def weights_of_classes(y: Any, class_weight: Mapping[int, float]) -> np.ndarray[Any, Any]:
    """The weight of each row's class. y: integer labels (b,) or (b, 1), or one-hot rows (b, classes)."""
    labels = np.asarray(y)
    if labels.ndim > 2:
        raise ArgumentError(f"class_weight needs labels of one or two axes. Received: y of shape {labels.shape}")
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    labels = labels.astype(np.int64)
    weights = np.ones(len(labels), np.float32)
    for label, weight in class_weight.items():
        if not math.isfinite(weight):
            raise ArgumentError(f"class_weight holds finite numbers. Received: class_weight[{label}]={weight}")
        weights[labels == int(label)] = weight
    return weights
