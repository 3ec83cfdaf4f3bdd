"""Copies and pickles: models, layers, variables, optimizers and metrics come back equal and live on their own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras import layers
from tests.keras.trainer.small_models import blobs, classifier

WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class Doubled(layers.Layer):
    """Not registered: a copy finds it without."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


def distance(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@every_way
def test_a_copied_model_goes_on_as_the_original_does(way: Callable[[Any], Any]) -> None:
    x, y = blobs(24)
    model = classifier()
    model.fit(x, y, shuffle=False, verbose=0)
    other = way(model)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    before = other.get_weights()
    histories = [m.fit(x, y, shuffle=False, epochs=2, verbose=0).history for m in (model, other)]
    assert histories[0] == histories[1]
    assert not np.array_equal(before[0], other.get_weights()[0])


@every_way
def test_classes_and_functions_of_the_user_need_no_registration(way: Callable[[Any], Any]) -> None:
    model = keras.Sequential([keras.Input((3,)), Doubled(), layers.Dense(2)])
    model.compile("sgd", distance, metrics=[distance])
    x = np.ones((4, 3), np.float32)
    other = way(model)
    assert type(other.layers[0]) is Doubled
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    assert other.evaluate(x, x[:, :2], verbose=0) == model.evaluate(x, x[:, :2], verbose=0)


@every_way
def test_layers_variables_optimizers_and_metrics(way: Callable[[Any], Any]) -> None:
    layer = layers.Dense(5)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = np.asarray(layer(x))
    other = way(layer)
    np.testing.assert_array_equal(np.asarray(other(x)), expected)
    other.kernel.assign(np.zeros((3, 5)))
    np.testing.assert_array_equal(np.asarray(layer(x)), expected)
    assert other.kernel._array.ctypes.data % 64 == 0  # compiled functions count on it
    adam = keras.optimizers.Adam(0.25)
    adam.build([layer.kernel])
    assert float(way(adam).learning_rate.numpy()) == 0.25
    mean = keras.metrics.Mean()
    mean.update_state([1.0, 3.0])
    assert float(way(mean).result()) == 2.0
