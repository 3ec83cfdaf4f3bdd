"""One file a family of peers: INFER and TRAIN, dicts from a peer's name to a function of a case.

INFER[name](case) gives x -> y, TRAIN[name](case) gives (x, target) -> loss after one Adam step; numpy in and out.
A file is run by its family's interpreter, and nothing of it is imported before a peer is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import MODELS
from numpy.typing import NDArray

RATE = 1e-3  # Adam's, for every peer

Array = NDArray[Any]
Infer = Callable[[Array], Array]
Train = Callable[[Array, Array], float]


@dataclass(frozen=True)
class Case:
    """What a peer is to run: a model's folder, the batch, the threads it may use."""

    folder: Path
    name: str
    batch: int
    threads: int

    @property
    def keras_file(self) -> str:
        return str(self.folder / "model.keras")

    @property
    def keras_loss(self) -> str:
        return MODELS[self.name].keras_loss
