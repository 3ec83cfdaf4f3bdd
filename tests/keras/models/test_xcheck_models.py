"""Models against real Keras: names, order of layers and weights, configs, outputs; configs read by each other."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest

from kcompile import keras

os.environ.setdefault("KERAS_BACKEND", "jax")
real = pytest.importorskip("keras", reason="real Keras is not installed")
pytestmark = pytest.mark.xcheck


def digits(k: Any) -> Any:
    layers = k.layers
    return k.Sequential([
        k.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.Conv2D(4, 3),
        layers.ReLU(), layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def residual(k: Any) -> Any:
    layers = k.layers
    x = start = k.Input((8, 8, 3))
    for _ in range(2):
        y = layers.Conv2D(3, 3, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("relu")(y)
        x = layers.Add()([x, y])
    return k.Model(start, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)), name="residual")


def structured(k: Any) -> Any:
    layers = k.layers
    a, b = k.Input((4,), name="a"), k.Input((5,), name="b")
    shared = layers.Dense(3, name="shared")
    left = shared(a)
    right = shared(layers.Dense(4)(b))
    joined = layers.Concatenate()([left, right, layers.Dense(2)(a)])
    scaled = k.ops.mean(joined, axis=-1, keepdims=True) * 2.0 + k.ops.relu(left[:, 1:])
    return k.Model({"a": a, "b": b}, {"main": layers.Dense(1)(joined), "scaled": scaled, "shift": 1.0 - left})


def nested(k: Any) -> Any:
    inner = k.Sequential(
        [k.Input((6,)), k.layers.Dense(4, activation="gelu"), k.layers.LayerNormalization()], name="inner"
    )
    x = k.Input((6,))
    deep = k.Model(x, k.layers.Dense(3)(inner(x)), name="deep")
    z = k.Input((6,))
    return k.Model(z, [deep(z), k.layers.Dense(2)(z)])


BUILDERS = [digits, residual, structured, nested]


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k not in ("shared_object_id", "compile_config")}
    return [without_ids(v) for v in value] if isinstance(value, list | tuple) else value


def draw(model: Any) -> Any:
    rng = np.random.default_rng(0)
    one = lambda x: rng.normal(size=(3, *x.shape[1:])).astype("float32")
    if isinstance(model.input, dict):
        return {k: one(x) for k, x in model.input.items()}
    return one(model.input)


@pytest.mark.parametrize("build", BUILDERS, ids=lambda f: f.__name__)
def test_models_are_equal(build: Any) -> None:
    keras.backend.clear_session()
    real.backend.clear_session()
    ours, theirs = build(keras), build(real)
    assert ours.name == theirs.name
    assert [x.name for x in ours.layers] == [x.name for x in theirs.layers]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    mine, other = json.loads(ours.to_json()), json.loads(theirs.to_json())
    assert without_ids(mine) == without_ids(other)

    rng = np.random.default_rng(1)
    ours.set_weights([np.abs(rng.normal(size=w.shape)) * 0.3 for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    x = draw(ours)
    compare(ours(x), theirs(x))
    # each reads what the other wrote
    from_theirs = keras.models.model_from_json(theirs.to_json())
    from_theirs.set_weights(theirs.get_weights())
    compare(from_theirs(x), theirs(x))
    from_ours = real.models.model_from_json(ours.to_json())
    from_ours.set_weights(ours.get_weights())
    compare(ours(x), from_ours(x))


def compare(ours: Any, theirs: Any) -> None:
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if not isinstance(ours, list):
        ours, theirs = [ours], [theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=1e-5, atol=1e-5)
