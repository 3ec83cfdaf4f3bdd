"""keras.tree: nested lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.tracing.structure import flatten, map_structure, pack_like


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """`flat_sequence` in the shape of `structure`."""
    return pack_like(structure, iter(flat_sequence))


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dict."""
    return isinstance(structure, list | tuple | dict)


def map_structures(function: Callable[..., Any], *structures: Any) -> Any:
    """`function` of the leaves at the same place of equal structures."""
    rows = zip(*(flatten(s) for s in structures))
    return pack_like(structures[0], iter([function(*row) for row in rows]))


__all__ = ["flatten", "is_nested", "map_structure", "map_structures", "pack_sequence_as"]
