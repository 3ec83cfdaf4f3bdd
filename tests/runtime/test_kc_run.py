"""The C runner: reads inputs, runs a model of a library, writes outputs, and says what is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("sizes", ["b=3,t=4", "t=4,b=3", "3,4"])
@pytest.mark.parametrize("threads", [1, 2])
def test_files_in_files_out(kc_run: Path, toy_library_file: Path, tmp_path: Path, sizes: str, threads: int) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    (tmp_path / "x").write_bytes(x.tobytes())
    files = ["--in", tmp_path / "x", "--out", tmp_path / "y", "--out", tmp_path / "total"]
    done = run(kc_run, toy_library_file, "toy", "--sizes", sizes, "--threads", threads, *files)
    assert done.returncode == 0, done.stderr
    y = np.fromfile(tmp_path / "y", np.float32).reshape(3, 4)
    np.testing.assert_array_equal(y, 2 * x + np.roll(x.sum(1), -1)[:, None])
    assert np.fromfile(tmp_path / "total", np.float64) == x.sum()


def test_without_files_it_shows_the_model_and_times_it(kc_run: Path, toy_library_file: Path) -> None:
    done = run(kc_run, toy_library_file, "toy", "--bench", 20)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "input x: float32 [1, 1], 4 bytes",
        "output y: float32 [1, 1], 4 bytes: 0",
        "output total: float64 [], 8 bytes: 0",
    ]
    assert done.stdout.splitlines()[3].startswith("20 runs on up to ")


def test_what_is_wrong_is_said(kc_run: Path, toy_library_file: Path, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"123")
    long = tmp_path / "long"
    long.write_bytes(b"12345")
    cases: list[tuple[list[object], int, str]] = [
        ([], 2, "a library and a model name are needed"),
        ([toy_library_file, "toy", "--bench"], 2, "--bench needs a value"),
        ([toy_library_file, "toy", "--speed", "9"], 2, "unknown option --speed"),
        ([toy_library_file, "toy", "--threads", "x"], 2, "--threads needs a whole number, received 'x'"),
        ([toy_library_file, "toy", "--sizes", "c=1"], 2, "'c' is none of them"),
        ([toy_library_file, "toy", "--sizes", "1,2,3"], 2, "has 2 sizes"),
        ([toy_library_file, "toy", "--in", short, "--in", short], 2, "1 inputs and 2 outputs"),
        ([toy_library_file, "toy", "--in", short], 1, "has fewer"),
        ([toy_library_file, "toy", "--in", long], 1, "has more"),
        ([toy_library_file, "toy", "--in", tmp_path / "none"], 1, "cannot open"),
        ([toy_library_file, "toy", "--sizes", f"b={1 << 61}"], 1, "a size does not fit in 64 bits (status 9)"),
        ([toy_library_file, "other"], 1, "no symbol kc_other_query"),
        ([tmp_path / "none.so", "toy"], 1, "none.so"),
    ]
    for arguments, code, message in cases:
        done = run(kc_run, *arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert message in done.stderr, (arguments, done.stderr)
        assert ("usage:" in done.stderr) == (code == 2)
