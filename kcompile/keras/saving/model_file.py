"""`.keras`: a zip of config.json, metadata.json and model.weights.h5.

Files are data to be checked: sizes, checksums and members first, then names through a closed list; no code of a file
runs.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompile.errors import ArgumentError, FormatError, UnsupportedError
from kcompile.keras.saving.atomic import write_atomically
from kcompile.keras.saving.registry import custom_object_scope
from kcompile.keras.saving.serialization import deserialize_keras_object, serialize_keras_object, sharing
from kcompile.keras.saving.weights_file import check_overwrite, read_bytes, weights_from_bytes, weights_to_bytes
from kcompile.keras.variable import weights_follow

_LARGEST_CONFIG = 256 << 20
_SMALL = 16 << 20  # members below this are read whatever their compression
_MOST_EXPANSION = 100  # bytes for each compressed byte of a larger member
_WEIGHTS = "model.weights.h5"


@dataclass(frozen=True)
class Archive:
    """The parts of a `.keras` file."""

    config: dict[str, Any]
    metadata: dict[str, Any]
    weights: bytes


def save_model(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write architecture, weights, compile arguments and optimizer state to a `.keras` file, atomically."""
    path = os.fspath(filepath)
    if path.endswith((".h5", ".hdf5")):
        raise UnsupportedError(f"whole models are written as .keras files. Received: filepath={path}")
    if not path.endswith(".keras"):
        raise ArgumentError(
            f"a model file is named *.keras. Received: filepath={path}. Weights alone: save_weights('x.weights.h5')."
        )
    if zipped is False:
        raise UnsupportedError("unzipped model directories cannot be written; leave zipped out")
    unknown = set(kwargs) - {"include_optimizer", "save_format"}
    if unknown:
        raise ArgumentError(f"save does not take {', '.join(sorted(unknown))}")
    check_overwrite(path, overwrite)
    write_atomically(path, model_to_bytes(model))


def model_to_bytes(model: Any) -> bytes:
    """The `.keras` file of `model`."""
    from kcompile.keras import __version__

    if not model.built:
        warnings.warn(
            f"model '{model.name}' has no weights yet; only its config is saved. Call it on data first.", stacklevel=4
        )
    with sharing():
        config = json.dumps(serialize_keras_object(model))
    date = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": __version__, "date_saved": date})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (
            ("metadata.json", metadata.encode()),
            ("config.json", config.encode()),
            (_WEIGHTS, weights_to_bytes(model)),
        ):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model of a `.keras` file, with weights, and with compile=True compiled, with the optimizer's state.

    custom_objects: classes and functions by the names that the file gives them. safe_mode is accepted for
    compatibility:
    code inside a file is never run. Raises FormatError for a damaged file, UnsupportedError for a layer this version
    lacks.
    """
    path = os.fspath(filepath)
    if path.endswith((".h5", ".hdf5")):
        raise UnsupportedError(
            f"models in the old .h5 format cannot be read in this version. Save the model as .keras. Received: {path}"
        )
    with custom_object_scope(custom_objects):
        return model_of_bytes(read_bytes(path), path, compile)


def model_of_bytes(data: bytes, path: str, compile: bool = True) -> Any:
    """The model of the content of a `.keras` file; errors name `path`."""
    with weights_follow():
        return _model_of(read_archive(data, path), path, compile)


def _model_of(archive: Archive, path: str, compile: bool) -> Any:
    config = archive.config if compile else _without_compile(archive.config)
    try:
        with sharing():
            model = deserialize_keras_object(config)
    except RecursionError:
        raise FormatError("the config is nested too deeply", path) from None
    if not hasattr(model, "layers") or not hasattr(model, "built"):
        raise FormatError(f"the file holds no model. Received: {type(model).__name__}", path)
    if model.built:
        weights_from_bytes(model, archive.weights, path)
    else:
        warnings.warn(
            f"model '{model.name}' could not be built from its config, so its weights are not loaded. Call it on "
            f"data, then load_weights.",
            stacklevel=4,
        )
    return model


def _without_compile(config: Any) -> Any:
    return {k: v for k, v in config.items() if k != "compile_config"}


def read_archive(data: bytes, path: str) -> Archive:
    """The checked parts of the content of a `.keras` file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            if len(set(members)) != len(members):
                raise FormatError("the archive holds a member twice", path)
            if "config.json" not in members:
                raise FormatError(
                    f"the archive has no config.json, so it is no .keras file. It holds: "
                    f"{', '.join(members[:8]) or 'nothing'}",
                    path,
                )
            if _WEIGHTS not in members:
                other = [m for m in members if m.endswith((".npz", ".weights.json"))]
                if other:
                    raise UnsupportedError(f"weights are read from {_WEIGHTS} only. Received: {', '.join(other)}", path)
                raise FormatError(f"the archive has no {_WEIGHTS}. It holds: {', '.join(members[:8])}", path)
            config = _json(_member(archive, "config.json", path), "config.json", path)
            metadata = (
                _json(_member(archive, "metadata.json", path), "metadata.json", path)
                if "metadata.json" in members
                else {}
            )
            return Archive(config, metadata, _member(archive, _WEIGHTS, path))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, FormatError | UnsupportedError):
            raise
        raise FormatError(f"the file is no zip archive, is cut off, or is damaged: {error}", path) from error


def _member(archive: zipfile.ZipFile, name: str, path: str) -> bytes:
    info = archive.getinfo(name)
    bomb = info.file_size > _SMALL and info.file_size > info.compress_size * _MOST_EXPANSION
    if bomb or (name.endswith(".json") and info.file_size > _LARGEST_CONFIG):
        raise FormatError(f"member {name} would unpack {info.compress_size} bytes to {info.file_size}: refused", path)
    return archive.read(info)  # checks the CRC


def _json(data: bytes, name: str, path: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name} is not JSON: {error}", path) from error
    if not isinstance(found, dict):
        raise FormatError(f"{name} holds no object. Received: {type(found).__name__}", path)
    return found
