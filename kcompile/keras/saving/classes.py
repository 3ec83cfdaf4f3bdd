"""Which class a file may name, and how: a closed list of (module, class) pairs, so that no file can import anything.

A pair is resolved by an attribute of one of our own packages; what Keras has and we do not is an UnsupportedError.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from kcompile.errors import UnsupportedError

# Canonical module of Keras -> the package of ours that holds the same names.
_PACKAGES = (
    "layers", "initializers", "losses", "metrics", "optimizers", "optimizers.schedules", "regularizers", "constraints",
    "activations", "random", "callbacks",
)  # fmt: skip
# Pairs that Keras writes under a name that is not a public one, or that live at the root.
_SPECIAL = {
    ("keras", "Sequential"): ("models", "Sequential"),
    ("keras", "Model"): ("models", "Model"),
    ("keras", "DTypePolicy"): ("dtype_policies", "DTypePolicy"),
    ("keras.dtype_policies", "DTypePolicy"): ("dtype_policies", "DTypePolicy"),
    ("keras.models", "Sequential"): ("models", "Sequential"),
    ("keras.models", "Model"): ("models", "Model"),
    ("keras.src.models.functional", "Functional"): ("models", "Functional"),
    ("keras.src.models.sequential", "Sequential"): ("models", "Sequential"),
    ("keras.src.models.model", "Model"): ("models", "Model"),
    # Keras 2.13 to 2.15
    ("keras.src.engine.functional", "Functional"): ("models", "Functional"),
    ("keras.src.engine.sequential", "Sequential"): ("models", "Sequential"),
}
_WRITTEN_AS = {
    "Functional": ("keras.src.models.functional", "Functional"),
    "Sequential": ("keras", "Sequential"),
    "Model": ("keras", "Model"),
    "DTypePolicy": ("keras", "DTypePolicy"),
}
# Second names of one class; Keras writes the first.
_ALIASES = {"MaxPool1D": "MaxPooling1D", "MaxPool2D": "MaxPooling2D", "AvgPool1D": "AveragePooling1D",
            "AvgPool2D": "AveragePooling2D", "Convolution1D": "Conv1D", "Convolution2D": "Conv2D",
            "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D"}  # fmt: skip


def _package(name: str) -> ModuleType | None:
    """One of our packages by its short name; written out, so that nothing is imported from a string of a file."""
    match name:
        case "layers":
            from kcompile.keras import layers

            return layers
        case "models":
            from kcompile.keras import models

            return models
        case "initializers":
            from kcompile.keras import initializers

            return initializers
        case "losses":
            from kcompile.keras import losses

            return losses
        case "metrics":
            from kcompile.keras import metrics

            return metrics
        case "optimizers":
            from kcompile.keras import optimizers

            return optimizers
        case "optimizers.schedules":
            from kcompile.keras.optimizers import schedules

            return schedules
        case "regularizers":
            from kcompile.keras import regularizers

            return regularizers
        case "activations":
            from kcompile.keras import activations

            return activations
        case "random":
            from kcompile.keras import random

            return random
        case "callbacks":
            from kcompile.keras import callbacks

            return callbacks
    return None


def is_known_module(module: str | None) -> bool:
    """Whether `module` is one that Keras itself writes for its own classes."""
    return module is not None and (module == "keras" or module.startswith("keras."))


def find_class(module: str, name: str) -> type | None:
    """Our class for the pair that a file names; None for a pair that is not in Keras's namespace.

    Raises UnsupportedError for a class of Keras that this version lacks.
    """
    if not is_known_module(module):
        return None
    special = _SPECIAL.get((module, name))
    if special is not None:
        package, attribute = special
        found = getattr(_package(package), attribute, None)
    elif module.startswith("keras.src.ops."):
        found = _operation_class(module.removeprefix("keras.src.ops."), name)
    else:
        short = module.removeprefix("keras.")
        found = getattr(_package(short), name, None) if short in _PACKAGES and not name.startswith("_") else None
    if isinstance(found, type):
        return found
    raise UnsupportedError(
        f"{module}.{name} is not supported by this version. Replace it in the model, or give a class of your own "
        f"for it: load_model(path, custom_objects={{'{name}': YourClass}})."
    )


def _operation_class(family: str, name: str) -> Any:
    """The class of a keras.ops node, as the files of functional models name them (`numpy`, `Add`)."""
    from kcompile.keras import ops

    find = getattr(ops, "operation_class", None)
    return None if find is None else find(family, name)


def path_of(cls: type) -> tuple[str, str] | None:
    """(module, class_name) that Keras writes for a class of ours; None for a user's class."""
    written = cls.__dict__.get("keras_path")
    if written is not None:
        return tuple(written)
    if not cls.__module__.startswith("kcompile."):
        return None
    if (cls.__name__ in _WRITTEN_AS and "models" in cls.__module__) or cls.__name__ == "DTypePolicy":
        return _WRITTEN_AS[cls.__name__]
    name = _ALIASES.get(cls.__name__, cls.__name__)
    inside = cls.__module__.removeprefix("kcompile.keras.")
    for package in sorted(_PACKAGES, key=len, reverse=True):
        if inside == package or inside.startswith(package + "."):
            return f"keras.{package}", name
    return None
