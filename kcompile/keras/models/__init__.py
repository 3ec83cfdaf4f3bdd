"""keras.models."""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

_HOMES = {
    "Model": "model", "Functional": "functional", "Sequential": "sequential",
    "Function": "function", "clone_model": "cloning", "load_model": ".saving", "save_model": ".saving",
    "model_from_json": "cloning",
}  # fmt: skip

__all__ = sorted(_HOMES)

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    return _get(name)
