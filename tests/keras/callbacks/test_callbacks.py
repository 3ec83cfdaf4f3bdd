"""Callbacks: when they are called, and what each of them does."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError
from kcompile.keras import callbacks
from tests.keras.trainer.small_models import blobs, classifier, line


class Recorder(callbacks.Callback):
    """Notes the names of all calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.logs: list[Any] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("on_"):
            self.calls.append(name)
        return found

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.logs.append(logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...


def test_order_of_the_calls_in_fit() -> None:
    x, y = blobs(20)
    recorder = Recorder()
    classifier().fit(x, y, batch_size=10, epochs=1, validation_data=(x, y), verbose=0, callbacks=[recorder])
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end"]
    assert recorder.calls == ["on_train_begin", "on_epoch_begin", *batch * 2, *test, "on_epoch_end", "on_train_end"]


def test_logs_of_batches_are_running_means() -> None:
    x, y = blobs(20)
    recorder = Recorder()
    history = classifier().fit(x, y, batch_size=10, epochs=1, verbose=0, callbacks=[recorder]).history
    assert len(recorder.logs) == 2 and all(isinstance(v, float) for v in recorder.logs[0].values())
    assert recorder.logs[-1]["loss"] == history["loss"][-1]


def test_model_and_params_are_set() -> None:
    x, y = blobs(20)
    callback = callbacks.Callback()
    model = classifier()
    model.fit(x, y, batch_size=5, epochs=2, verbose=0, callbacks=callback)
    assert callback.model is model and callback.params == {"verbose": 0, "epochs": 2, "steps": 4}


class Figures(callbacks.Callback):
    """Puts given figures into the logs in place of the real ones, one for each epoch."""

    def __init__(self, name: str, values: list[float]):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.name] = self.values[epoch]


def epochs_run(values: list[float], callback: Any, name: str = "val_loss") -> int:
    x, y = blobs(8)
    model = classifier()
    history = model.fit(x, y, epochs=len(values), verbose=0, callbacks=[Figures(name, values), callback])
    return len(history.epoch)


@pytest.mark.parametrize(
    ("values", "arguments", "expected"),
    [
        ([1, 2, 3, 4], {}, 2),
        ([3, 2, 1, 2, 2, 2], {"patience": 2}, 5),
        ([3, 2, 2.95, 2.9, 2.9], {"patience": 2, "min_delta": 0.5}, 4),
        ([1, 2, 3, 4, 5], {"start_from_epoch": 3}, 5),
        ([5, 4, 3, 3, 3], {"baseline": 1.0, "patience": 3}, 4),
        ([1, 2, 3], {"mode": "max"}, 3),
    ],
)
def test_early_stopping(values: list[float], arguments: dict[str, Any], expected: int) -> None:
    assert epochs_run(values, callbacks.EarlyStopping(**arguments)) == expected


@pytest.mark.parametrize(
    ("name", "values", "expected"), [("val_accuracy", [1, 2, 3], 3), ("val_loss", [1, 2, 3], 2), ("auc", [3, 2, 1], 2)]
)
def test_the_direction_follows_from_the_name(name: str, values: list[float], expected: int) -> None:
    assert epochs_run(values, callbacks.EarlyStopping(monitor=name), name) == expected


def test_early_stopping_restores_the_best_weights() -> None:
    x = np.ones((4, 1), np.float32)
    model = line()
    kept: list[Any] = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    stop = callbacks.EarlyStopping("watched", patience=2, restore_best_weights=True, mode="min")
    model.fit(x, x, epochs=9, verbose=0, callbacks=[Figures("watched", [3, 1, 2, 2, 2, 2, 2, 2, 2]), keep, stop])
    assert len(kept) == 4 and stop.best_epoch == 1 and stop.stopped_epoch == 3
    for a, b in zip(model.get_weights(), kept[1]):
        np.testing.assert_array_equal(a, b)


def test_a_figure_that_is_not_there_warns() -> None:
    x, y = blobs(8)
    with pytest.warns(UserWarning, match="'val_loss'.*accuracy, loss.*validation data"):
        classifier().fit(x, y, verbose=0, callbacks=[callbacks.EarlyStopping()])


def test_checkpoints_by_epoch_with_fields(tmp_path: Path) -> None:
    x, y = blobs(20)
    model = classifier()
    path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.3f}.keras"
    history = model.fit(
        x, y, epochs=2, validation_split=0.5, verbose=0, callbacks=[callbacks.ModelCheckpoint(path)]
    ).history
    names = sorted(p.name for p in (tmp_path / "deep").iterdir())
    assert names == [f"{i + 1:02d}-{v:.3f}.keras" for i, v in enumerate(history["val_loss"])]
    loaded = keras.models.load_model(tmp_path / "deep" / names[-1])
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_checkpoint_of_the_best_weights_only(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    x = np.ones((4, 1), np.float32)
    model = line()
    kept: list[Any] = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    save = callbacks.ModelCheckpoint(path, monitor="watched", save_best_only=True, save_weights_only=True)
    model.fit(x, x, epochs=4, verbose=0, callbacks=[Figures("watched", [3, 1, 2, 2]), keep, save])
    model.load_weights(path)
    for a, b in zip(model.get_weights(), kept[1]):
        np.testing.assert_array_equal(a, b)
    assert save.best == 1


def test_checkpoint_every_few_batches(tmp_path: Path) -> None:
    x, y = blobs(40)
    save = callbacks.ModelCheckpoint(tmp_path / "{batch}.keras", save_freq=2)
    classifier().fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[save])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2.keras", "4.keras"]


def test_plateaus_lower_the_rate() -> None:
    x = np.ones((4, 1), np.float32)
    model = line(optimizer=keras.optimizers.SGD(1.0))
    reduce = callbacks.ReduceLROnPlateau("watched", factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    values = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    history = model.fit(x, x, epochs=7, verbose=0, callbacks=[Figures("watched", values), reduce]).history
    # halved where the epoch before brought nothing; `logs` show the rate that the epoch ran with
    assert history["learning_rate"] == pytest.approx([1.0, 1.0, 0.5, 0.25, 0.2, 0.2, 0.2])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.2)


def test_a_schedule_of_epochs() -> None:
    x = np.ones((4, 1), np.float32)
    model = line(optimizer=keras.optimizers.SGD(1.0))
    scheduler = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    assert model.fit(x, x, epochs=3, verbose=0, callbacks=[scheduler]).history["learning_rate"] == [1.0, 0.5, 0.25]


def test_a_loss_that_is_no_number_ends_training() -> None:
    x = np.array([[1.0], [math.nan], [1.0]], np.float32)
    model = line()
    history = model.fit(x, x, batch_size=1, epochs=3, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1 and int(model.optimizer.iterations) == 2
    with pytest.raises(RuntimeError, match="batch 1"):
        line().fit(x, x, batch_size=1, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


def test_csv_lines(tmp_path: Path) -> None:
    x, y = blobs(8)
    path = tmp_path / "log.csv"
    model = classifier()
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.CSVLogger(path)]).history
    model.fit(x, y, epochs=3, initial_epoch=2, verbose=0, callbacks=[callbacks.CSVLogger(path, append=True)])
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["epoch"] for r in rows] == ["0", "1", "2"]
    assert [float(r["loss"]) for r in rows[:2]] == history["loss"]


def test_stop_training_ends_the_epoch() -> None:
    x, y = blobs(40)
    model = classifier()

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 1

    history = model.fit(
        x, y, batch_size=8, epochs=3, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=stop)]
    )
    assert int(model.optimizer.iterations) == 2 and history.epoch == [0]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"\.weights\.h5"):
        callbacks.ModelCheckpoint(tmp_path / "x.keras", save_weights_only=True)
    with pytest.raises(ArgumentError, match="mode='up'"):
        callbacks.EarlyStopping(mode="up")
    with pytest.raises(ArgumentError, match="factor=1.5"):
        callbacks.ReduceLROnPlateau(factor=1.5)
    with pytest.raises(ArgumentError, match="on_batch_finished"):
        callbacks.LambdaCallback(on_batch_finished=print)
    with pytest.raises(ArgumentError, match="save_freq=0"):
        callbacks.ModelCheckpoint(tmp_path / "x.keras", save_freq=0)
    x, y = blobs(8)
    with pytest.raises(ArgumentError, match="'val_los'.*loss"):
        classifier().fit(x, y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{val_los}.keras")])
