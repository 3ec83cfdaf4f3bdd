"""What all tests share: golden .mlir tests, hypothesis profiles, markers that skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Tests that change a pass or a constant compile the same models as others: whole models are not taken from the cache.
os.environ.setdefault("KCOMPILE_REUSE", "0")

settings.register_profile(  # a slow machine is no failure, and two runs test the same cases
    "kcompile", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", parent=settings.get_profile("kcompile"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "kcompile"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-checks", action="store_true", help="rewrite generated CHECK lines of golden tests")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Any:
    if file_path.suffix == ".mlir" and "// RUN:" in file_path.read_text():
        from tests.golden import GoldenFile

        return GoldenFile.from_parent(parent, path=file_path)
    return None
