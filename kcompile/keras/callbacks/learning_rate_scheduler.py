"""LearningRateScheduler: the learning rate of each epoch from a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.callbacks.callback import Callback


class LearningRateScheduler(Callback):
    """Before each epoch: rate = schedule(epoch, rate)."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = float(self.model.optimizer.learning_rate)
        try:
            new = self.schedule(epoch, rate)
        except TypeError:  # a schedule of the epoch alone
            new = self.schedule(epoch)
        if not isinstance(new, float | int) and not hasattr(new, "__float__"):
            raise ArgumentError(f"the schedule must return a number. Received: {new!r}")
        self.model.optimizer.learning_rate = float(new)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {new}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
