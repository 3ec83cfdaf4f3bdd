"""Damaged and hostile files: each a FormatError that says what is wrong; no code runs, no memory fills, no other
file opens.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile import keras
from kcompile.errors import FormatError, KcompileError, UnsupportedError
from kcompile.keras.saving.model_file import model_to_bytes
from tests.keras.trainer.small_models import blobs, classifier


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    """The members of a good file."""
    model = classifier()
    with zipfile.ZipFile(io.BytesIO(model_to_bytes(model))) as archive:
        return {n: archive.read(n) for n in archive.namelist()}


def pack(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def load(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "m.keras"
    path.write_bytes(data)
    return keras.models.load_model(path)


def changed(members: dict[str, bytes], edit: Callable[[dict[str, Any]], Any]) -> bytes:
    """The file with its config edited."""
    config = json.loads(members["config.json"])
    edit(config)
    return pack({**members, "config.json": json.dumps(config).encode()})


def with_weights(members: dict[str, bytes], edit: Callable[[h5py.File], Any]) -> bytes:
    """The file with its HDF5 member edited."""
    with h5py.File("w", "w", driver="core", backing_store=False) as file:
        with h5py.File(io.BytesIO(members["model.weights.h5"]), "r") as old:
            for name in old:
                old.copy(name, file)
        edit(file)
        file.flush()
        return pack({**members, "model.weights.h5": file.id.get_file_image()})


def test_the_unchanged_file_loads(tmp_path: Path, members: dict[str, bytes]) -> None:
    load(tmp_path, pack(members))
    load(tmp_path, pack(members, zipfile.ZIP_DEFLATED))


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        keras.models.load_model(tmp_path / "absent.keras")
    with pytest.raises(FormatError, match="no zip archive"):
        load(tmp_path, b"")
    with pytest.raises(UnsupportedError, match=r"\.h5"):
        keras.models.load_model(tmp_path / "old.h5")


@settings(max_examples=40)
@given(part=st.floats(0, 0.999))
def test_truncated_anywhere(part: float) -> None:
    whole = pack(_MEMBERS)
    with pytest.raises(FormatError):
        _load_bytes(whole[: int(part * len(whole))])


@settings(max_examples=60)
@given(place=st.floats(0, 0.999999), flip=st.integers(1, 255))
def test_a_changed_byte_is_an_error_of_ours_or_harmless(place: float, flip: int) -> None:
    """Whatever byte changes: a KcompileError, or a model as before (bytes that carry nothing, such as dates)."""
    data = bytearray(pack(_MEMBERS))
    data[int(place * len(data))] ^= flip
    try:
        model = _load_bytes(bytes(data))
    except KcompileError:
        return
    for a, b in zip(model.get_weights(), _MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60)
@given(place=st.floats(0, 0.999999), flip=st.integers(1, 255))
def test_a_changed_byte_of_the_weights_behind_a_good_checksum(place: float, flip: int) -> None:
    """HDF5 itself must hold: an error of ours or some model, never another exception."""
    weights = bytearray(_MEMBERS["model.weights.h5"])
    weights[int(place * len(weights))] ^= flip
    try:
        _load_bytes(pack({**_MEMBERS, "model.weights.h5": bytes(weights)}))
    except KcompileError:
        return


def test_a_bad_checksum(tmp_path: Path, members: dict[str, bytes]) -> None:
    data = pack(members)
    at = data.index(b'"class_name"')
    with pytest.raises(FormatError, match="damaged.*CRC"):
        load(tmp_path, data[:at] + b"X" + data[at + 1 :])


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_missing_member(tmp_path: Path, members: dict[str, bytes], name: str) -> None:
    with pytest.raises(FormatError, match=f"no {name}"):
        load(tmp_path, pack({k: v for k, v in members.items() if k != name}))


def test_other_weights_formats_are_named(tmp_path: Path, members: dict[str, bytes]) -> None:
    weights = members["model.weights.h5"]
    with pytest.raises(UnsupportedError, match=r"model\.weights\.npz"):
        load(tmp_path, pack({"config.json": members["config.json"], "model.weights.npz": weights}))


def test_a_zip_bomb(tmp_path: Path, members: dict[str, bytes]) -> None:
    bomb = pack({**members, "model.weights.h5": bytes(64 << 20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1 << 20
    with pytest.raises(FormatError, match="would unpack"):
        load(tmp_path, bomb)


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_a_config_that_is_no_object(tmp_path: Path, members: dict[str, bytes], config: bytes) -> None:
    with pytest.raises(FormatError, match=r"config\.json"):
        load(tmp_path, pack({**members, "config.json": config}))


def test_classes_come_from_a_closed_list(tmp_path: Path, members: dict[str, bytes]) -> None:
    """No module of the file is ever imported."""
    for module, name in (
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("kcompile.cli", "main"),
        (None, "Thing"),
    ):

        def edit(config: dict[str, Any], module: Any = module, name: str = name) -> None:
            config["config"]["layers"][1].update(module=module, class_name=name, registered_name=None)

        with pytest.raises(FormatError, match=f"{name}.*not known"):
            load(tmp_path, changed(members, edit))
    for module, name in (
        ("keras.layers", "get"),
        ("keras.saving", "load_model"),
        ("keras.utils", "get_file"),
        ("keras.src.ops.numpy", "np"),
    ):

        def keras_name(config: dict[str, Any], module: str = module, name: str = name) -> None:
            config["config"]["layers"][1].update(module=module, class_name=name)

        with pytest.raises(KcompileError):
            load(tmp_path, changed(members, keras_name))


def test_functions_come_from_a_closed_list(tmp_path: Path, members: dict[str, bytes]) -> None:
    def edit(config: dict[str, Any], name: str) -> None:
        config["config"]["layers"][1]["config"]["activation"] = {
            "module": "os",
            "class_name": "function",
            "config": name,
            "registered_name": "function",
        }

    for name in ("system", "get", "deserialize", "__import__"):
        with pytest.raises(FormatError, match=f"'{name}'.*not known"):
            load(tmp_path, changed(members, lambda c, n=name: edit(c, n)))


def test_a_layer_this_version_lacks_is_named(tmp_path: Path, members: dict[str, bytes]) -> None:
    def edit(config: dict[str, Any]) -> None:
        config["config"]["layers"][1].update(class_name="LSTMTransformer9000")

    with pytest.raises(UnsupportedError, match=r"keras\.layers\.LSTMTransformer9000.*custom_objects"):
        load(tmp_path, changed(members, edit))


@pytest.mark.parametrize("safe_mode", [True, False])
def test_bytecode_is_never_run(tmp_path: Path, members: dict[str, bytes], safe_mode: bool) -> None:
    def edit(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["activation"] = {
            "class_name": "__lambda__",
            "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
        }

    (tmp_path / "m.keras").write_bytes(changed(members, edit))
    with pytest.raises(UnsupportedError, match="lambda"):
        keras.models.load_model(tmp_path / "m.keras", safe_mode=safe_mode)


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: c["config"].pop("layers"),
        lambda c: c["config"].update(layers=3),
        lambda c: c["config"]["layers"][1].update(config=None),
        lambda c: c["config"]["layers"][1]["config"].update(units="many"),
        lambda c: c["config"]["layers"][1]["config"].update(surprise=1),
        lambda c: c["config"]["layers"][1].update(class_name=["Dense"]),
        lambda c: c["config"]["layers"][1].update(module=5),
        lambda c: c["config"]["layers"][0]["config"].update(batch_shape="wide"),
        lambda c: c.pop("config"),
        lambda c: c.update(class_name="Dense", module="keras.layers", config={"units": 3}),
    ],
)
def test_configs_of_wrong_content(tmp_path: Path, members: dict[str, bytes], edit: Callable[[Any], Any]) -> None:
    with pytest.raises(KcompileError):
        load(tmp_path, changed(members, edit))


def _replace(path: str, value: Any) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[path]
        if value is not None:
            file[path] = value

    return edit


def test_links_out_of_the_file(tmp_path: Path, members: dict[str, bytes]) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = np.ones((2, 8), np.float32)
    place = "layers/dense/vars/0"
    for link in (h5py.ExternalLink(str(secret), "/data"), h5py.SoftLink("/layers/dense/vars/1")):
        with pytest.raises(FormatError, match="Link"):
            load(tmp_path, with_weights(members, _replace(place, link)))
    group = "layers/dense/vars"
    with pytest.raises(FormatError, match="Link"):
        load(tmp_path, with_weights(members, _replace(group, h5py.SoftLink("/layers/dense_1/vars"))))

    def external(file: h5py.File) -> None:
        del file[place]
        (tmp_path / "raw").write_bytes(os.urandom(64))
        file.create_dataset(place, (2, 8), np.float32, external=[(str(tmp_path / "raw"), 0, 64)])

    with pytest.raises(FormatError, match="other files"):
        load(tmp_path, with_weights(members, external))

    def virtual(file: h5py.File) -> None:
        del file[place]
        layout = h5py.VirtualLayout(shape=(2, 8), dtype=np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "data", shape=(2, 8))
        file.create_virtual_dataset(place, layout)

    with pytest.raises(FormatError, match="other files"):
        load(tmp_path, with_weights(members, virtual))


def test_datasets_that_lie_about_their_size(tmp_path: Path, members: dict[str, bytes]) -> None:
    def edit(file: h5py.File) -> None:
        del file["layers/dense/vars/0"]
        file.create_dataset(
            "layers/dense/vars/0", (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024), compression="gzip"
        )

    with pytest.raises(FormatError, match="would fill the memory"):
        load(tmp_path, with_weights(members, edit))


@pytest.mark.parametrize(
    ("path", "value"),
    [("layers/dense/vars/0", None), ("layers/dense/vars/0", "text"), ("layers/dense/vars", np.zeros(3)),
     ("layers", None),
     ("layers/dense/vars/1", np.zeros((8, 1), np.float32))],
)  # fmt: skip
def test_weights_of_wrong_content(tmp_path: Path, members: dict[str, bytes], path: str, value: Any) -> None:
    with pytest.raises(KcompileError):
        load(tmp_path, with_weights(members, _replace(path, value)))


def test_the_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"m\.keras"):
        load(tmp_path, b"PK not a zip")


def _prepare() -> tuple[Any, dict[str, bytes]]:
    model = classifier()
    model.compile(None or "sgd", "sparse_categorical_crossentropy")
    blobs(1)
    with zipfile.ZipFile(io.BytesIO(model_to_bytes(model))) as archive:
        return model, {n: archive.read(n) for n in archive.namelist()}


_MODEL, _MEMBERS = _prepare()


def _load_bytes(data: bytes) -> Any:
    """Load without the fixture of a directory, for tests that hypothesis runs many times."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        return load(Path(directory), data)
