"""Trainer: the half of a model that compiles, fits, evaluates and predicts.

model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=3, validation_split=0.1)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.keras.callbacks.callback import CallbackList
from kcompile.keras.config import is_interactive_logging_enabled
from kcompile.keras.metrics.metric import Metric
from kcompile.keras.trainer.batches import (
    DEFAULT_ROWS,
    EpochReader,
    as_arrays,
    as_batch,
    common_length,
    is_batch_iterable,
    is_dataset,
    make_source,
    split_for_validation,
    weights_of_classes,
)
from kcompile.keras.trainer.epochs import outputs_of_all, run_epoch
from kcompile.keras.trainer.state import TrainerState
from kcompile.keras.trainer.steps import Steps
from kcompile.keras.trainer.validation import Validation
from kcompile.tracing.structure import flatten

_STEPS = ("train_step", "test_step", "predict_step")  # what Keras lets subclasses replace, and a traced step cannot


class Trainer:
    """Mixed into Model. Its own state is in `_trainer` (a TrainerState), `optimizer`, `loss` and `stop_training`."""

    name: str

    def __init__(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: Any = None
        self.stop_training = False
        self.run_eagerly = False
        self.steps_per_execution = 1
        self._trainer: TrainerState | None = None
        self._steps = Steps(self)

    # -- compile
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics, by name or as objects.

        run_eagerly runs the steps in the NumPy interpreter, which is slow. steps_per_execution: callbacks hear of every
        so many batches; "auto", and 1 where no callback listens to batches, let as many as possible run in one native
        call. The numbers are the same. jit_compile and auto_scale_loss are accepted and change nothing.
        """
        from kcompile.keras import losses as losses_module
        from kcompile.keras import optimizers

        for name in _STEPS:
            if getattr(type(self), name, None) is not None:
                raise UnsupportedError(
                    f"model {type(self).__name__} defines {name}(), which cannot be traced with gradients yet. "
                    f"Override "
                    f"compute_loss() or call() instead, or add_loss() inside a layer."
                )
        if type(self).compute_metrics is not Trainer.compute_metrics:
            raise UnsupportedError(
                f"model {type(self).__name__} overrides compute_metrics(), which is not called here. Give metrics to "
                f"compile() instead: functions of (y_true, y_pred), or Metric objects."
            )
        self.optimizer = optimizers.get(optimizer)
        for leaf in flatten(loss) if not _is_config(loss) else ():
            if isinstance(leaf, str):
                losses_module.get(leaf)  # unknown names are refused here rather than at the first batch
        self.loss = loss
        self.run_eagerly = bool(run_eagerly)
        self.steps_per_execution = 1 if steps_per_execution == "auto" else _steps_per_execution(steps_per_execution)
        config = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly, "steps_per_execution":
            steps_per_execution,
            "jit_compile": jit_compile,
        }  # fmt: skip
        self._trainer = TrainerState(loss, loss_weights, metrics, weighted_metrics, config)
        self._steps = Steps(self)
        self.stop_training = False

    @property
    def compiled(self) -> bool:
        return self._trainer is not None

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, of the losses of single outputs, and the compiled metrics."""
        state = self._trainer
        if state is None:
            return []
        return [state.loss_tracker, *state.compiled_loss.trackers, *state.compiled_metrics.metrics]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the figures, in the order in which `evaluate` lists them."""
        state = self._trainer
        if state is None:
            return []
        return ["loss", *(t.name for t in state.compiled_loss.trackers), *state.compiled_metrics.listed]

    def reset_metrics(self) -> None:
        """All metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The number that training lowers: the compiled loss, and what layers and regularizers add. May be
        overridden.
        """
        state = self._needs_compile()
        losses = list(self.losses)  # type: ignore[attr-defined]
        if state.compiled_loss.loss is None:
            if not losses:
                raise ArgumentError(
                    "there is nothing to minimize. Received: compile(loss=None), and no layer adds a loss"
                )
            total = None
        else:
            if y is None:
                raise ArgumentError("training with a loss needs targets. Received: y=None")
            total = state.compiled_loss(state.outputs, y, sample_weight, state.count)
        for value in losses:
            total = value if total is None else total + value
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The figures so far."""
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, float]:
        """The figures so far as floats, by name."""
        state = self._needs_compile()
        found = {"loss": state.loss_tracker.value()}
        for tracker in state.compiled_loss.trackers:
            found[tracker.name] = tracker.value()
        for name, metric in zip(state.compiled_metrics.names, state.compiled_metrics.metrics, strict=True):
            found[name] = metric.value()
        return {key: found[key] for key in sorted(found)}

    def _needs_compile(self) -> TrainerState:
        if self._trainer is None:
            raise ArgumentError(
                f"model '{self.name}' has no optimizer and loss yet. Call model.compile(optimizer, loss) first."
            )
        return self._trainer

    # -- fit
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for `epochs` passes over the data; gives a History.

        x, y: arrays, or lists or dicts of arrays; or x alone: a PyDataset or an iterable of (x, y[, sample_weight])
        batches.
        validation_split takes the last rows, before shuffling. Ctrl-C stops between two steps and leaves whole weights.
        """
        self._needs_compile()
        arrays = not (is_dataset(x) or is_batch_iterable(x))
        if x is None:
            raise ArgumentError("fit needs data. Received: x=None")
        if arrays:
            x, y, sample_weight = as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight")
        if validation_split and validation_data is None:
            if not arrays:
                raise ArgumentError("validation_split needs arrays. Give validation_data instead.")
            (x, y, sample_weight), validation_data = split_for_validation((x, y, sample_weight), validation_split)
        if class_weight is not None:
            if not arrays or sample_weight is not None or not hasattr(y, "shape"):
                raise ArgumentError(
                    "class_weight needs one array of labels, and excludes sample_weight. Put the weights into the "
                    "batches instead."
                )
            sample_weight = weights_of_classes(y, class_weight)
        source = make_source(x, y, sample_weight, batch_size, shuffle, steps_per_epoch)
        reader = EpochReader(source, steps_per_epoch)
        validation = Validation(validation_data, validation_batch_size or batch_size, validation_steps, validation_freq)
        self._steps.refresh()
        listeners = self._listeners(callbacks, verbose, epochs=epochs, steps=reader.known_steps, history=True)
        self.stop_training = False
        listeners.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            listeners.on_epoch_begin(epoch)
            logs = run_epoch(self, reader, "train", listeners)
            if validation.due(epoch):
                for key, value in self._evaluate(validation.reader(), listeners).items():
                    logs[f"val_{key}"] = value
            listeners.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        listeners.on_train_end(logs)
        return self.history

    def _listeners(self, callbacks: Any, verbose: Any, history: bool = False, **params: Any) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        level = (1 if is_interactive_logging_enabled() else 2) if verbose == "auto" else int(verbose)
        return CallbackList(callbacks, add_history=history, add_progbar=level != 0, model=self, verbose=level, **params)

    # -- evaluate
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics over the data: one float, or a list (order of `metrics_names`), or with return_dict a
        dict.
        """
        if kwargs:
            raise ArgumentError(f"evaluate does not take {', '.join(kwargs)}")
        self._needs_compile()
        if x is None:
            raise ArgumentError("evaluate needs data. Received: x=None")
        reader = EpochReader(make_source(x, y, sample_weight, batch_size, False, steps), steps)
        self._steps.refresh()
        listeners = self._listeners(callbacks, verbose, epochs=1, steps=reader.known_steps)
        logs = self._evaluate(reader, listeners)
        return logs if return_dict else self._as_list(logs)

    def _evaluate(self, reader: EpochReader, listeners: CallbackList) -> dict[str, Any]:
        self.reset_metrics()
        listeners.on_test_begin()
        logs = run_epoch(self, reader, "test", listeners)
        listeners.on_test_end(logs)
        return logs

    def _as_list(self, logs: dict[str, Any]) -> Any:
        """The figures in Keras's order: that of `metrics_names`."""
        values = [logs[k] for k in self.metrics_names]
        return values[0] if len(values) == 1 else values

    # -- predict
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all rows of `x`, batch by batch, as NumPy arrays in the structure that the model returns."""
        rows = DEFAULT_ROWS if batch_size is None else batch_size
        plain = type(x) is np.ndarray and type(rows) is int and steps is None and callbacks is None and verbose == 0
        if plain and x.ndim and 0 < len(x) <= rows:
            return self.predict_on_batch(x)  # the same, without what many batches need
        source = make_source(x, None, None, batch_size, False, steps)
        reader = EpochReader(source, steps)
        self._steps.refresh()
        silent = not callbacks and (verbose == 0 or verbose is False)
        listeners = None if silent else self._listeners(callbacks, verbose, epochs=1, steps=reader.known_steps)
        if listeners is not None:
            listeners.on_predict_begin()
        outputs = outputs_of_all(self, reader, listeners)
        if listeners is not None:
            listeners.on_predict_end()
        return outputs

    # -- single batches
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on these rows; gives the figures of these rows alone."""
        if class_weight is not None:
            if sample_weight is not None:
                raise ArgumentError("class_weight excludes sample_weight")
            sample_weight = weights_of_classes(as_arrays(y, "y"), class_weight)
        return self._on_batch("train", x, y, sample_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of these rows alone."""
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, return_dict: bool) -> Any:
        self._needs_compile()
        steps = self._steps
        steps.refresh()
        if sample_weight is not None or not steps.repeats(kind, x, y) or not steps.again(kind, x, y):
            x, y, sample_weight = as_batch((x, y, sample_weight))
            common_length((x, y, sample_weight))
            self.reset_metrics()
            getattr(steps, kind)(x, y, sample_weight)
        logs = self.get_metrics_result()
        return logs if return_dict else self._as_list(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for these rows, as NumPy arrays."""
        self._steps.refresh()
        return self._steps.predict(as_arrays(x, "x"))

    # -- files
    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was given, as JSON-able data."""
        return None if self._trainer is None else self._trainer.config(self.optimizer)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` said; the optimizer is built, ready for its saved state."""
        from kcompile.keras.saving import deserialize_keras_object

        given = {k: deserialize_keras_object(v) for k, v in config.items()}
        accepted = (
            "optimizer",
            "loss",
            "loss_weights",
            "metrics",
            "weighted_metrics",
            "run_eagerly",
            "steps_per_execution",
            "jit_compile",
        )
        self.compile(**{k: v for k, v in given.items() if k in accepted})
        if self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]


def _steps_per_execution(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise ArgumentError(f"steps_per_execution is an int >= 1, or 'auto'. Received: {given!r}")
    return int(given)


def _is_config(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value
