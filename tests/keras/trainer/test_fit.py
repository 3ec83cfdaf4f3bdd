"""fit, evaluate and predict: what they compute, over which rows, and what they report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.keras import layers
from tests.keras.trainer.small_models import blobs, classifier, line


def test_learns_three_blobs() -> None:
    x, y = blobs()
    model = classifier()
    history = model.fit(x, y, epochs=8, batch_size=16, validation_split=0.25, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(8)) and all(len(v) == 8 for v in history.history.values())
    assert history.history["val_accuracy"][-1] > 0.95
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]
    assert model.history is history


@settings(max_examples=25)
@given(rows=st.integers(1, 40), batch=st.integers(1, 17), epochs=st.integers(1, 3))
def test_gradient_descent_equals_its_formula(rows: int, batch: int, epochs: int) -> None:
    """Unshuffled SGD on a line, a smaller last batch included, against NumPy in float64."""
    rng = np.random.default_rng(rows * 100 + batch)
    x, y = rng.normal(size=(rows, 1)).astype(np.float32), rng.normal(size=(rows, 1)).astype(np.float32)
    model = line()
    history = model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)
    w = b = 0.0
    for _ in range(epochs):
        total = 0.0
        for i in range(0, rows, batch):
            xs, ys = x[i : i + batch].astype(np.float64), y[i : i + batch].astype(np.float64)
            error = w * xs + b - ys
            total += (error**2).sum()
            w, b = w - 0.2 * (error * xs).mean(), b - 0.2 * error.mean()
    np.testing.assert_allclose([v.item() for v in model.get_weights()], [w, b], rtol=1e-4, atol=1e-5)
    # The loss of an epoch weighs batches by their rows.
    assert history.history["loss"][-1] == pytest.approx(total / rows, rel=1e-4)
    assert int(model.optimizer.iterations) == epochs * -(-rows // batch)


def test_evaluate_does_not_depend_on_the_batch_size_nor_change_weights() -> None:
    x, y = blobs(50)
    model = classifier()
    before = model.get_weights()
    whole = model.evaluate(x, y, batch_size=50, verbose=0)
    for batch in (1, 7, 49):
        np.testing.assert_allclose(model.evaluate(x, y, batch_size=batch, verbose=0), whole, rtol=1e-5)
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"accuracy", "loss"}
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    p = model.predict(x, verbose=0)
    assert whole[0] == pytest.approx(-np.log(p[np.arange(50), y]).mean(), rel=1e-5)
    assert whole[1] == pytest.approx((p.argmax(1) == y).mean())


def test_predict_joins_batches() -> None:
    x, _ = blobs(37)
    model = classifier()
    whole = model.predict(x, batch_size=37, verbose=0)
    assert whole.shape == (37, 3) and whole.dtype == np.float32
    for batch in (1, 8, 36):
        np.testing.assert_allclose(model.predict(x, batch_size=batch, verbose=0), whole, rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(x[:5]), whole[:5], rtol=1e-6)


def test_predictions_follow_the_weights() -> None:
    """What was compiled for one set of weights must not outlive it."""
    x, y = blobs()
    model = classifier()
    first = model.predict(x, verbose=0)
    model.fit(x, y, verbose=0)
    second = model.predict(x, verbose=0)
    assert np.abs(first - second).max() > 1e-3
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    np.testing.assert_allclose(model.predict(x, verbose=0), 1 / 3, rtol=1e-6)


def test_shuffling_visits_every_row_once() -> None:
    x = np.arange(23, dtype=np.float32)[:, None]
    seen: list[float] = []

    class Watch(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)
            self.squares = self.add_weight(shape=(), initializer="zeros", trainable=False)
            self.w = self.add_weight(shape=(), initializer="zeros")

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.total.assign(self.total + keras.ops.sum(inputs))
                self.squares.assign(self.squares + keras.ops.sum(inputs * inputs))
            return inputs * self.w

    model = Watch()
    model.compile("sgd", "mse")
    model.fit(
        x,
        x,
        batch_size=5,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(e))],
    )
    assert float(model.total) == x.sum() and float(model.squares) == (x**2).sum() and seen == [0]


def test_weights_of_rows_and_classes_agree() -> None:
    x, y = blobs(60)
    weight_of = {0: 1.0, 1: 3.0, 2: 0.5}
    by_class, by_row = classifier(), classifier()
    a = by_class.fit(x, y, class_weight=weight_of, shuffle=False, epochs=2, verbose=0).history
    rows = np.array([weight_of[int(i)] for i in y])
    b = by_row.fit(x, y, sample_weight=rows, shuffle=False, epochs=2, verbose=0).history
    assert a == b
    plain = classifier().fit(x, y, shuffle=False, epochs=2, verbose=0).history
    assert a["loss"] != plain["loss"]


def test_rows_of_weight_zero_do_not_count() -> None:
    x, y = blobs(40)
    weights = np.r_[np.ones(20), np.zeros(20)]
    model = classifier(weighted_metrics=["accuracy"])
    logs = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    half = model.evaluate(x[:20], y[:20], verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(half["loss"] / 2, rel=1e-5)
    assert logs["weighted_accuracy"] == pytest.approx(half["accuracy"])
    assert logs["accuracy"] == pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"])


def test_validation_split_takes_the_last_rows() -> None:
    x, y = blobs(40)
    a, b = classifier(), classifier()
    first = a.fit(x, y, validation_split=0.25, shuffle=False, verbose=0).history
    second = b.fit(x[:30], y[:30], validation_data=(x[30:], y[30:]), shuffle=False, verbose=0).history
    assert first == second


def test_validation_frequency() -> None:
    x, y = blobs(20)
    model = classifier()
    assert len(model.fit(x, y, epochs=5, validation_split=0.2, validation_freq=2, verbose=0).history["val_loss"]) == 2
    history = model.fit(x, y, epochs=5, validation_data=(x, y), validation_freq=[1, 5], validation_steps=1, verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_initial_epoch_and_steps_per_epoch() -> None:
    x, y = blobs(32)
    model = classifier()
    history = model.fit(x, y, batch_size=8, epochs=5, initial_epoch=2, steps_per_epoch=3, verbose=0)
    assert history.epoch == [2, 3, 4] and int(model.optimizer.iterations) == 9


def test_batches_from_a_generator_an_iterable_and_a_dataset() -> None:
    x, y = blobs(32)
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 32, 8)]

    class Dataset(keras.utils.PyDataset):
        ended = 0

        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> Any:
            return batches[index]

        def on_epoch_end(self) -> None:
            self.ended += 1

    dataset = Dataset()
    expected = classifier().fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    sources = [batches * 1, dataset, iter(batches * 2)]
    for source, steps in zip(sources, (None, None, 4)):
        given = source if not isinstance(source, list) else _Again(source)
        history = classifier().fit(given, epochs=2, shuffle=False, steps_per_epoch=steps, verbose=0).history
        np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
    assert dataset.ended == 2
    assert classifier().predict((b[0] for b in batches), verbose=0).shape == (32, 3)
    assert classifier().evaluate(iter(batches), verbose=0) == pytest.approx(
        classifier().evaluate(x, y, batch_size=8, verbose=0)
    )


class _Again:
    """Batches that can be iterated any number of times, of unknown number."""

    def __init__(self, batches: list[Any]):
        self.batches = batches

    def __iter__(self) -> Any:
        return iter(self.batches)


def test_a_generator_that_ends_early_warns_and_stops() -> None:
    x, y = blobs(16)
    with pytest.warns(UserWarning, match="ended after 2 of 3"):
        classifier().fit(iter([(x[:8], y[:8]), (x[8:], y[8:])]), steps_per_epoch=3, verbose=0)


def test_python_lists_float64_and_integer_images_are_taken() -> None:
    model = line()
    model.fit([[1.0], [2.0]], [[2.0], [4.0]], epochs=2, verbose=0)
    assert model.predict([[1.0], [2.0]], verbose=0).shape == (2, 1)
    assert line().predict(np.array([[3]], np.uint8), verbose=0).dtype == np.float32


def test_one_step_on_a_batch() -> None:
    x, y = blobs(8)
    model = classifier()
    loss, accuracy = model.train_on_batch(x, y)
    assert int(model.optimizer.iterations) == 1 and 0 <= accuracy <= 1 and loss > 0
    logs = model.test_on_batch(x, y, return_dict=True)
    assert logs == pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True))


def test_the_figures_of_a_batch_are_its_own() -> None:
    x, y = blobs(24)
    model = classifier()
    model.optimizer.learning_rate = 0.0
    parts = [slice(0, 4), slice(4, 12), slice(12, 24)]
    alone = [model.evaluate(x[rows], y[rows], verbose=0) for rows in parts]
    for step in (model.test_on_batch, model.train_on_batch):
        for expected, figures in zip(alone, [step(x[rows], y[rows]) for rows in parts], strict=True):
            assert figures == pytest.approx(expected, rel=1e-5)


def test_frozen_layers_stay_and_the_step_follows_a_change() -> None:
    x, y = blobs(16)
    model = classifier()
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert (before[0] == after[0]).all() and (before[2] != after[2]).any()
    model.layers[0].trainable = True
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    assert (model.get_weights()[0] != after[0]).any()


def test_running_eagerly_gives_the_same() -> None:
    x, y = blobs(16)
    a = classifier(run_eagerly=True).fit(x, y, shuffle=False, verbose=0).history
    b = classifier().fit(x, y, shuffle=False, verbose=0).history
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-5)


def test_a_deferred_model_is_built_by_fit() -> None:
    x, y = blobs(16)
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    assert model.built and len(model.optimizer.variables) == 2 + 2 * 4


def test_regularizers_add_loss_and_compute_loss_count() -> None:
    x = np.ones((4, 1), np.float32)
    regularized = keras.Sequential(
        [keras.Input((1,)), layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))]
    )
    regularized.compile("sgd", "mse")
    assert regularized.evaluate(x, x, verbose=0) == pytest.approx(0.5)

    class Doubled(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="zeros")

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight, training)

    doubled = Doubled()
    doubled.compile("sgd", "mse")
    assert doubled.evaluate(x, x, verbose=0) == pytest.approx(2.0)


def test_a_state_that_the_forward_pass_writes_moves_in_training_only() -> None:
    x = np.random.default_rng(0).normal(3, 1, (64, 2)).astype(np.float32)
    model = keras.Sequential([keras.Input((2,)), layers.BatchNormalization(momentum=0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    mean = model.layers[0].moving_mean
    model.evaluate(x, x[:, :1], verbose=0)
    model.predict(x, verbose=0)
    assert (mean.numpy() == 0).all()
    model.fit(x, x[:, :1], epochs=8, batch_size=64, verbose=0)
    np.testing.assert_allclose(mean.numpy(), x.mean(0) * (1 - 0.5**8), rtol=1e-4)


def test_interrupting_leaves_whole_weights() -> None:
    x, y = blobs(32)
    model, twin = classifier(), classifier()

    def stop(batch: int, logs: Any) -> None:
        if batch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(
            x,
            y,
            batch_size=8,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)],
        )
    twin.fit(x[:16], y[:16], batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_array_equal(a, b)
    model.fit(x, y, verbose=0)


def test_refusals() -> None:
    x, y = blobs(12)
    model = classifier()
    with pytest.raises(ArgumentError, match=r"Call model.compile"):
        keras.Sequential([keras.Input((2,)), layers.Dense(1)]).fit(x, y)
    with pytest.raises(ShapeError, match=r"same number of rows.*\(12, 2\).*\(11,\)"):
        model.fit(x, y[:11], verbose=0)
    with pytest.raises(ArgumentError, match="batch_size=0"):
        model.fit(x, y, batch_size=0)
    with pytest.raises(ArgumentError, match="validation_split=1.5"):
        model.fit(x, y, validation_split=1.5)
    with pytest.raises(ArgumentError, match="must hold numbers"):
        model.fit(np.array(["a", "b"]), y[:2])
    with pytest.raises(ArgumentError, match="excludes sample_weight"):
        model.fit(x, y, class_weight={0: 1.0}, sample_weight=np.ones(12))
    with pytest.raises(ArgumentError, match="an empty data set"):
        model.fit(iter([]), verbose=0)
    with pytest.raises(ArgumentError, match="no loss of that name"):
        model.compile("adam", "crossentropi")
    with pytest.raises(ShapeError, match="Received"):
        model.predict(np.zeros((3, 5), np.float32), verbose=0)
    with pytest.raises(ArgumentError, match="needs targets"):
        model.fit(x, verbose=0)
    model.trainable = False
    with pytest.raises(ArgumentError, match="no trainable weights"):
        model.fit(x, y, verbose=0)


def test_custom_steps_are_refused_with_a_way_out() -> None:
    class Own(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

        def train_step(self, data: Any) -> Any:
            return {}

    with pytest.raises(UnsupportedError, match=r"train_step\(\).*compute_loss"):
        Own().compile("sgd", "mse")
