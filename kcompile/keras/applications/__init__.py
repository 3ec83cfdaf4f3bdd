"""keras.applications: well-known networks, with Keras's names and weights files. Each loads on first use.

Nothing is ever downloaded: `weights` is None, or the path of a weights file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = ("imagenet_utils", "mobilenet_v2", "resnet", "resnet50")
_HOMES = {"ResNet50": "resnet", "ResNet101": "resnet", "ResNet152": "resnet", "MobileNetV2": "mobilenet_v2"}

__all__ = sorted((*_MODULES, *_HOMES))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'kcompile.keras.applications' has no attribute {name!r}. It has: {__all__}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
