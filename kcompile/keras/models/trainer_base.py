"""The trainer that models inherit from, or nothing where training is not installed yet."""

from __future__ import annotations

try:
    from ..trainer.trainer import Trainer
except ModuleNotFoundError:

    class Trainer:  # type: ignore[no-redef]
        """A model that cannot be trained."""


__all__ = ["Trainer"]
