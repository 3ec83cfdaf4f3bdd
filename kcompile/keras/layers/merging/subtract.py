"""Subtract."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from .base_merge import Merge


class Subtract(Merge):
    """The first input minus the second.

    Example: Subtract()([x, y])
    """

    def merge(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ArgumentError(f"Subtract '{self.name}' takes two inputs. Received: {len(inputs)}")
        return ops.subtract(*inputs)
