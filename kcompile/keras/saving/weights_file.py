"""`.weights.h5`: the arrays of a model and of its optimizer, in the layout of Keras 3.

A group for each part of the model (see `walk`), with `vars/0`, `vars/1`, .. in it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from kcompile.errors import ArgumentError, FormatError, ShapeError, UnsupportedError
from kcompile.keras.layers import Layer
from kcompile.keras.optimizers import Optimizer
from kcompile.keras.saving.atomic import write_atomically
from kcompile.keras.saving.hdf5_group import CheckedGroup, damage_is_named, open_hdf5
from kcompile.keras.saving.walk import own_variables, walk
from kcompile.tracing.trace import outside_traces


def save_weights(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: Any = None
) -> None:
    """Write the weights of `model`, and its optimizer's state, to a `.weights.h5` file, atomically."""
    path = os.fspath(filepath)
    if not path.endswith(".weights.h5"):
        raise ArgumentError(f"a weights file is named *.weights.h5. Received: filepath={path}")
    if max_shard_size is not None:
        raise UnsupportedError("sharded weights files cannot be written; leave max_shard_size out")
    check_overwrite(path, overwrite)
    write_atomically(path, weights_to_bytes(model))


def check_overwrite(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise ArgumentError(f"there is a file already. Received: filepath={path}, overwrite=False")


def weights_to_bytes(model: Any) -> memoryview:
    """The HDF5 file with the weights of `model`."""
    with h5py.File("weights", "w", driver="core", backing_store=False) as file:
        for path, part in walk(model):
            group = file.create_group(f"{path}/vars" if path else "vars")
            group.attrs["name"] = part.name
            if isinstance(part, Layer):
                part.save_own_variables(_Writer(group, part))
            else:
                store = _Writer(group, part)
                for i, variable in enumerate(own_variables(part)):
                    store[str(i)] = variable.numpy()
        file.flush()
        return memoryview(file.id.get_file_image())


class _Writer:
    """What `save_own_variables` writes into."""

    def __init__(self, group: h5py.Group, part: Any):
        self._group = group
        self._dtypes = [v.dtype for v in own_variables(part)]

    def __setitem__(self, key: str, value: Any) -> None:
        array = np.asarray(value)
        if key.isdigit() and int(key) < len(self._dtypes) and self._dtypes[int(key)] == "bfloat16":
            # HDF5 has no bfloat16: its two bytes are kept as they are, with a note.
            bits = (np.ascontiguousarray(array, np.float32).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
            self._group.create_dataset(key, data=bits.reshape(array.shape).view("V2"))
            self._group[key].attrs["dtype"] = "bfloat16"
            return
        self._group.create_dataset(key, data=array)


def load_weights(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **unused: Any) -> None:
    """Read the weights of `model` from a `.weights.h5` or `.keras` file.

    Nothing is changed unless all weights fit; with skip_mismatch those that do not fit are left as they are.
    Raises FormatError for a file that is damaged or of other structure, ShapeError for weights of other shapes.
    """
    path = os.fspath(filepath)
    if path.endswith(".keras"):
        from kcompile.keras.saving.model_file import read_archive

        data = read_archive(read_bytes(path), path).weights
    elif path.endswith(".weights.h5"):
        data = read_bytes(path)
    else:
        raise ArgumentError(f"weights are read from *.weights.h5 and *.keras files. Received: filepath={path}")
    if not model.built:
        raise ArgumentError(
            f"model '{model.name}' has no weights yet. Build it first: call it on data, or model.build(input_shape)."
        )
    weights_from_bytes(model, data, path, skip_mismatch)


def read_bytes(path: str) -> bytes:
    """The contents of a file; a file that cannot be opened is a FormatError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise FormatError(f"the file cannot be read: {error.strerror or error}. Received: filepath={path}") from error


def weights_from_bytes(model: Any, data: bytes, where: str, skip_mismatch: bool = False) -> None:
    """Assign the arrays of an HDF5 file to the parts of `model`, all or none."""
    with open_hdf5(data, where) as file, outside_traces(), damage_is_named(where):
        root = CheckedGroup(file, where)
        assign: list[Callable[[], Any]] = []
        for path, part in walk(model):
            try:
                assign += _loads(part, path, root, where)
            except (FormatError, ShapeError) as error:
                if not skip_mismatch:
                    raise
                warnings.warn(f"weights of '{part.name}' are left as they are: {error.message}", stacklevel=3)
        for load in assign:
            load()


def _loads(part: Any, path: str, root: CheckedGroup, where: str) -> list[Callable[[], Any]]:
    """What assigns the variables of one part; raises before anything is assigned."""
    variables = own_variables(part)
    group = root.group(f"{path}/vars" if path else "vars")
    custom = isinstance(part, Layer) and type(part).load_own_variables is not Layer.load_own_variables
    if custom and group is not None:
        return [lambda: part.load_own_variables(group)]
    count = 0 if group is None else len(group)
    if isinstance(part, Optimizer):
        if group is None or not count:
            return []
        if count == part.unbuilt_count and group.shape("0") == ():
            variables = variables[:count]  # saved before its first step: it has no slots yet
        if count != len(variables):
            warnings.warn(
                f"the state of optimizer '{part.name}' is not loaded: it has {len(variables)} variables, the file "
                f"{count}",
                stacklevel=5,
            )
            return []
    if count != len(variables):
        raise FormatError(
            f"'{part.name}' ({type(part).__name__}) has {len(variables)} variables. Received: {count} in group "
            f"'{path}'. The file "
            f"belongs to a model of other structure.", where
        )  # fmt: skip
    made: list[Callable[[], Any]] = []
    for i, variable in enumerate(variables):
        assert group is not None
        shape = group.shape(str(i))
        if shape != tuple(variable.shape):
            raise ShapeError(
                f"weight '{variable.path}' has shape {tuple(variable.shape)}. Received: shape {shape} in "
                f"'{path}/vars/{i}'",
                where,
            )
        made.append(_assignment(variable, group, str(i)))
    return made


def _assignment(variable: Any, group: CheckedGroup, key: str) -> Callable[[], Any]:
    array = group[key]
    return lambda: variable.assign(array)
