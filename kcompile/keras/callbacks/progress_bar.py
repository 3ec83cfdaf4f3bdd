"""ProgbarLogger: the progress line of fit, evaluate and predict."""

from __future__ import annotations

from typing import Any

from kcompile.keras.callbacks.callback import Callback
from kcompile.keras.trainer.progress import Progbar


class ProgbarLogger(Callback):
    """verbose=1: a bar that moves with the batches; verbose=2: one line an epoch."""

    needs_batch_logs = False  # it asks for the figures itself, and only when it is about to redraw

    def __init__(self) -> None:
        super().__init__()
        self.progbar: Progbar | None = None
        self._seen = 0
        self._in_fit = False

    @property
    def _verbose(self) -> int:
        verbose = self.params.get("verbose", 1)
        return 1 if verbose == "auto" else int(verbose)

    def _start(self) -> None:
        self._seen = 0
        self.progbar = Progbar(self.params.get("steps"), verbose=self._verbose, unit_name="step")

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._verbose and self.params.get("epochs", 1) > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._start()

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._start()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._start()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(None)

    def _update(self, batch: int, logs: Any) -> None:
        self._seen = batch + 1
        if self._verbose == 1 and self.progbar is not None:
            self.progbar.update(self._seen, logs)

    def _finish(self, logs: Any) -> None:
        if self._verbose and self.progbar is not None:
            self.progbar.target = self._seen
            self.progbar.update(self._seen, logs, finalize=True)
