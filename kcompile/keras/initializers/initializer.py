"""The base of initializers."""

from __future__ import annotations

from typing import Any


class Initializer:
    """A function of (shape, dtype) that gives first values. A subclass defines `__call__` and `get_config`."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def clone(self) -> Any:
        """A new initializer of the same config."""
        return self.from_config(self.get_config())
