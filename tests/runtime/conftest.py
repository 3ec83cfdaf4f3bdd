"""What the runtime tests share: a C compiler, the host library and a hand-written model, built from the sources."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kcompile.runtime.host import open_library
from kcompile.runtime.native import source_directory

HERE = Path(__file__).parent
SOURCES = source_directory()
HOST_SOURCES = [str(SOURCES / "kc_host.c"), str(SOURCES / "kc_machine.c")]

Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """build(name, *arguments): compiles with warnings as errors and returns the file; skips without a C compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")
    directory = tmp_path_factory.mktemp("runtime")

    def compile_(name: str, *arguments: str) -> Path:
        target = directory / name
        flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
        includes = [f"-I{SOURCES / 'include'}", f"-I{SOURCES}"]
        command = [compiler, *flags, *includes, *arguments, "-o", str(target), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return target

    return compile_


@pytest.fixture(scope="session")
def host_library_file(build: Build) -> Path:
    return build("libkc_host.so", "-shared", "-fPIC", "-fvisibility=hidden", *HOST_SOURCES)


@pytest.fixture
def team(host_library_file: Path) -> Iterator[ctypes.CDLL]:
    """The host library; whatever workers a test leaves behind are ended after it."""
    library = open_library(host_library_file)
    library.kc_host_set_yielding(0)  # the team that was asked for, also on a busy machine
    yield library
    library.kc_host_set_spin_us(-1)
    assert library.kc_host_close() == 0


@pytest.fixture(scope="session")
def toy_library_file(build: Build) -> Path:
    return build("libtoy.so", "-shared", "-fPIC", "-fvisibility=hidden", "-ffreestanding", str(HERE / "toy_model.c"))


@pytest.fixture(scope="session")
def kc_run(build: Build) -> Path:
    return build("kc_run", str(SOURCES / "kc_run.c"), *HOST_SOURCES)
