"""Reading HDF5 files of unknown origin: hard links only, data inside the file only, sizes checked before they are
read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from kcompile.errors import FormatError, KcompileError

_LARGEST = 4 << 30  # bytes of one dataset; more must at least be stored in the file
_MOST_EXPANSION = 1000  # declared bytes for each stored byte of a compressed dataset


def open_hdf5(data: bytes, where: str) -> h5py.File:
    """The file in `data`. Raises FormatError when it is not a whole HDF5 file."""
    try:
        return h5py.File(io.BytesIO(data), "r")
    except (OSError, ValueError, RuntimeError, OverflowError, MemoryError) as error:
        raise FormatError(f"the weights are not a readable HDF5 file, or are cut off: {error}", where) from error


@contextmanager
def damage_is_named(where: str) -> Iterator[None]:
    """Within, whatever h5py raises for a damaged file is a FormatError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError) as error:
        if isinstance(error, KcompileError):
            raise
        raise FormatError(f"the weights are damaged: {error}", where) from error


class CheckedGroup(Mapping[str, Any]):
    """A group as a mapping from names to arrays; every access checks links and sizes."""

    def __init__(self, group: h5py.Group, where: str):
        self._group = group
        self._where = where

    def group(self, path: str) -> CheckedGroup | None:
        """The group at `path` below this one, or None."""
        node: Any = self._group
        for part in path.split("/") if path else ():
            node = self._follow(node, part)
            if node is None:
                return None
            if not isinstance(node, h5py.Group):
                raise FormatError(f"'{path}' is not a group", self._where)
        return CheckedGroup(node, self._where)

    def _follow(self, group: h5py.Group, name: str) -> Any:
        try:
            link = group.get(name, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise FormatError(
                    f"'{group.name}/{name}' is a {type(link).__name__}, which could point outside the file. Only "
                    f"plain members are read.",
                    self._where,
                )
            return group[name]
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"'{group.name}/{name}' cannot be read: {error}", self._where) from error

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a member, without reading it."""
        return tuple(self._dataset(name).shape)

    def _dataset(self, name: str) -> Any:
        found = self._follow(self._group, name)
        if found is None:
            raise FormatError(
                f"'{self._group.name}' has no member '{name}'. It has: {', '.join(self) or 'none'}", self._where
            )
        if not isinstance(found, h5py.Dataset):
            raise FormatError(f"'{found.name}' is not a dataset", self._where)
        if found.is_virtual or found.external:
            raise FormatError(f"'{found.name}' keeps its data in other files, which are not read", self._where)
        if found.dtype.kind not in "fiub" and not _is_bfloat16(found):
            raise FormatError(f"'{found.name}' does not hold numbers. Received: dtype {found.dtype}", self._where)
        size, stored = found.size * found.dtype.itemsize, found.id.get_storage_size()
        if size > max(_LARGEST, stored) or size > max(1 << 20, stored * _MOST_EXPANSION):
            raise FormatError(
                f"'{found.name}' declares {size} bytes and stores {stored}: it would fill the memory", self._where
            )
        return found

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        found = self._dataset(name)
        try:
            array = np.asarray(found[()])
        except (OSError, RuntimeError, ValueError) as error:
            raise FormatError(f"'{found.name}' cannot be read: {error}", self._where) from error
        if array.dtype.kind == "V":
            bits = array.view(np.uint16).astype(np.uint32) << np.uint32(16)
            return bits.view(np.float32).reshape(found.shape)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._group.keys()))

    def __len__(self) -> int:
        return len(self._group.keys())


def _is_bfloat16(dataset: Any) -> bool:
    return (
        dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and str(dataset.attrs.get("dtype", "")) == "bfloat16"
    )
