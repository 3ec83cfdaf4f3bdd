"""What a name stands for, wherever the API takes names: a loss, a metric, an activation, .."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompile.errors import ArgumentError


def by_name(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """The one of `known`, or the registered object, of this name; `what` names the kind in the ArgumentError."""
    found = known.get(name)
    if found is None:
        from kcompile.keras.saving import get_registered_object

        found = get_registered_object(name)
    if found is None:
        raise ArgumentError(f"there is no {what} of that name. Received: {name!r}. Known: {', '.join(sorted(known))}")
    return found
