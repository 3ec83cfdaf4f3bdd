"""keras.losses: classes, functions, and `get` by name.

>>> get("mse") is mean_squared_error
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.by_name import by_name
from kcompile.keras.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from kcompile.keras.losses.loss import Loss, LossFunctionWrapper
from kcompile.keras.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from kcompile.keras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

_CLASSES = (
    BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity, Hinge, Huber, KLDivergence,
    LogCosh,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge,
)  # fmt: skip
_FUNCTIONS = (
    binary_crossentropy, categorical_crossentropy, categorical_hinge, cosine_similarity, hinge, huber, kl_divergence,
    log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error,
    poisson, sparse_categorical_crossentropy, squared_hinge,
)  # fmt: skip
_SHORT = {
    "bce": binary_crossentropy, "kld": kl_divergence, "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error, "mse": mean_squared_error, "msle": mean_squared_logarithmic_error,
}  # fmt: skip
_ALIASES: dict[str, Any] = {
    **{c.__name__: c for c in _CLASSES},
    **{f.__name__: f for f in _FUNCTIONS},
    **_SHORT,
    **{name.upper(): f for name, f in _SHORT.items()},
}

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge",
    "binary_crossentropy", "categorical_crossentropy", "categorical_hinge", "cosine_similarity", "deserialize", "get",
    "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "poisson", "serialize", "sparse_categorical_crossentropy",
    "squared_hinge",
]  # fmt: skip


def get(identifier: Any) -> Loss | Callable[..., Any] | None:
    """A loss by name ("mse", "categorical_crossentropy", "Huber"), config or itself; a class is instantiated.

    Raises ArgumentError for an unknown name.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        identifier = by_name("loss", identifier, _ALIASES)
    if isinstance(identifier, type):
        identifier = identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(f"a loss is a name, a function or a Loss. Received: {identifier!r}")


def serialize(loss: Any) -> Any:
    """The config of a loss object or function."""
    from kcompile.keras.saving import serialize_keras_object

    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a config, or of a name."""
    from kcompile.keras.saving import custom_object_scope, deserialize_keras_object

    if isinstance(name, str):
        with custom_object_scope(custom_objects):
            return get(name)
    return deserialize_keras_object(name, custom_objects=custom_objects)
