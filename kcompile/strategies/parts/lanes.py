"""Positions of the lanes of a vector along one axis."""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.errors import IRError
from kcompile.ir.core import Value


class LaneError(IRError):
    """The lanes run where a vector cannot follow; the strategy must use one lane."""


@dataclass(frozen=True, slots=True)
class LaneIndex:
    """base + stride * lane, along one axis."""

    base: Value
    stride: int = 0
