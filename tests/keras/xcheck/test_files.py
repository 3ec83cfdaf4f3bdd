"""Files between real Keras and here, both ways: weights, configs, predictions and the state of Adam."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras import layers
from tests.keras import real_keras

pytestmark = pytest.mark.xcheck

X = np.random.default_rng(3).normal(size=(6, 8, 8, 2)).astype(np.float32)

# Models of both sides are made by the same text, as `keras` and `L` are the same API.
MODELS = """
def convolutional():
    return keras.Sequential([
        keras.Input((8, 8, 2)), L.Conv2D(3, 3, padding="same", activation="relu", name="c"), L.BatchNormalization(),
        L.MaxPooling2D(), L.AveragePooling2D(2), L.Dropout(0.2), L.Flatten(), L.Dense(5, activation="softmax"),
    ], name="convolutional")

def branched():
    x = keras.Input((8, 8, 2), name="image")
    shared = L.Dense(4, activation="tanh", name="shared")
    y = L.Add()([shared(x), shared(x * 0.5 + 1.0)])
    y = L.Concatenate()([y, x])
    y = L.GlobalAveragePooling2D()(y)
    inner = keras.Sequential([keras.Input((6,)), L.Dense(6), L.ReLU(), L.Reshape((2, 3)), L.Flatten()], name="inner")
    y = inner(y)
    first = L.Dense(2, kernel_regularizer="l2", name="first")(y)
    return keras.Model(x, [first, keras.ops.mean(y, axis=-1)], name="branched")

def custom():
    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.zz = L.Dense(4)
            self.aa = L.Conv2D(2, 1)
            self.tower = [L.Dense(3), L.Dense(3)]
            self._head = L.Dense(2)
        def call(self, x):
            y = self.zz(self.aa(x))
            for layer in self.tower:
                y = layer(y)
            return keras.ops.mean(self._head(y), axis=(1, 2))
    return Net()

def transformer():
    x = keras.Input((8, 8, 2))
    y = L.Reshape((8, 16))(x)
    y = L.LayerNormalization()(L.Add()([y, L.MultiHeadAttention(2, 5, value_dim=5, use_gate=True)(y, y)]))
    y = L.Add()([y, L.GroupQueryAttention(4, 4, 2)(y, y, use_causal_mask=True)])
    y = L.EinsumDense("abc,cd->abd", output_shape=(8, 6), bias_axes="d", activation="gelu")(y)
    return keras.Model(x, L.GlobalAveragePooling1D()(y)[:, :2], name="transformer")

MADE = {"convolutional": convolutional, "branched": branched, "custom": custom, "transformer": transformer}
LOSS = {"convolutional": "categorical_crossentropy", "branched": ["mse", "mae"], "custom":
keras.losses.Huber(delta=0.5), "transformer": "mse"}

def targets(name, n):
    rng = np.random.default_rng(9)
    if name == "branched":
        return [rng.normal(size=(n, 2)), rng.normal(size=(n,))]
    return rng.dirichlet(np.ones(5), n) if name == "convolutional" else rng.normal(size=(n, 2))

def trained(name, x):
    keras.utils.set_random_seed(4)
    model = MADE[name]()
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), LOSS[name])
    model.fit(x, targets(name, len(x)), batch_size=3, epochs=2, verbose=0)
    return model

def written(name, x):
    keras.backend.clear_session()
    model = trained(name, x)
    model.save(f"{name}.keras") if name != "custom" else model.save_weights(f"{name}.weights.h5")
    outputs = model.predict(x, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    np.savez(f"{name}.npz", *outputs, *[np.asarray(v) for v in model.optimizer.variables])

def read(name, x):
    if name == "custom":
        model = MADE[name]()
        model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), LOSS[name])
        model.predict(x, verbose=0)
        model.optimizer.build(model.trainable_variables)
        model.load_weights(f"{name}.weights.h5")
    else:
        model = keras.models.load_model(f"{name}.keras")
    outputs = model.predict(x, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    expected = list(np.load(f"{name}.npz").values())
    got = outputs + [np.asarray(v) for v in model.optimizer.variables]
    assert len(got) == len(expected), (len(got), len(expected))
    for a, b in zip(got, expected):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    return model
"""
PREFIX = "import keras, numpy as np\nL = keras.layers\nx = np.load('x.npy')\n"
NAMES = ("convolutional", "branched", "custom", "transformer")


def here() -> dict[str, Any]:
    """The functions of MODELS for kcompile's Keras."""
    scope: dict[str, Any] = {"keras": keras, "L": layers, "np": np}
    exec(MODELS, scope)
    return scope


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of real Keras."""
    directory = tmp_path_factory.mktemp("theirs")
    np.save(directory / "x.npy", X)
    real_keras.run(PREFIX + MODELS + "\nfor n in MADE: written(n, x)", directory)
    return directory


@pytest.mark.parametrize("name", NAMES)
def test_files_of_keras_are_read(theirs: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(theirs)
    here()["read"](name, X)


def test_files_from_here_are_read_by_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "x.npy", X)
    scope = here()
    for name in NAMES:
        scope["written"](name, X)
    done = real_keras.run(PREFIX + MODELS + "\nfor n in MADE: print(read(n, x).name)", tmp_path)
    assert done.split() == ["convolutional", "branched", "net", "transformer"]


@pytest.mark.parametrize("name", ["convolutional", "branched", "transformer"])
def test_configs_are_equal(theirs: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The config that is written here says what the one of Keras says."""
    monkeypatch.chdir(tmp_path)
    here()["written"](name, X)
    ours, real = (_config(path / f"{name}.keras") for path in (tmp_path, theirs))
    assert _plain(ours["compile_config"]) == _plain(real["compile_config"])
    for a, b in zip(ours["config"]["layers"], real["config"]["layers"], strict=True):
        first, second = _plain(a), _plain(b)
        # arguments that this version does not know yet may be absent, those that it writes must agree
        assert first == _common(second, first), a["class_name"]


def _config(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def _plain(value: Any) -> Any:
    """Without identities of objects, which differ from run to run."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "shared_object_id"}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _common(value: Any, like: Any) -> Any:
    """`value` with only those keys that `like` has too."""
    if isinstance(value, dict) and isinstance(like, dict):
        return {k: _common(v, like[k]) for k, v in value.items() if k in like}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [_common(v, w) for v, w in zip(value, like)]
    return value
