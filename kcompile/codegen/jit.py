"""Objects loaded into this process."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from kcompile.codegen.object import initialize
from kcompile.errors import KcompileError

_LOCK = threading.Lock()
_COUNT = itertools.count()
_LLJIT: Any = None


class LoadedObject:
    """The code of one object; it stays in memory for as long as this object lives."""

    def __init__(self, tracker: Any):
        self._tracker = tracker
        self._addresses: dict[str, int] = {}

    def address(self, symbol: str) -> int:
        """Where `symbol` is; KcompileError if the object does not export it."""
        if symbol not in self._addresses:
            with _LOCK:
                try:
                    self._addresses[symbol] = self._tracker[symbol]
                except (KeyError, RuntimeError):
                    raise KcompileError(f"the object has no symbol {symbol}") from None
        return self._addresses[symbol]


def load_object(data: bytes, symbols: tuple[str, ...] = ()) -> LoadedObject:
    """Load an object for this machine. `symbols` are the names it exports that will be asked for; all of them if none.

    >>> load_object(compile_object(text, target)).address("kc.dispatch_3")                  # doctest: +SKIP
    """
    import llvmlite.binding as llvm

    from kcompile.codegen.elf import read_symbols

    global _LLJIT
    initialize()
    wanted = symbols or tuple(s.name for s in read_symbols(data) if s.is_global and s.section)
    with _LOCK:
        if _LLJIT is None:
            # The other linker maps each section by itself; in a process with many mappings they came to lie further
            # apart than their relocations reach, and LLVM aborts then.
            _LLJIT = llvm.create_lljit_compiler(use_jit_link=True)
        builder = llvm.JITLibraryBuilder().add_object_img(data)
        for symbol in wanted:
            builder = builder.export_symbol(symbol)
        try:
            return LoadedObject(builder.link(_LLJIT, f"kcompile-{next(_COUNT)}"))
        except RuntimeError as error:
            raise KcompileError(f"the object cannot be loaded: {error}") from None
