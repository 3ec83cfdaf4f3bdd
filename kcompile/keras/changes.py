"""A count of changes to layers and variables, by which a trainer sees at once that nothing has changed."""

from __future__ import annotations


class _Counter:
    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


CHANGES = _Counter()  # grows with each attribute that is set on a layer, and each change of what trains
