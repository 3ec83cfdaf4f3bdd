"""The base of callbacks, and the list that the training loop talks to."""

from __future__ import annotations

from typing import Any


class Callback:
    """Base of callbacks: override the moments you need.

    `self.model` is the model; `self.params` holds verbose, epochs and steps. `logs` are dicts of floats; in
    on_epoch_end they hold the training and the `val_` figures.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        return getattr(self, "_model", None)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Old name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Old name of on_train_batch_end."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch of fit."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch of fit, and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of evaluate, or of validation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of evaluate, or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of predict."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of predict; logs = {"outputs": ...}."""

    def on_train_begin(self, logs: Any = None) -> None:
        """At the start of fit."""

    def on_train_end(self, logs: Any = None) -> None:
        """At the end of fit."""

    def on_test_begin(self, logs: Any = None) -> None:
        """At the start of evaluate, or of validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """At the end of evaluate, or of validation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """At the start of predict."""

    def on_predict_end(self, logs: Any = None) -> None:
        """At the end of predict."""


class CallbackList(Callback):
    """Several callbacks as one; it knows which moments anybody listens to, so that the others cost nothing."""

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = flatten_callbacks(callbacks)
        if add_progbar and not any(_named(c, "ProgbarLogger") for c in self.callbacks):
            from kcompile.keras.callbacks.progress_bar import ProgbarLogger

            self.callbacks.append(ProgbarLogger())
        self._history = next((c for c in self.callbacks if _named(c, "History")), None)
        if add_history and self._history is None:
            from kcompile.keras.callbacks.history import History

            self._history = History()
            self.callbacks.append(self._history)
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self._model = model
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def listens(self, phase: str) -> bool:
        """Whether a callback needs the logs of single batches. phase: "train", "test" or "predict"."""
        names = [f"on_{phase}_batch_end"] + (["on_batch_end"] if phase == "train" else [])
        return any(
            _overrides(c, name) and getattr(c, "needs_batch_logs", True) for c in self.callbacks for name in names
        )

    def hears(self, name: str) -> bool:
        """Whether any callback has a method of its own of that name (or of its old name)."""
        old = name.replace("train_", "")
        return any(_overrides(c, n) for c in self.callbacks for n in {name, old})

    def hears_each(self, phase: str) -> bool:
        """Whether a callback must hear of every single batch: any that listens to batches and does not say, by
        needs_batch_logs = False, that it only looks how far things are. phase: "train", "test" or "predict".
        """
        names = [f"on_{phase}_batch_begin", f"on_{phase}_batch_end"]
        names += ["on_batch_begin", "on_batch_end"] if phase == "train" else []
        return any(
            _overrides(c, name) for c in self.callbacks for name in names if getattr(c, "needs_batch_logs", True)
        )

    def _call(self, name: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, name)(*arguments)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_batch_end", batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call("on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs: Any = None) -> None:
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._call("on_train_end", logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._call("on_predict_end", logs)


def flatten_callbacks(callbacks: Any) -> list[Callback]:
    """One callback, or lists of them (nested), as one list."""
    if callbacks is None:
        return []
    if isinstance(callbacks, list | tuple):
        return [c for item in callbacks for c in flatten_callbacks(item)]
    return [callbacks]


def _overrides(callback: Callback, name: str) -> bool:
    """Whether the callback's class (or the object itself) has its own method of that name."""
    return getattr(type(callback), name, None) is not getattr(Callback, name) or name in vars(callback)


def _named(callback: Any, name: str) -> bool:
    return any(c.__name__ == name for c in type(callback).__mro__)
