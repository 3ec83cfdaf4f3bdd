"""Names of objects: snake case of the class, made unique by a counter, as Keras does (`dense`, `dense_1`)."""

from __future__ import annotations

import re

_COUNTERS: dict[str, int] = {}


def to_snake_case(name: str) -> str:
    """Conv2D -> conv2d, BatchNormalization -> batch_normalization."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(name: str) -> str:
    """`name`, then `name_1`, `name_2` .."""
    count = _COUNTERS.get(name, 0)
    _COUNTERS[name] = count + 1
    return name if count == 0 else f"{name}_{count}"


def class_label(cls: type) -> str:
    """The name that objects and groups in files have after a class: its own, or `_class_label`, where Keras's class
    has another one than the layer."""
    return str(cls.__dict__.get("_class_label", cls.__name__))


def auto_name(cls: type | str) -> str:
    """A new name for an object of class `cls`."""
    return unique_name(to_snake_case(cls if isinstance(cls, str) else class_label(cls)))


def get_uid(prefix: str = "") -> int:
    """A counter for each prefix: 1, 2, .."""
    _COUNTERS[prefix] = _COUNTERS.get(prefix, 0) + 1
    return _COUNTERS[prefix]


def reset_names() -> None:
    """Let counting start again."""
    _COUNTERS.clear()
