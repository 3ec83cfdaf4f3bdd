"""keras.applications: well-known networks, with Keras's names and weights files. Each loads on first use.

Nothing is ever downloaded: `weights` is None, or the path of a weights file.
"""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

_MODULES = ("imagenet_utils", "mobilenet_v2", "resnet", "resnet50")
_HOMES = {"ResNet50": "resnet", "ResNet101": "resnet", "ResNet152": "resnet", "MobileNetV2": "mobilenet_v2"}

__all__ = sorted((*_MODULES, *_HOMES))

_get, __dir__ = lazy_names(__name__, _HOMES, _MODULES)


def __getattr__(name: str) -> Any:
    return _get(name)
