"""Multiply."""

from __future__ import annotations

import functools
from typing import Any

from ... import ops
from .base_merge import Merge


class Multiply(Merge):
    """The product of all inputs.

    Example: Multiply()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.multiply, inputs)
