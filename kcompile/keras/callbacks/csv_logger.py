"""CSVLogger: the figures of each epoch as a line of a CSV file."""

from __future__ import annotations

import csv
import os
from typing import Any, TextIO

from kcompile.keras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Columns: epoch, then the figures by name. `append` continues an existing file."""

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._file: TextIO | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        continues = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.keys = None
        if continues:
            with open(self.filename, newline="") as file:
                header = next(csv.reader(file, delimiter=self.sep), [])
            self.keys = [k for k in header if k != "epoch"]
        self._file = open(self.filename, "a" if continues else "w", newline="")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._file is None:
            return
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.sep, lineterminator="\n")
        if self.keys is None:
            self.keys = sorted(logs)
            writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(logs.get(k, "NA") for k in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
