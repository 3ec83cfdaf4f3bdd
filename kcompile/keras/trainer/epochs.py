"""The batches of one epoch, one call a batch, or many batches in one native call where nobody needs to hear of each.

A native call runs the same step on one batch after the other, so the numbers are those of single calls. It comes back
after a while for the progress bar, for Ctrl-C and for `stop_training`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError
from kcompile.keras.callbacks.callback import CallbackList
from kcompile.keras.trainer.batches import ArraySource, EpochReader
from kcompile.runtime.call import CHUNK_SECONDS, NativeFunction
from kcompile.tracing.structure import flatten, map_structure


def run_epoch(model: Any, reader: EpochReader, phase: str, listeners: CallbackList) -> dict[str, Any]:
    """All batches of one epoch; gives the figures after the last. phase: "train" or "test".

    Callbacks hear of every `steps_per_execution` batches.
    """
    heard = _Heard(model, phase, listeners)
    native = _native(model, reader, phase)
    if native is None:
        count = _one_by_one(model, reader, phase, heard)
    else:
        count = _many_at_once(native, reader.source, heard, bool(heard.together > 1 or listeners.hears_each(phase)))
        reader.source.end_epoch()
    if count == 0:
        raise ArgumentError("there was no batch of data. Received: an empty data set")
    found: dict[str, Any] = model.get_metrics_result()
    return found


class _Heard:
    """Tells callbacks of the batches that begin and end."""

    def __init__(self, model: Any, phase: str, listeners: CallbackList):
        self.model, self.training = model, phase == "train"
        self.together: int = model.steps_per_execution
        begins, ends = f"on_{phase}_batch_begin", f"on_{phase}_batch_end"
        self._begin = getattr(listeners, begins) if listeners.hears(begins) else None
        self._end = getattr(listeners, ends) if listeners.hears(ends) else None
        self._logs = listeners.listens(phase)

    def begin(self, index: int) -> None:
        if self._begin is not None:
            self._begin(index)

    def end(self, index: int) -> bool:
        """Whether to stop."""
        if self._end is not None:
            # Figures are computed for those who look at them; a progress bar calls when it redraws.
            logs = self.model.get_metrics_result
            self._end(index, logs() if self._logs else logs)
        return self.training and self.model.stop_training


def _one_by_one(model: Any, reader: EpochReader, phase: str, heard: _Heard) -> int:
    """One call a batch; gives how many there were."""
    step = getattr(model._steps, phase)
    together = heard.together
    index = -1
    open_ = False  # whether batches have begun whose end nobody has heard of
    for index, (x, y, sample_weight) in enumerate(reader.batches()):
        if not open_:
            heard.begin(index)
            open_ = True
        step(x, y, sample_weight)
        if (index + 1) % together == 0:
            open_ = False
            if heard.end(index):
                break
    if open_:
        heard.end(index)
    return index + 1


def _native(model: Any, reader: EpochReader, phase: str) -> Any:
    """(function, arrays) for batches that are rows of arrays; None for others, and where nothing is native."""
    source = reader.source
    if model.run_eagerly or reader.steps is not None or type(source) is not ArraySource or not source.samples:
        return None
    step, arrays = model._steps.function(phase, source.parts)
    if step.options.engine != "native":
        return None
    native = step.prepare()
    # Nothing is run yet: only whether the arrays can be read where they lie.
    return (
        None if native.steps(arrays, None, 0, min(source.batch_size, source.samples), 0) is None else (native, arrays)
    )


def _many_at_once(native: tuple[NativeFunction, list[Any]], source: Any, heard: _Heard, counted: bool) -> int:
    """Runs all batches; counted: callbacks hear of exactly every `together` batches. Gives how many were run."""
    function, arrays = native
    order, size = source.order(), source.batch_size
    whole, rest = divmod(source.samples, size)
    total = whole + bool(rest)
    index = 0
    while index < total:
        heard.begin(index)
        end = min(index + heard.together, total) if counted else total
        if index < whole:
            limit = 0.0 if counted else CHUNK_SECONDS
            index += function.steps(arrays, order, index * size, size, min(end, whole) - index, limit) or 0
        if rest and whole == index < end:
            function.steps(arrays, order, whole * size, rest, 1)
            index += 1
        if heard.end(index - 1):
            break
    return index


def outputs_of_all(model: Any, reader: EpochReader, listeners: CallbackList | None) -> Any:
    """The outputs for all rows, batch by batch, in the structure that the model returns."""
    source = reader.source
    steps = model._steps
    if (
        not model.run_eagerly
        and reader.steps is None
        and type(source) is ArraySource
        and (listeners is None or not listeners.hears_each("predict"))
        and (source.samples or 0) > source.batch_size
    ):
        step, arrays = steps.function("predict", source.parts[:1])
        if step.options.engine == "native":
            heard: Callable[[int], None] | None = None
            if listeners is not None:
                heard = lambda done: listeners.on_predict_batch_end(done - 1, None)
            results = step.prepare().in_batches(arrays, source.batch_size, heard)
            if results is not None:
                return step.traced.unflatten(results)
    parts: list[Any] = []
    for index, (inputs, _, _) in enumerate(reader.batches()):
        if listeners is not None:
            listeners.on_predict_batch_begin(index)
        parts.append(steps.predict(inputs))
        if listeners is not None:
            listeners.on_predict_batch_end(index, {"outputs": parts[-1]})
    if not parts:
        raise ArgumentError("there was no batch of data. Received: an empty data set")
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(flatten(p) for p in parts), strict=True)
    joined = iter([np.concatenate(column) for column in columns])
    return map_structure(lambda _: next(joined), parts[0])
