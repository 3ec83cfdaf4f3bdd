"""get_source_inputs."""

from __future__ import annotations

from typing import Any

from kcompile.tracing.structure import flatten


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor was made from."""
    found: dict[int, Any] = {}
    waiting = flatten(tensor)
    seen: set[int] = set()
    while waiting:
        x = waiting.pop()
        if id(x) in seen or x._keras_history is None:
            continue
        seen.add(id(x))
        node = x._keras_history.node
        if node.is_input:
            found[id(x)] = x
        waiting += node.input_tensors
    return list(found.values())
