"""History: the figures of each epoch; `fit` returns it."""

from __future__ import annotations

from typing import Any

from kcompile.keras.callbacks.callback import Callback


class History(Callback):
    """`epoch` = the epochs run; `history` = {"loss": [...], "val_loss": [...], ...}, one float an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
