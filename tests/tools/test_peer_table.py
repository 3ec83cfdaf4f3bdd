"""The table of the peer benchmark: the best sound peer counts, and rows of later files take the place of earlier."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TABLE = Path(__file__).parents[2] / "tools" / "bench" / "peers" / "table.py"


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("peer_table", TABLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(peers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    row = {"mode": "infer", "model": "m", "batch": 2, "threads": 1, "peers": peers}
    return {"models": {"m": {"flops": 500_000_000}}, "peak": {"1": 100.0}, "rows": [row]}


def cells_of(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    head, row = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (lines[0], lines[2]))
    assert len([line for line in lines if line.startswith("| infer")]) == 1
    return dict(zip(head, row, strict=True))


def test_the_ratio_is_that_to_the_best_sound_peer(table: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    peers = {
        "kcompile": {"min": 0.02, "error": 1e-7},
        "openvino-tf": {"min": 0.05, "error": 2e-7},
        "openvino-torch": {"min": 0.03, "error": 3e-7},
        "torch-inductor": {"min": 0.04, "error": 1e-7},
        "litert": {"min": 0.001, "error": 0.5},  # it computes something else
        "jax-jit": {"failed": "it could not"},
    }
    table.print_table([results(peers)])
    cells = cells_of(capsys)
    assert (cells["OpenVINO"], cells["inductor"], cells["torch"]) == ("30.00 ms", "40.00 ms", "–")
    assert (cells["LiteRT"], cells["JAX"]) == ("–", "–")
    assert cells["ratio"] == "1.50"
    assert cells["% of peak"] == "50 %"  # 1 GFLOP in 20 ms, of 100 a second
    assert (cells["error"], cells["peer's error"]) == ("1e-07", "3e-07")


def test_later_rows_take_the_place_of_earlier(table: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    first = results({"kcompile": {"min": 1.0}, "torch": {"min": 1.0}})
    second = results({"kcompile": {"min": 0.5}, "torch": {"min": 1.0}})
    table.print_table([first, second])
    assert cells_of(capsys)["ratio"] == "2.00"
