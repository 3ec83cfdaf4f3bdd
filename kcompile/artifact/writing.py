"""Writing an artifact: all files into a directory beside the wanted one, the manifest last, then one rename.

    digits.kc/manifest.json            format, interface, inputs and outputs, targets, sha256 of every file
    digits.kc/include/{kc,digits}.h    for C and C++
    digits.kc/lib/<triple>/digits.o    freestanding: no undefined symbols; libdigits.so where a linker was found
    digits.kc/selftest.bin             inputs and expected outputs
    digits.kc/loader.py                runs the model in Python with NumPy alone

The same model and options give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcompile.artifact.embedding import embed
from kcompile.artifact.header import header_text
from kcompile.artifact.linking import link
from kcompile.artifact.selftest import ROWS, TOLERANCE, make_inputs, pack
from kcompile.codegen.elf import read_symbols, undefined_symbols
from kcompile.codegen.entry import BARRIER_BYTES
from kcompile.codegen.interface import Interface
from kcompile.codegen.target import Target
from kcompile.errors import ArtifactError
from kcompile.ir import types as t
from kcompile.ir.core import find_function
from kcompile.ir.dims import SymbolicDim
from kcompile.runtime.native import header

if TYPE_CHECKING:
    from kcompile.api import CompiledModel
    from kcompile.pipeline import CompiledModule

FORMAT = 1
DEFAULT_TARGETS = {"x86_64": ("x86-64", "x86-64-v3", "x86-64-v4"), "aarch64": ("aarch64",)}


def write_artifact(model: CompiledModel, path: Path, targets: Sequence[str] | None, name: str) -> Path:
    """Write `model` to the directory `path`; gives it. See `CompiledModel.save`."""
    if isinstance(targets, str):
        raise ArtifactError(f"targets is a list of names. Received: the text {targets!r}")
    wanted = [Target.get(n) for n in targets or DEFAULT_TARGETS[Target.host().architecture]]
    _check_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        _fill(scratch, model, wanted, name)
        scratch.chmod(0o755)
        _swap(scratch, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return path


def _check_place(path: Path) -> None:
    if path.is_dir() and not (path / "manifest.json").exists() and any(path.iterdir()):
        raise ArtifactError("the directory exists and is no artifact; choose another place or remove it", str(path))
    if path.exists() and not path.is_dir():
        raise ArtifactError("an artifact is a directory. Received: the path of a file", str(path))


def _swap(scratch: Path, path: Path) -> None:
    """Put `scratch` in the place of `path`: at any moment there is the old artifact, the new one, or none."""
    if not path.exists():
        os.rename(scratch, path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    os.rename(path, old / "artifact")
    try:
        os.rename(scratch, path)
    except OSError:
        os.rename(old / "artifact", path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _fill(root: Path, model: CompiledModel, targets: list[Target], name: str) -> None:
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.triple, []).append(target)
    described = []
    compiled: CompiledModule | None = None
    for triple, members in groups.items():
        compiled = model.compiled_for(members, name)
        described.append(_write_target(root, triple, compiled, model))
    assert compiled is not None
    interface = Interface.joined([find_function(compiled.module("plan", x), "main") for x in compiled.targets])
    inputs, outputs = ([_port(p) for p in side] for side in (interface.inputs, interface.outputs))
    _write(root / "include" / "kc.h", header().encode())
    _write(root / "include" / f"{name}.h", header_text(name, inputs, outputs, list(interface.symbols)).encode())
    _write(root / "loader.py", (Path(__file__).parent / "loader.py").read_bytes())
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "abi": 1,
        "name": name,
        "model": model.name,
        "versions": _versions(),
        "options": model.options.code_key(),
        "sizes": list(interface.symbols),
        "inputs": inputs,
        "outputs": outputs,
        "structure": model.traced.outputs,
        # of all workers together, and of each for itself; with rows > 0 each has both, never of more than so many rows
        "arena": {
            "bytes": str(interface.arena + BARRIER_BYTES),
            "scratch": interface.scratch,
            "rows": interface.rows,
        },
        "targets": described,
        "selftest": _write_selftest(root, model, interface),
    }
    manifest["files"] = _digests(root)
    text = json.dumps(manifest, indent=1, sort_keys=True, default=_refuse)
    _write(root / "manifest.json", text.encode())


def _refuse(value: Any) -> Any:
    raise ArtifactError(f"the outputs of the model have a structure that JSON cannot hold. Received: {value!r}")


def _versions() -> dict[str, str]:
    import kcompile
    from kcompile.codegen.object import versions

    return {"kcompile": kcompile.__version__, "code": versions()}


def _port(port: Any) -> dict[str, Any]:
    shape = [str(d) if isinstance(d, SymbolicDim) else d for d in port.type.shape]
    return {"name": port.name, "dtype": str(t.to_numpy(port.type.element)), "shape": shape}


def _write_target(root: Path, triple: str, compiled: CompiledModule, model: CompiledModel) -> dict[str, Any]:
    name = compiled.name
    data = compiled.object
    block = compiled.prepared_weights(model.weights)
    if block:
        data = embed(data, f"{name}_weights", block)
    missing = undefined_symbols(data)
    exported = [s.name for s in read_symbols(data) if s.is_global and s.section]
    if missing or exported != [f"kc_{name}_query"]:
        raise ArtifactError(f"the object must export kc_{name}_query alone. Received: {exported}, undefined {missing}")
    folder = root / "lib" / triple
    _write(folder / f"{name}.o", data)
    library = f"lib{name}.so"
    linked = link(folder / f"{name}.o", folder / library, compiled.targets[0].architecture)
    return {
        "triple": triple,
        "levels": [m.name for m in compiled.targets],
        "object": f"lib/{triple}/{name}.o",
        "library": f"lib/{triple}/{library}" if linked else None,
    }


def _write_selftest(root: Path, model: CompiledModel, interface: Interface) -> dict[str, Any]:
    from kcompile.ir.interpreter import interpret

    traced = model.traced
    sizes = dict.fromkeys(interface.symbols, ROWS)
    inputs = make_inputs([a.type for a in traced.arguments if a.role != "weight"], sizes)
    given, weights = iter(inputs), iter(model.weights)
    arguments = [next(weights) if a.role == "weight" else next(given) for a in traced.arguments]
    expected = interpret(traced.module, "main", arguments, sizes)
    data, index = pack([*inputs, *expected])
    _write(root / "selftest.bin", data)
    return {
        "sizes": [sizes[s] for s in interface.symbols],
        "inputs": index[: len(inputs)],
        "outputs": index[len(inputs) :],
        "tolerance": TOLERANCE,
    }


def _digests(root: Path) -> dict[str, dict[str, Any]]:
    files = {}
    for file in sorted(p for p in root.rglob("*") if p.is_file()):
        data = file.read_bytes()
        files[file.relative_to(root).as_posix()] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return files


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
