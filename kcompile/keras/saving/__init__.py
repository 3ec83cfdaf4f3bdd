"""keras.saving: objects as configs, models as files."""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

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

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    return _get(name)
