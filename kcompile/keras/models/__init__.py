"""keras.models."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Model": "models.model", "Functional": "models.functional", "Sequential": "models.sequential",
    "Function": "models.function", "clone_model": "models.cloning", "load_model": "saving", "save_model": "saving",
    "model_from_json": "models.cloning",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kcompile.keras.models' has no attribute {name!r}")
    value = getattr(import_module(f"kcompile.keras.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
