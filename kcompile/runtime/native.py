"""Where the C side of the runtime is: its sources, and the host library that the install has built from them."""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from kcompile.errors import KcompileError

_HERE = Path(__file__).resolve().parent


def source_directory() -> Path:
    """The directory with `include/kc.h`, `kc_host.h`, `kc_host.c`, `kc_machine.c` and `kc_run.c`.

    Raises KcompileError when the installed package lacks them.
    """
    for candidate in (_HERE / "native", _HERE.parent.parent / "runtime"):
        if (candidate / "include" / "kc.h").is_file():
            return candidate
    raise KcompileError(
        f"The C sources of the runtime are missing. Received: no kc.h beside {_HERE}. Reinstall kcompile."
    )


def header() -> str:
    """The text of `kc.h`, for artifacts and for C programs."""
    return (source_directory() / "include" / "kc.h").read_text(encoding="utf-8")


def host_library_path() -> Path | None:
    """The host library of this installation, or None when it was installed without a C compiler.

    `KCOMPILE_HOST_LIBRARY` names another one; set but empty, it says: use none.
    """
    named = os.environ.get("KCOMPILE_HOST_LIBRARY")
    if named is not None:
        return Path(named) if named else None
    directories = [_HERE]
    if not (_HERE / "native").is_dir():
        # A checkout that hides the installed package (`python -m pytest` puts it first on the path) uses its library.
        directories += [Path(entry or ".") / "kcompile" / "runtime" for entry in sys.path]
    for directory in directories:
        for suffix in EXTENSION_SUFFIXES:
            candidate = directory / f"_kc_host{suffix}"
            if candidate.is_file():
                return candidate
    return None
