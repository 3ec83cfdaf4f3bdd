"""A shared library from a freestanding object, by whatever linker there is; without one there is none, said plainly."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from kcompile.errors import ArtifactError

FLAGS = ["-shared", "-z", "now", "-z", "noexecstack"]
LINK_SECONDS = 300  # zig's first link for a target builds things; everything else takes milliseconds


def linker(architecture: str) -> list[str] | None:
    """The command that links for an architecture, without its input and output; None where there is no such tool."""
    native = platform.machine() in (architecture, {"aarch64": "arm64"}.get(architecture, ""))
    emulation = {"x86_64": "elf_x86_64", "aarch64": "aarch64linux"}[architecture]
    if native and shutil.which("cc"):
        return ["cc", "-nostdlib", "-Wl,--build-id=none", "-shared", "-Wl,-z,now", "-Wl,-z,noexecstack"]
    if native and shutil.which("ld"):
        return ["ld", "--build-id=none", *FLAGS]
    for tool in (f"{architecture}-linux-gnu-ld",):
        if shutil.which(tool):
            return [tool, "--build-id=none", *FLAGS]
    if shutil.which("ld.lld"):
        return ["ld.lld", "-m", emulation, "--build-id=none", *FLAGS]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", "-target", f"{architecture}-linux-gnu", "-nostdlib", "-shared",
                "-Wl,--build-id=none", "-Wl,-z,now"]  # fmt: skip
    return None


def link(source: Path, target: Path, architecture: str) -> bool:
    """Link the object `source` into the shared library `target`; False where there is no linker.

    The name that the library gives itself is its file name, so the same object always makes the same bytes.
    Raises ArtifactError when the linker fails.
    """
    command = linker(architecture)
    if command is None:
        return False
    soname = f"-Wl,-soname,{target.name}" if "cc" in command else f"-soname={target.name}"
    try:
        done = subprocess.run(
            [*command, soname, "-o", target.name, source.name],
            cwd=source.parent, capture_output=True, text=True, timeout=LINK_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"the linker did not finish in {LINK_SECONDS} s: {' '.join(command)}") from None
    if done.returncode:
        raise ArtifactError(f"the linker failed: {' '.join(command)}\n{done.stderr.strip()}")
    return True
