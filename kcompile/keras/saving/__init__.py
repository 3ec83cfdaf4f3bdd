"""keras.saving: objects as configs, models as files."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Where each public name lives. Resolved on first use: h5py and zipfile load only when a file is touched.
_HOMES = {
    "register_keras_serializable": "registry",
    "get_registered_name": "registry",
    "get_registered_object": "registry",
    "get_custom_objects": "registry",
    "custom_object_scope": "registry",
    "CustomObjectScope": "registry",
    "serialize_keras_object": "serialization",
    "deserialize_keras_object": "serialization",
    "save_model": "model_file",
    "load_model": "model_file",
    "save_weights": "weights_file",
    "load_weights": "weights_file",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'kcompile.keras.saving' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
