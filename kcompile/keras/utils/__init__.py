"""keras.utils: small functions around models and data. Each loads on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "set_random_seed": "utils.seeds", "to_categorical": "utils.categorical", "normalize": "utils.categorical",
    "clear_session": "backend", "is_keras_tensor": "backend", "standardize_dtype": "backend",
    "register_keras_serializable": "saving", "get_registered_name": "saving", "get_registered_object": "saving",
    "get_custom_objects": "saving", "custom_object_scope": "saving", "CustomObjectScope": "saving",
    "serialize_keras_object": "saving", "deserialize_keras_object": "saving",
    "enable_interactive_logging": "config", "disable_interactive_logging": "config",
    "is_interactive_logging_enabled": "config", "Progbar": "trainer.progress", "PyDataset": "trainer.batches",
    "Sequence": "trainer.batches", "get_source_inputs": "utils.sources",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kcompile.keras.utils' has no attribute {name!r} in this version")
    module = import_module(f"kcompile.keras.{_HOMES[name]}")
    if not hasattr(module, name) and name == "Sequence":
        return module.PyDataset
    value = getattr(module, name)
    globals()[name] = value
    return value
