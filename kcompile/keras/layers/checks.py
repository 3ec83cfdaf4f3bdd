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


def spatial_pairs(layer: str, name: str, value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """A number, (rows, columns) or ((top, bottom), (left, right)) as the last of these."""
    rows = (value, value) if isinstance(value, int) else tuple(value)
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in rows]
    if len(pairs) != 2 or any(len(p) != 2 or any(not isinstance(n, int) or n < 0 for n in p) for p in pairs):
        raise ArgumentError(
            f"{layer}: {name} is a number, two, or two pairs of numbers from 0 on. Received: {name}={value!r}"
        )
    return (pairs[0][0], pairs[0][1]), (pairs[1][0], pairs[1][1])
