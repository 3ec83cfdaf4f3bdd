"""keras.optimizers: classes, and `get` by name.

>>> get("adam").get_config()["beta_1"]
0.9
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.optimizers import schedules
from kcompile.keras.optimizers.adam import Adam, Adamax, AdamW, Nadam
from kcompile.keras.optimizers.optimizer import Optimizer
from kcompile.keras.optimizers.rmsprop import Adadelta, Adagrad, RMSprop
from kcompile.keras.optimizers.sgd import SGD

_ALIASES = {c.__name__.lower(): c for c in (Adadelta, Adagrad, Adam, AdamW, Adamax, Nadam, RMSprop, SGD)}

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Nadam", "Optimizer", "RMSprop", "SGD", "deserialize", "get",
    "schedules", "serialize",
]  # fmt: skip


def get(identifier: Any) -> Optimizer:
    """An optimizer by name ("adam", "sgd"; case does not matter), config or itself.

    Raises ArgumentError for an unknown name.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        from kcompile.keras.saving import get_registered_object

        cls = _ALIASES.get(identifier.lower()) or get_registered_object(identifier)
        if cls is not None:
            return cls()
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise ArgumentError(
        f"an optimizer is one of {', '.join(sorted(_ALIASES))}, or an Optimizer. Received: {identifier!r}"
    )


def serialize(optimizer: Optimizer) -> Any:
    """The config of an optimizer."""
    from kcompile.keras.saving import serialize_keras_object

    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a config; Keras writes class names in their own case, older files in lower case."""
    from kcompile.keras.saving import deserialize_keras_object

    if isinstance(config, Mapping) and "module" not in config and str(config.get("class_name", "")).lower() in _ALIASES:
        cls = _ALIASES[str(config["class_name"]).lower()]
        config = {**config, "module": "keras.optimizers", "class_name": cls.__name__}
    return deserialize_keras_object(config, custom_objects=custom_objects)
