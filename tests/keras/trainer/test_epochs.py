"""Batches of arrays in native calls give what single steps give, and callbacks hear of what they asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import layers
from kcompile.keras.trainer import epochs
from kcompile.keras.trainer.steps import zeros_of
from tests.keras.trainer.small_models import blobs, classifier


@pytest.fixture(autouse=True)
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not here: this is about native calls."""
    monkeypatch.setenv("KCOMPILE_ENGINE", "native")


class Each(keras.callbacks.Callback):
    """Listens to every batch, so that each is a native call of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("begin", batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("end", batch, logs["loss"]))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append(("test", batch))


@cache
def noisy() -> tuple[Any, list[Any]]:
    """A model with dropout, as the random numbers must go on in the same way; and all its state at the start."""
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8, activation="tanh"), layers.Dropout(0.3), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model, [v._array.copy() for v in (*model.variables, *model.optimizer.variables)]


def state_of(model: Any) -> list[Any]:
    return [v._array.tolist() for v in (*model.variables, *model.optimizer.variables)]


@settings(max_examples=30)
@given(
    rows=st.integers(1, 70), batch=st.integers(1, 40), shuffle=st.booleans(), weighted=st.booleans(),
    together=st.sampled_from([1, 2, 3, 100, "auto"]),
)  # fmt: skip
def test_fit_gives_the_same_bits(rows: int, batch: int, shuffle: bool, weighted: bool, together: Any) -> None:
    x, y = blobs(rows)
    weight = np.linspace(0.5, 2, rows).astype(np.float32) if weighted else None
    results = []
    for native in (True, True, False):
        callbacks = [Each()] if results else []
        model, start = noisy()
        for variable, value in zip((*model.variables, *model.optimizer.variables), start, strict=True):
            variable._array[...] = value
        keras.utils.set_random_seed(7)
        model.steps_per_execution = 1 if callbacks or together == "auto" else together
        with pytest.MonkeyPatch.context() as patch:
            if not native:
                patch.setattr(epochs, "_native", lambda *_: None)
            history = model.fit(
                x, y, batch, 3, verbose=0, callbacks=callbacks, shuffle=shuffle, sample_weight=weight,
                validation_data=(x[::-1], y[::-1]),
            ).history  # fmt: skip
            found = (history, state_of(model), model.evaluate(x, y, batch, verbose=0), np.random.rand())
        results.append((*found, [h for callback in callbacks for h in callback.heard]))
    assert results[0][:4] == results[1][:4] == results[2][:4]
    assert results[1] == results[2]


def test_the_native_loop_is_used_and_only_where_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = epochs._many_at_once
    monkeypatch.setattr(epochs, "_many_at_once", lambda *a: calls.append(a[3]) or original(*a))
    x, y = blobs(50)
    model = classifier()
    model.fit(x, y, verbose=0)
    assert calls == [False]
    model.evaluate(x, y, verbose=0)
    assert calls == [False, False]
    model.fit(x, y, verbose=0, callbacks=[Each()])
    assert calls == [False, False, True]
    calls.clear()
    model.fit(x, y, verbose=0, steps_per_epoch=2)
    model.fit(((x, y) for _ in range(2)), verbose=0)
    eager = classifier(run_eagerly=True)
    eager.fit(x, y, verbose=0)
    assert not calls
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=2)
    model.fit(x, y, verbose=0, callbacks=[Each()])
    assert calls == [True]


@pytest.mark.parametrize("generator", [False, True])
def test_callbacks_hear_of_every_so_many_batches(generator: bool) -> None:
    x, y = blobs(70)
    each, few = Each(), Each()
    for callback, together in ((each, 1), (few, 3)):
        model = classifier(steps_per_execution=together)
        if generator:
            model.fit(((x[i : i + 10], y[i : i + 10]) for i in range(0, 70, 10)), verbose=0, callbacks=[callback])
        else:
            model.fit(x, y, 10, verbose=0, callbacks=[callback], shuffle=False)
    losses = {h[1]: h[2] for h in each.heard if h[0] == "end"}
    assert few.heard == [
        ("begin", 0), ("end", 2, losses[2]), ("begin", 3), ("end", 5, losses[5]), ("begin", 6), ("end", 6, losses[6]),
    ]  # fmt: skip


def test_a_progress_bar_hears_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no time for a chunk each is one batch; the last index and the order are those of single calls."""
    monkeypatch.setattr(epochs, "CHUNK_SECONDS", 1e-9)
    heard = []
    bar = keras.callbacks.ProgbarLogger
    monkeypatch.setattr(bar, "on_train_batch_end", lambda self, batch, logs=None: heard.append(batch))
    x, y = blobs(70)
    classifier().fit(x, y, 10, verbose=1, shuffle=False)
    assert heard == list(range(7))
    monkeypatch.setattr(epochs, "CHUNK_SECONDS", 1e9)
    heard.clear()
    classifier().fit(x, y, 32, verbose=1)
    assert heard == [2]


def test_training_stops_when_told_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "CHUNK_SECONDS", 1e-9)
    x, y = blobs(70)
    model = classifier()
    original = epochs._Heard.end

    def end(self: Any, index: int) -> bool:
        self.model.stop_training = index == 3
        return original(self, index)

    monkeypatch.setattr(epochs._Heard, "end", end)
    model.fit(x, y, 10, epochs=5, verbose=0)
    assert model.optimizer.iterations.numpy() == 4


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 100])
def test_predict_joins_batches_of_several_outputs(rows: int) -> None:
    inputs = keras.Input((2,))
    hidden = layers.Dense(4, activation="tanh")(inputs)
    model = keras.Model(inputs, {"a": layers.Dense(3)(hidden), "b": layers.Reshape((2, 2))(hidden)})
    x, _ = blobs(rows)
    whole = model.predict_on_batch(x)
    for verbose in (0, 1):
        found = model.predict(x, verbose=verbose)
        for name in ("a", "b"):
            np.testing.assert_array_equal(found[name], whole[name])


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "all"])
def test_refused_steps_per_execution(given: Any) -> None:
    with pytest.raises(ArgumentError, match="steps_per_execution"):
        classifier(steps_per_execution=given)


def test_targets_that_do_not_fit_are_refused_before_anything_moves() -> None:
    x, y = blobs(40)
    model = classifier()
    model.fit(x, y, epochs=1, verbose=0)
    before = state_of(model)
    with pytest.raises(Exception, match="shape"):
        model.fit(x[:, :1], y, epochs=1, verbose=0)
    assert state_of(model)[: len(model.weights)] == before[: len(model.weights)]


def test_single_batches_repeat_without_changing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs(40)
    given: list[Any] = [
        (x, y), (x[:7], y[:7]), (x[:7], y[:7]), (x[::-1], y), (x, y.astype(np.int32)), (x.tolist(), y.tolist()),
        (x.astype(np.float64), y), (x[:1], y[:1]), (x, y), (x, y),
    ]  # fmt: skip
    results = []
    for quick in (True, False):
        model = classifier()
        if not quick:
            monkeypatch.setattr(model._steps, "repeats", lambda *_: False)
        found = [model.train_on_batch(*batch) for batch in given]
        found += [model.test_on_batch(*batch, return_dict=True) for batch in given]
        with pytest.raises(ShapeError, match="same number of rows"):
            model.train_on_batch(x, y[:3])
        model.layers[0].trainable = False  # another step from here on
        found += [model.train_on_batch(x, y), model.train_on_batch(x, y)]
        results.append((found, state_of(model)))
    assert results[0] == results[1]


def test_overridden_resets_are_called() -> None:
    class Halving(keras.metrics.Mean):
        def reset_state(self) -> None:
            self.count.assign(self.count * 0)

    def first(y_true: Any, y_pred: Any) -> Any:
        return y_pred[:, 0]

    x, y = blobs(6)
    total = Halving()
    model = classifier(metrics=[first])
    model.train_on_batch(x, y)
    model._trainer.compiled_metrics._items.append((0, "total", total, False))
    assert zeros_of(model) is None
    plain = classifier()
    plain.train_on_batch(x, y)
    assert zeros_of(plain) is not None
