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


def spatial_pairs(layer: str, name: str, value: Any, count: int = 2) -> tuple[tuple[int, int], ...]:
    """A number, one for each of `count` axes, or a pair (before, after) for each, as the last of these.

    With one axis two numbers are its pair.
    """
    single = isinstance(value, int)
    axes = (value,) * count if single else tuple(value) if count > 1 else (tuple(value),)
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in axes]
    if len(pairs) != count or any(len(p) != 2 or any(not isinstance(n, int) or n < 0 for n in p) for p in pairs):
        shapes = "a number, or two" if count == 1 else f"a number, {count} of them, or {count} pairs of them"
        raise ArgumentError(f"{layer}: {name} is {shapes}, from 0 on. Received: {name}={value!r}")
    return tuple((low, high) for low, high in pairs)
