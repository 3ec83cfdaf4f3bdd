"""Checks of layer arguments that several layers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ArgumentError


def positive_integer(layer: str, **arguments: Any) -> None:
    """Raise ArgumentError for an argument that is not an integer from 1 on."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ArgumentError(f"{layer}: {name} is a positive integer. Received: {name}={value!r}")


def fraction(layer: str, **arguments: Any) -> None:
    """Raise ArgumentError for an argument that is not a number from 0 to 1."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
            raise ArgumentError(f"{layer}: {name} is a number from 0 to 1. Received: {name}={value!r}")
