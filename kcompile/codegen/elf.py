"""The symbols of a 64-bit little-endian ELF object."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kcompile.errors import FormatError

_SYMTAB = 2


@dataclass(frozen=True, slots=True)
class Symbol:
    """One row of the symbol table."""

    name: str
    section: int  # 0 = undefined
    is_global: bool
    value: int
    size: int


def read_symbols(data: bytes) -> list[Symbol]:
    """The symbol table of an object; FormatError for other files."""
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        raise FormatError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    symbols: list[Symbol] = []
    try:
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
        for _, kind, _, _, offset, length, link, _, _, _ in sections:
            if kind != _SYMTAB:
                continue
            names_at, names_size = sections[link][4:6]
            names = data[names_at : names_at + names_size]
            for at in range(offset + 24, offset + length, 24):  # the first row is empty by rule
                name, info, _, section, value, extent = struct.unpack_from("<IBBHQQ", data, at)
                text = names[name : names.index(b"\0", name)].decode()
                symbols.append(Symbol(text, section, info >> 4 != 0, value, extent))
    except (struct.error, IndexError, ValueError) as error:
        raise FormatError(f"the ELF file is damaged: {error}") from None
    return symbols


def undefined_symbols(data: bytes) -> set[str]:
    """The names that an object needs from elsewhere. _GLOBAL_OFFSET_TABLE_ is the linker's own, and needs nobody."""
    return {s.name for s in read_symbols(data) if s.section == 0 and s.name and s.name != "_GLOBAL_OFFSET_TABLE_"}
