"""Maximum."""

from __future__ import annotations

import functools
from typing import Any

from ... import ops
from .base_merge import Merge


class Maximum(Merge):
    """The largest of all inputs.

    Example: Maximum()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(ops.maximum, inputs)
