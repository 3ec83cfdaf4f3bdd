"""Add."""

from __future__ import annotations

import functools
from typing import Any

from ... import ops
from .base_merge import Merge


class Add(Merge):
    """The sum of all inputs.

    Example: Add()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.add, inputs)
