"""Minimum."""

from __future__ import annotations

import functools
from typing import Any

from ... import ops
from .base_merge import Merge


class Minimum(Merge):
    """The smallest of all inputs.

    Example: Minimum()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.minimum, inputs)
