"""Average."""

from __future__ import annotations

import functools
from typing import Any

from ... import ops
from .base_merge import Merge


class Average(Merge):
    """The mean of all inputs.

    Example: Average()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        return ops.multiply(functools.reduce(ops.add, inputs), 1.0 / len(inputs))
