"""Weights inside an object: they are written over the zeros that the compiler has reserved, after emission.

As LLVM text 64 MB of weights would take a minute and 5 GB of memory.
"""

from __future__ import annotations

import struct

from kcompile.codegen.elf import read_symbols
from kcompile.errors import ArtifactError


def embed(data: bytes, symbol: str, weights: bytes | bytearray) -> bytes:
    """The object `data` with `weights` at the place of `symbol`.

    Raises ArtifactError when the object has no such symbol of that size, or has something there already.
    """
    found = [s for s in read_symbols(data) if s.name == symbol and s.section]
    if len(found) != 1 or found[0].size != len(weights):
        sizes = [s.size for s in found]
        raise ArtifactError(f"the object has no room for {len(weights)} bytes at {symbol}. Received: sizes {sizes}")
    at = section_offset(data, found[0].section) + found[0].value
    patched = bytearray(data)
    if any(patched[at : at + len(weights)]):
        raise ArtifactError(f"the object has other data at {symbol} already")
    patched[at : at + len(weights)] = weights
    return bytes(patched)


def section_offset(data: bytes, number: int) -> int:
    """Where a section of a 64-bit ELF object begins in the file."""
    (table,) = struct.unpack_from("<Q", data, 40)
    (size,) = struct.unpack_from("<H", data, 58)
    offset: int
    (offset,) = struct.unpack_from("<Q", data, table + number * size + 24)
    return offset
