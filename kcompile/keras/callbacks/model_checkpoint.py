"""ModelCheckpoint: write the model, or its weights, as training goes on."""

from __future__ import annotations

import os
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.callbacks.monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Save to `filepath` after every epoch, or every `save_freq` batches.

    filepath may hold format fields: "{epoch:02d}-{val_loss:.2f}.keras". With save_weights_only it ends in
    ".weights.h5",
    else in ".keras". save_best_only writes only when `monitor` improves.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ArgumentError(
                f"ModelCheckpoint with save_weights_only={save_weights_only} needs a filepath that ends in '{ending}'. "
                f"Received: filepath={self.filepath}"
            )
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(f"save_freq is 'epoch' or a number of batches >= 1. Received: save_freq={save_freq!r}")
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq = save_freq
        self.needs_batch_logs = save_freq != "epoch"
        self._batches = 0
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        logs = logs or {}
        improved = None
        if self.save_best_only:
            value = self.watched(logs)
            if value is None:
                return
            if not self.is_improvement(value, self.best):
                if self.verbose > 0:
                    print(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            improved, self.best = (self.best, value), value
        path = self._path(epoch, batch, logs)
        if self.verbose > 0:
            if improved is None:
                print(f"\nEpoch {epoch + 1}: saving model to {path}")
            else:
                before = "None" if improved[0] is None else f"{improved[0]:.5f}"
                print(
                    f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {improved[1]:.5f}, saving model "
                    f"to {path}"
                )
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = {k: float(v) for k, v in logs.items()}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(epoch=epoch + 1, **fields)
        except KeyError as error:
            raise ArgumentError(
                f"the filepath names {error}, which the logs do not hold. Received: filepath={self.filepath}. Known: "
                f"epoch, "
                f"{', '.join(sorted(fields))}"
            ) from None
