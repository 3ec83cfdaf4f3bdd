"""Steps run in the interpreter here: these tests are about callbacks, not about generated code."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCOMPILE_ENGINE", "interpreter")
