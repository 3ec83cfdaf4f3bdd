"""`import kcompile` is light and lazy, and the package knows where its C sources are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import kcompile
from kcompile.runtime.native import header, source_directory


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    loaded = python("import sys, kcompile; print(*sorted(sys.modules))").split()
    assert "kcompile" in loaded
    heavy = {"numpy", "llvmlite", "h5py", "cffi", "ctypes", "keras", "kcompile.keras", "kcompile.api", "kcompile.ir"}
    assert heavy.isdisjoint(loaded)


def test_import_and_an_environment_start_no_worker() -> None:
    code = (
        "import glob, kcompile; from kcompile.runtime.host import environment; environment(4);"
        "print([open(f).read().strip() for f in glob.glob('/proc/self/task/*/comm')].count('kc-worker'))"
    )
    assert python(code) == "0"  # NumPy's BLAS has threads of its own; ours are called kc-worker


def test_errors_are_reachable_from_the_root() -> None:
    from kcompile import errors

    assert kcompile.KcompileError is errors.KcompileError
    assert issubclass(kcompile.ShapeError, kcompile.KcompileError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kcompile.nothing
    assert set(kcompile.__all__) <= set(dir(kcompile))


def test_the_header_is_found() -> None:
    assert "typedef struct kc_model" in header()
    for name in ("include/kc.h", "kc_host.h", "kc_host.c", "kc_machine.c", "kc_run.c"):
        assert (source_directory() / name).is_file()
