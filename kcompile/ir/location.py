"""Where an operation comes from: a layer path, a line of user code, or several fused into one."""

from __future__ import annotations

from typing import ClassVar


class Location:
    """Interned. `str` gives MLIR text: loc(unknown), loc("model/dense/matmul"), loc("f.py":3:1), loc(fused[..])."""

    __slots__ = ("file", "line", "name", "parts")
    name: str
    file: str | None
    line: int
    parts: tuple[Location, ...]
    _pool: ClassVar[dict[tuple[object, ...], Location]] = {}

    def __new__(
        cls, name: str = "", file: str | None = None, line: int = 0, parts: tuple[Location, ...] = ()
    ) -> Location:
        key = (name, file, line, parts)
        self = cls._pool.get(key)
        if self is None:
            self = object.__new__(cls)
            self.name, self.file, self.line, self.parts = key
            cls._pool[key] = self
        return self

    def child(self, name: str) -> Location:
        """The location one scope further in."""
        return Location(f"{self.name}/{name}" if self.name else name, self.file, self.line)

    @property
    def inner(self) -> str:
        """The text between `loc(` and `)`."""
        if self.parts:
            return f"fused[{', '.join(p.inner for p in self.parts)}]"
        place = f'"{escape(self.file)}":{self.line}:1' if self.file else ""
        if self.name:
            return f'"{escape(self.name)}"({place})' if place else f'"{escape(self.name)}"'
        return place or "unknown"

    def __str__(self) -> str:
        return f"loc({self.inner})"

    __repr__ = __str__


def escape(text: str) -> str:
    """`text` as the inside of an MLIR string literal."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    out = []
    for byte in text.encode("utf-8", "surrogatepass"):
        char = chr(byte)
        out.append(char if 32 <= byte < 127 and char not in '"\\' else f"\\{byte:02X}")
    return "".join(out)


UNKNOWN = Location()


def fuse(*locations: Location) -> Location:
    """One location for an op made from several; keeps each origin once."""
    parts: list[Location] = []
    for location in locations:
        for part in location.parts or (location,):
            if part is not UNKNOWN and part not in parts:
                parts.append(part)
    if not parts:
        return UNKNOWN
    return parts[0] if len(parts) == 1 else Location(parts=tuple(parts))
