"""How many threads a process uses: environment variable, affinity, cgroup quota."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.runtime.host import open_library

PERIOD = 100_000
# A quota in microseconds per period, or None for no limit.
quotas = st.lists(st.none() | st.integers(1_000, 20 * PERIOD), min_size=1, max_size=4)


def cgroup_limit(library: ctypes.CDLL, listing: str, mount: Path) -> int:
    proc = mount / "proc_cgroup"
    proc.write_text(listing)
    return int(library.kc_host_cgroup_cpus(os.fsencode(proc), os.fsencode(mount)))


def tightest(limits: list[int | None]) -> int:
    return min((-(-limit // PERIOD) for limit in limits if limit is not None), default=0)


@given(quotas)
def test_version_2_the_tightest_quota_on_the_way_to_the_root_counts(
    host_library_file: Path, limits: list[int | None]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for depth, limit in enumerate(limits):
            if depth:
                directory /= f"level{depth}"
                directory.mkdir()
            (directory / "cpu.max").write_text(f"{'max' if limit is None else limit} {PERIOD}\n")
        path = "/" + str(directory.relative_to(name)) if len(limits) > 1 else "/"
        found = cgroup_limit(open_library(host_library_file), f"0::{path}\n", Path(name))
        assert found == tightest(limits)


@given(quotas)
def test_version_1_reads_the_tree_of_the_cpu_controller(host_library_file: Path, limits: list[int | None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "cpu")
        for depth, limit in enumerate(limits):
            directory = directory / f"level{depth}" if depth else directory
            directory.mkdir()
            (directory / "cpu.cfs_quota_us").write_text(f"{-1 if limit is None else limit}\n")
            (directory / "cpu.cfs_period_us").write_text(f"{PERIOD}\n")
        path = "/" + str(directory.relative_to(Path(name, "cpu"))) if len(limits) > 1 else "/"
        listing = f"12:cpuset:/elsewhere\n4:cpu,cpuacct:{path}\n1:name=systemd:/user\n"
        assert cgroup_limit(open_library(host_library_file), listing, Path(name)) == tightest(limits)


@pytest.mark.parametrize(
    "listing", ["", "garbage", "::", "0:", "0::", "0::relative", "0::/../..", "0::/" + "x" * 9000, "\n\n:\n"]
)
def test_an_odd_listing_is_no_limit(team: ctypes.CDLL, tmp_path: Path, listing: str) -> None:
    assert cgroup_limit(team, listing, tmp_path) == 0


@pytest.mark.parametrize("content", ["", "max", "max 100000", "-5 100000", "5 0", "a b", "9" * 300])
def test_an_odd_quota_is_no_limit(team: ctypes.CDLL, tmp_path: Path, content: str) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert cgroup_limit(team, "0::/\n", tmp_path) == 0


def count_in_a_process(library: Path, before: str = "", **variables: str) -> int:
    code = (
        f"import ctypes, os\n{before}\nlibrary = ctypes.CDLL({str(library)!r})\nprint(library.kc_host_thread_count())"
    )
    environment = {**{k: v for k, v in os.environ.items() if k != "KCOMPILE_THREADS"}, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.parametrize(("value", "count"), [("1", 1), ("7", 7), ("100000", 256), ("99999999999999999999", 256)])
def test_the_variable_decides(host_library_file: Path, value: str, count: int) -> None:
    assert count_in_a_process(host_library_file, KCOMPILE_THREADS=value) == count


@pytest.mark.parametrize("value", ["", "0", "-3", "two", "2x", "1.5"])
def test_a_variable_that_is_no_count_is_passed_over(host_library_file: Path, value: str) -> None:
    usable = open_library(host_library_file).kc_host_usable_cpus()
    assert count_in_a_process(host_library_file, KCOMPILE_THREADS=value) == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity on this system")
def test_affinity_is_respected(host_library_file: Path) -> None:
    allowed = len(os.sched_getaffinity(0))
    assert 1 <= count_in_a_process(host_library_file) <= allowed
    one = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert count_in_a_process(host_library_file, before=one) == 1
