"""keras.utils: small functions around models and data. Each loads on first use."""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

_HOMES = {
    "set_random_seed": "seeds", "to_categorical": "categorical", "normalize": "categorical",
    "clear_session": ".backend", "is_keras_tensor": ".backend", "standardize_dtype": ".backend",
    "register_keras_serializable": ".saving", "get_registered_name": ".saving", "get_registered_object": ".saving",
    "get_custom_objects": ".saving", "custom_object_scope": ".saving", "CustomObjectScope": ".saving",
    "serialize_keras_object": ".saving", "deserialize_keras_object": ".saving",
    "enable_interactive_logging": ".config", "disable_interactive_logging": ".config",
    "is_interactive_logging_enabled": ".config", "Progbar": ".trainer.progress", "PyDataset": ".trainer.batches",
    "Sequence": ".trainer.batches:PyDataset", "get_source_inputs": "sources",
}  # fmt: skip

__all__ = sorted(_HOMES)

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    return _get(name)
