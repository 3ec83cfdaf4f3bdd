"""What the parameters of strategies have in common: they print as the text that `kernel.strategy` takes."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Parameters:
    """Base of a strategy's parameters; its fields are numbers, truth values and lower-case words.

    Example: `str(Rows(lanes=16, unroll=4))` is "lanes=16, unroll=4".
    """

    def __str__(self) -> str:
        return ", ".join(f"{f.name}={str(getattr(self, f.name)).lower()}" for f in fields(self))
