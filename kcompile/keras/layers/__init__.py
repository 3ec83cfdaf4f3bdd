"""keras.layers. A layer's file loads when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Layer": "layer", "InputSpec": "input_spec",
    "Input": "core.input_layer", "InputLayer": "core.input_layer", "Dense": "core.dense",
}  # fmt: skip
_ALIASES: dict[str, str] = {}

__all__ = sorted([*_HOMES, *_ALIASES])


def __getattr__(name: str) -> Any:
    canonical = _ALIASES.get(name, name)
    if canonical not in _HOMES:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"module 'kcompile.keras.layers' has no layer {name!r} in this version. It has: {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_HOMES[canonical]}"), canonical)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
