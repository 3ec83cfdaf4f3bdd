"""Nested structures of lists, tuples and dicts: flatten, map, pack.

>>> flatten({"b": [1, 2], "a": 3})
[3, 1, 2]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; dicts by sorted key."""
    leaves: list[Any] = []
    _walk(structure, leaves)
    return leaves


def _walk(structure: Any, leaves: list[Any]) -> None:
    if isinstance(structure, dict):
        for key in sorted(structure):
            _walk(structure[key], leaves)
    elif isinstance(structure, list | tuple):
        for item in structure:
            _walk(item, leaves)
    else:
        leaves.append(structure)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same structure with `function` of each leaf, visited in the order of `flatten`."""
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in sorted(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_structure(function, s) for s in structure))
    if isinstance(structure, list | tuple):
        return type(structure)(map_structure(function, s) for s in structure)
    return function(structure)


def pack_like(structure: Any, leaves: Iterator[Any] | list[Any]) -> Any:
    """`leaves` in the shape of `structure`."""
    items = iter(leaves)
    return map_structure(lambda _: next(items), structure)
