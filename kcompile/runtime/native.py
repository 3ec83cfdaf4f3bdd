"""Where the C side of the runtime is: its sources, and the host library that the install has built from them."""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

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
    return _built("_kc_host")


def _built(name: str) -> Path | None:
    """A file that the install has compiled, by the name of its module."""
    directories = [_HERE]
    if not (_HERE / "native").is_dir():
        # A checkout that hides the installed package (`python -m pytest` puts it first on the path) uses its library.
        directories += [Path(entry or ".") / "kcompile" / "runtime" for entry in sys.path]
    for directory in directories:
        for suffix in EXTENSION_SUFFIXES:
            candidate = directory / f"{name}{suffix}"
            if candidate.is_file():
                return candidate
    return None


CALL_VERSION = 1  # KC_CALL_VERSION of kc_call.c


@cache
def call_type() -> Any:
    """The type `Call` of the extension module of kc_call.c; None where it was not built, or is of another version.

    Like the host library it is not used where `KCOMPILE_HOST_LIBRARY` is set but empty.
    """
    path = _built("_kc_call")
    if path is None or os.environ.get("KCOMPILE_HOST_LIBRARY") == "":
        return None
    try:
        spec = importlib.util.spec_from_file_location("kcompile.runtime._kc_call", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:  # built for another Python or NumPy
        problem = str(error)
    else:
        if module.VERSION == CALL_VERSION:
            return module.Call
        problem = f"it is of version {module.VERSION}, not {CALL_VERSION}"
    warnings.warn(
        f"calls of small models are slower than they could be: {path.name} is not usable ({problem}). Install kcompile "
        "again.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None
