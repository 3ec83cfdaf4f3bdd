"""A virtual environment for each family of peers: their pinned packages would not all live in one."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

KERAS = "keras==3.15.1"
REQUIREMENTS = {
    "onnxruntime": ["onnxruntime==1.31.1"],
    "openvino": ["openvino==2026.4.1"],
    "litert": ["ai-edge-litert==2.3.0"],
    "jax": [KERAS, "jax==0.10.2", "jaxlib==0.10.2"],
    "torch": [KERAS, "torch==2.13.0", "onnx==1.23.2", "onnxscript==0.7.2"],
    "tensorflow": [KERAS, "tensorflow-cpu==2.21.0", "tf2onnx==1.17.0", "onnx==1.23.2"],
}
FAMILIES = (*REQUIREMENTS, "kcompile")


def interpreter(home: Path, family: str) -> str:
    """The Python of a family; ours is the one that runs the benchmark."""
    return sys.executable if family == "kcompile" else str(home / "venvs" / family / "bin" / "python")


def install(home: Path, families: list[str]) -> None:
    """Make the environments that are not there; several GB and minutes for all."""
    for family in families:
        python = interpreter(home, family)
        if family == "kcompile" or os.path.exists(python):
            continue
        print(f"environment of {family}: {' '.join(REQUIREMENTS[family])}", file=sys.stderr, flush=True)
        folder = home / "venvs" / family
        unfinished = folder.with_suffix(".unfinished")  # an interrupted install is not taken for a whole one
        venv.create(unfinished, clear=True, with_pip=True)
        pip = [str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS[family]]
        subprocess.run(pip, check=True)
        unfinished.rename(folder)
