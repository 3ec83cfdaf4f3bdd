"""Artifacts: what is saved runs as before, in Python and without kcompile; damage is found and named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile.api import CompiledModel
from kcompile.codegen.elf import read_symbols, undefined_symbols
from kcompile.errors import ArtifactError, ShapeError, UnsupportedError
from tests.artifact.models import compiled, rows


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    return compiled()


@pytest.fixture(scope="module")
def saved(model: CompiledModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("artifacts") / "toy.kc")


@pytest.fixture
def damaged(saved: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "toy.kc"))


def edit_manifest(artifact: Path, **changes: Any) -> None:
    path = artifact / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("count", [0, 1, 2, 33])
def test_a_loaded_artifact_gives_what_the_model_gives(model: CompiledModel, saved: Path, count: int) -> None:
    x = rows(count)
    # another CPU level may contract multiply and add differently: a few ulp of values below 1
    np.testing.assert_allclose(kcompile.load(saved)(x), model(x), rtol=1e-5, atol=1e-6)


def test_the_loader_needs_numpy_alone(model: CompiledModel, saved: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", rows(5))
    program = (
        "import sys, numpy as np\n"
        f"sys.path.insert(0, {str(saved)!r})\n"
        "import loader\n"
        f"y, = loader.Artifact({str(saved)!r}).run([np.load({str(tmp_path / 'x.npy')!r})])\n"
        f"np.save({str(tmp_path / 'y.npy')!r}, y)\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('kcompile', 'llvmlite', 'cffi')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(rows(5)), rtol=1e-5, atol=1e-6)


def test_the_loader_checks_itself_from_the_command_line(saved: Path) -> None:
    done = subprocess.run([sys.executable, str(saved / "loader.py")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "self-test are fine" in done.stdout


def test_the_object_stands_alone(saved: Path) -> None:
    (path,) = saved.glob("lib/*/toy.o")
    data = path.read_bytes()
    assert undefined_symbols(data) == set()
    assert [s.name for s in read_symbols(data) if s.is_global and s.section] == ["kc_toy_query"]


def test_the_same_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = compiled().save(tmp_path / "other name.kc")
    mine = {p.relative_to(saved): p.read_bytes() for p in saved.rglob("*") if p.is_file()}
    theirs = {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert mine[name] == theirs[name], name


def test_the_manifest_tells_how_much_arena_a_call_needs(saved: Path) -> None:
    from kcompile.artifact import loader

    artifact = loader.Artifact(saved)
    about = artifact.manifest["arena"]
    for batch in (1, 7, 100_000):
        rows_at_once = min(batch, about["rows"] or batch)
        need = loader.ctypes.c_int64()
        sizes = (loader.ctypes.c_int64 * 1)(batch)
        addresses = loader.ctypes.addressof(sizes), 1, loader.ctypes.addressof(need)
        assert artifact._arena_bytes(*addresses) == 0
        assert need.value == loader.extent(about["bytes"], {"b": rows_at_once}) + about["scratch"]


def test_other_weights_give_other_bytes(saved: Path, tmp_path: Path) -> None:
    other = compiled(scale=2.0).save(tmp_path / "toy.kc")
    (mine,), (theirs,) = saved.glob("lib/*/toy.o"), other.glob("lib/*/toy.o")
    assert mine.read_bytes() != theirs.read_bytes()


def test_saving_again_replaces_the_artifact(tmp_path: Path) -> None:
    place = compiled().save(tmp_path / "toy.kc")
    (place / "stale").write_text("from before")
    model = compiled(scale=2.0)
    model.save(place)
    assert not (place / "stale").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["toy.kc"]
    np.testing.assert_allclose(kcompile.load(place)(rows(3)), model(rows(3)), rtol=1e-5, atol=1e-6)


def test_a_failed_save_leaves_the_old_artifact(saved: Path, damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kcompile.artifact import writing

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write_selftest", full)
    with pytest.raises(OSError, match="No space"):
        compiled(scale=3.0).save(damaged)
    assert [p.name for p in damaged.parent.iterdir()] == ["toy.kc"]
    for path in saved.rglob("*"):
        if path.is_file():
            assert (damaged / path.relative_to(saved)).read_bytes() == path.read_bytes()


def test_other_directories_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="no artifact"):
        compiled().save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    with pytest.raises(ArtifactError, match="path of a file"):
        compiled().save(tmp_path / "mine" / "thesis.txt")


# -- damage
def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such directory"):
        kcompile.load(tmp_path / "nothing.kc")


def test_without_a_manifest_it_is_incomplete(damaged: Path) -> None:
    (damaged / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match="incomplete"):
        kcompile.load(damaged)


def files_of(artifact: Path) -> list[Path]:
    return [p for p in sorted(artifact.rglob("*")) if p.is_file() and p.name != "manifest.json"]


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_to_any_file_is_found(damaged: Path, index: int, damage: str) -> None:
    files = files_of(damaged)
    if index >= len(files):
        pytest.skip("no linker, so one file less")
    data = bytearray(files[index].read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        files[index].write_bytes(data)
    elif damage == "truncate":
        files[index].write_bytes(data[: len(data) // 2])
    else:
        files[index].unlink()
    with pytest.raises(ArtifactError, match="missing" if damage == "remove" else "is damaged"):
        kcompile.load(damaged, verify="always")


def test_wrong_weights_fail_the_self_test(damaged: Path, tmp_path: Path) -> None:
    """An object that matches its hash, but is not the one that the self-test was made for."""
    other = compiled(scale=2.0).save(tmp_path / "other.kc")
    for path in other.glob("lib/*/*"):
        shutil.copy(path, damaged / path.relative_to(other))
    theirs = json.loads((other / "manifest.json").read_text())["files"]
    mine = json.loads((damaged / "manifest.json").read_text())["files"]
    edit_manifest(damaged, files={n: theirs[n] if n.startswith("lib/") else mine[n] for n in mine})
    with pytest.raises(ArtifactError, match="self-test failed"):
        kcompile.load(damaged, verify="always")
    kcompile.load(damaged, verify="never")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"\xff\xfe\x00", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"[]", "not the manifest"),
        (b"{}", "not the manifest"),
        (b'{"format": "1"}', "not the manifest"),
        (b'{"format": 1, "abi": 1}', "is damaged"),
    ],
)
def test_a_manifest_of_anything_is_refused(damaged: Path, text: bytes, message: str) -> None:
    (damaged / "manifest.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=message):
        kcompile.load(damaged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"abi": 999}, "Received: format 1, interface 999"),
        ({"format": 2}, "Received: format 2"),
        ({"name": "a b; rm"}, "is no name"),
        ({"inputs": None}, "has no inputs"),
        ({"targets": [{"triple": "riscv64-x-y", "object": None, "library": None}]}, "no code for this machine"),
        ({"targets": [{"triple": "x86_64-x-y", "object": "../../bin/sh", "library": None}]}, "not among its files"),
    ],
)
def test_a_manifest_that_does_not_fit(damaged: Path, changes: dict[str, Any], message: str) -> None:
    edit_manifest(damaged, **changes)
    with pytest.raises(ArtifactError, match=message):
        kcompile.load(damaged, verify="never")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "lib/../../evil", "C:\\evil", "a//b", "", "lib/./x", "a\0b"]
)
def test_names_that_lead_outside_are_refused(damaged: Path, name: str) -> None:
    manifest = json.loads((damaged / "manifest.json").read_text())
    edit_manifest(damaged, files={**manifest["files"], name: {"sha256": "0" * 64, "size": 1}})
    with pytest.raises(ArtifactError, match="outside the artifact"):
        kcompile.load(damaged, verify="never")


def test_links_are_refused(damaged: Path) -> None:
    target = damaged / "selftest.bin"
    data = target.read_bytes()
    target.unlink()
    (damaged.parent / "elsewhere").write_bytes(data)
    target.symlink_to(damaged.parent / "elsewhere")
    with pytest.raises(ArtifactError, match="is a link"):
        kcompile.load(damaged, verify="always")


def test_an_object_of_another_interface_is_refused(damaged: Path) -> None:
    """kc_model.abi inside the object says 2, hashes agree."""
    import hashlib

    files = json.loads((damaged / "manifest.json").read_text())["files"]
    for path in damaged.glob("lib/*/*"):
        data = path.read_bytes()
        # abi 1, size 120: the beginning of the model's table
        changed = data.replace(b"\x01\0\0\0\x78\0\0\0", b"\x02\0\0\0\x78\0\0\0")
        assert changed != data
        path.write_bytes(changed)
        files[path.relative_to(damaged).as_posix()]["sha256"] = hashlib.sha256(changed).hexdigest()
    edit_manifest(damaged, files=files)
    with pytest.raises(ArtifactError, match="Received: version 2"):
        kcompile.load(damaged)


# -- calls
def test_inputs_that_do_not_fit(saved: Path) -> None:
    loaded = kcompile.load(saved)
    with pytest.raises(ShapeError, match=r"needs shape \(None, 9\). Received: shape \(2, 8\)"):
        loaded(np.zeros((2, 8), np.float32))
    with pytest.raises(ShapeError, match="dtype"):
        loaded(np.zeros((2, 9), complex))
    with pytest.raises(ShapeError, match="lack"):
        loaded({"other": rows(1)})


def test_unknown_targets_and_mixed_ones(model: CompiledModel, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="mips"):
        model.save(tmp_path / "toy.kc", targets=["mips"])
    assert not list(tmp_path.iterdir())
    both = model.save(tmp_path / "toy.kc", targets=["x86-64", "aarch64"])
    assert sorted(p.parent.name.partition("-")[0] for p in both.glob("lib/*/toy.o")) == ["aarch64", "x86_64"]


@pytest.mark.parametrize("target", ["x86-64", "x86-64-v3", "x86-64-v4", "host"])
def test_every_level_that_runs_here(model: CompiledModel, tmp_path: Path, target: str) -> None:
    from kcompile.codegen.target import Target

    place = model.save(tmp_path / "toy.kc", targets=[target])
    if not Target.get(target).runs_here():
        with pytest.raises(ArtifactError, match="no code for this CPU"):
            kcompile.load(place)
        return
    np.testing.assert_allclose(kcompile.load(place)(rows(20)), model(rows(20)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("level", ["x86-64", "x86-64-v3", "x86-64-v4"])
def test_one_object_runs_at_every_level(model: CompiledModel, saved: Path, level: str) -> None:
    """As on an older machine: the host says which level the CPU has."""
    from kcompile.artifact.loader import Artifact
    from kcompile.codegen.target import Target
    from kcompile.runtime.host import environment

    if not Target.get(level).runs_here():
        pytest.skip(f"this machine has no {level}")
    artifact = Artifact(saved, "always", environment(threads=1, cpu_level=level))
    np.testing.assert_allclose(artifact.run([rows(20)])[0], model(rows(20)), rtol=1e-5, atol=1e-6)


def test_without_a_linker(model: CompiledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kcompile.artifact import linking, loader

    monkeypatch.setattr(linking, "linker", lambda architecture: None)
    place = model.save(tmp_path / "toy.kc")
    assert not list(place.rglob("*.so"))
    np.testing.assert_allclose(kcompile.load(place)(rows(3)), model(rows(3)), rtol=1e-5, atol=1e-6)
    with pytest.raises(loader.ArtifactError, match="cc -shared -nostdlib"):
        loader.Artifact(place)


def test_a_linker_that_fails_is_named(model: CompiledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kcompile.artifact import linking

    monkeypatch.setattr(linking, "linker", lambda architecture: [sys.executable, "-c", "raise SystemExit('no room')"])
    with pytest.raises(ArtifactError, match="the linker failed(.|\n)*no room"):
        model.save(tmp_path / "toy.kc")
    assert not list(tmp_path.iterdir())
