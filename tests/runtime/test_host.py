"""environment(), thread_count() and set_threads(), with the host library and without it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.errors import KcompileError
from kcompile.runtime import cpu, host
from kcompile.runtime.abi import KcEnv


@pytest.fixture
def fresh_host(monkeypatch: pytest.MonkeyPatch, host_library_file: Path) -> Iterator[None]:
    """This process as if it had just started, with a host library built from the sources."""
    monkeypatch.setattr(host, "_state", host._State())
    monkeypatch.setenv("KCOMPILE_HOST_LIBRARY", str(host_library_file))
    monkeypatch.delenv("KCOMPILE_THREADS", raising=False)
    yield


def test_an_environment_is_a_kc_env(fresh_host: None) -> None:
    environment = host.environment(threads=3)
    struct = KcEnv.from_address(environment.address)
    assert struct.size == ctypes.sizeof(KcEnv)
    assert struct.max_workers == environment.threads == 3
    assert struct.cpu[0] == environment.cpu_bits == cpu.detect_without_library()
    assert environment.cpu_level == cpu.level_of(environment.cpu_bits)
    assert struct.run_on_workers and struct.park and struct.wake


def test_equal_requests_give_one_environment(fresh_host: None) -> None:
    assert host.environment(2) is host.environment(threads=2)
    assert host.environment(2) is not host.environment(3)
    assert host.environment() is host.environment(host.thread_count())


def test_asking_starts_no_thread(fresh_host: None) -> None:
    host.environment(8)
    library = host.library()
    assert library is not None
    assert library.kc_host_workers() == 0


def test_levels_below_the_best_can_be_asked_for(fresh_host: None) -> None:
    for level in cpu.levels_up_to(host.environment(1).cpu_bits):
        assert host.environment(1, cpu_level=level).cpu_level == level


def test_a_level_that_this_cpu_lacks_is_refused(fresh_host: None) -> None:
    with pytest.raises(KcompileError, match=r"has the levels .* Received: cpu_level='x86-64-v9'"):
        host.environment(1, cpu_level="x86-64-v9")


def test_threads_set_in_the_program_go_before_the_variable(fresh_host: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCOMPILE_THREADS", "5")
    assert host.thread_count() == 5
    host.set_threads(3)
    assert host.thread_count() == host.environment().threads == 3
    host.set_threads(None)
    assert host.thread_count() == 5
    monkeypatch.setenv("KCOMPILE_THREADS", "0")
    assert host.thread_count() >= 1


@pytest.mark.parametrize("value", ["two", "-1", "1.5", "٣", " 2"])
def test_a_variable_that_is_no_number_is_an_error(
    fresh_host: None, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("KCOMPILE_THREADS", value)
    with pytest.raises(KcompileError, match="KCOMPILE_THREADS must be a whole number"):
        host.thread_count()


@given(st.integers(-(10**30), 0) | st.floats() | st.booleans() | st.text() | st.just([2]))
def test_what_is_no_thread_count_is_refused(value: object) -> None:
    with pytest.raises(KcompileError, match="must be a whole number above 0. Received"):
        host.set_threads(value)  # type: ignore[arg-type]


@given(st.integers(1, 10**30))
def test_thread_counts_end_at_the_largest_team(value: int) -> None:
    try:
        host.set_threads(value)
        assert host.thread_count() == min(value, host.MAX_WORKERS)
    finally:
        host.set_threads(None)


WITHOUT_LIBRARY = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from kcompile.runtime import cpu, host
    environments = [host.environment(), host.environment(8), host.environment()]
    count = host.thread_count()
assert [w.category for w in caught] == [RuntimeWarning], caught
assert "one thread" in str(caught[0].message) and "{reason}" in str(caught[0].message), caught[0].message
assert count == 1 and all(e.threads == 1 for e in environments)
assert all(e.cpu_bits == cpu.detect_without_library() for e in environments)
print("done")
"""


@pytest.mark.parametrize("case", ["none", "missing", "not a library", "another library", "another version"])
def test_without_the_library_there_is_one_thread_and_one_warning(build, tmp_path: Path, case: str) -> None:
    reason = "Not a usable host library"
    if case == "none":
        path, reason = "", "no C compiler"
    elif case == "missing":
        path = str(tmp_path / "nothing.so")
    elif case == "not a library":
        (tmp_path / "text.so").write_text("not a library")
        path = str(tmp_path / "text.so")
    else:
        source = tmp_path / "other.c"
        names = [name for name in host._SIGNATURES if name != "kc_host_version"]
        functions = "".join(f"void {name}(void) {{}}\n" for name in names)
        if case == "another library":
            source.write_text("int something_else;\n")
        else:
            source.write_text(functions + "int kc_host_version(void) { return 99; }\n")
            reason = "Received: version 99"
        path = str(build(f"{case.replace(' ', '-')}.so", "-shared", "-fPIC", str(source)))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARY.replace("{reason}", reason)],
        env={**os.environ, "KCOMPILE_HOST_LIBRARY": path, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
