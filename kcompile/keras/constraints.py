"""keras.constraints: accepted as None only; what they would do to weights after each step is not compiled yet."""

from __future__ import annotations

from typing import Any

from kcompile.errors import UnsupportedError


def get(identifier: Any) -> Any:
    """None for None. Raises UnsupportedError for any constraint."""
    if identifier is not None:
        raise UnsupportedError(
            f"constraints on weights are not supported by this version; use a regularizer. Received: {identifier!r}"
        )
    return None


def serialize(constraint: Any) -> None:
    get(constraint)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    return get(config)
