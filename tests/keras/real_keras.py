"""Running a script in real Keras (JAX backend): in this Python if it has Keras, else in the one
KCOMPILE_KERAS_PYTHON names.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "KCOMPILE_KERAS_PYTHON"


def interpreter() -> str | None:
    """The Python that has Keras, or None."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    return sys.executable if importlib.util.find_spec("keras") and importlib.util.find_spec("jax") else None


def run(script: str, directory: Path) -> str:
    """Run `script` in `directory` with real Keras; gives what it prints. Skips the test where there is no Keras."""
    python = interpreter()
    if python is None:
        pytest.skip(f"real Keras is not installed; {VARIABLE} may name a Python that has it")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": ""}
    done = subprocess.run(
        [python, "-c", script], cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"the script failed in real Keras:\n{done.stderr[-3000:]}"
    return done.stdout
