"""The base of learning-rate schedules: a function from the step counter to a rate."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ArgumentError


class LearningRateSchedule:
    """Base of schedules: `schedule(step)` gives the rate; in a train step it is computed by the step itself."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define get_config() to be saved")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        return cls(**config)


def finite(owner: object, **numbers: Any) -> None:
    """Raise ArgumentError for a number that is not finite."""
    for name, value in numbers.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ArgumentError(f"{type(owner).__name__} needs a finite {name}. Received: {name}={value!r}")
