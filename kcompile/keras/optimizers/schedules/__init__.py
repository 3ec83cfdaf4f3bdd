"""keras.optimizers.schedules: learning rates that depend on the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompile.keras.optimizers.schedules.decay import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from kcompile.keras.optimizers.schedules.schedule import LearningRateSchedule

__all__ = [
    "CosineDecay", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule", "PiecewiseConstantDecay",
    "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The config of a schedule."""
    from kcompile.keras.saving import serialize_keras_object

    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a config."""
    from kcompile.keras.saving import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects=custom_objects)
