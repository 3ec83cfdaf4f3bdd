"""Training beside real Keras: the same weights and batches give the same loss at each of 50 steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from tests.keras import real_keras

pytestmark = pytest.mark.xcheck

STEPS = 50
OPTIMIZERS = ("sgd", "adam", "rmsprop")

SCRIPT = """
import keras, numpy as np
rng = np.random.default_rng(7)
x = rng.normal(size=(50, 32, 12, 12, 1)).astype("float32")
y = rng.integers(0, 5, size=(50, 32))
x += 1.5 * np.eye(12, dtype="float32")[2 * y][..., None, :, None]  # the class is a bright column: something to learn
probe = rng.normal(size=(9, 12, 12, 1)).astype("float32")
np.savez("data.npz", x=x, y=y, probe=probe)
L = keras.layers
for name, optimizer in [("sgd", keras.optimizers.SGD(0.01, momentum=0.9)), ("adam", keras.optimizers.Adam(0.002)),
                        ("rmsprop", keras.optimizers.RMSprop(0.0003))]:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((12, 12, 1)), L.Conv2D(6, 3, activation="relu"), L.BatchNormalization(), L.Conv2D(6, 3), L.ReLU(),
        L.MaxPooling2D(), L.Flatten(), L.Dense(16), L.BatchNormalization(), L.Activation("relu"),
        L.Dense(5, activation="softmax"),
    ])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.save(f"start_{name}.keras")
    losses = []
    for i in range(len(x)):
        model.reset_metrics()
        losses.append(model.train_on_batch(x[i], y[i], return_dict=True)["loss"])
    model.save(f"end_{name}.keras")
    np.savez(f"{name}.npz", losses=np.array(losses), predictions=model.predict(probe, verbose=0))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with data, models before and after training, losses and predictions of real Keras."""
    directory = tmp_path_factory.mktemp("real_keras")
    real_keras.run(SCRIPT, directory)
    return directory


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_loss_of_each_step_and_predictions(trained: Path, name: str) -> None:
    data, expected = np.load(trained / "data.npz"), np.load(trained / f"{name}.npz")
    model = keras.models.load_model(trained / f"start_{name}.keras")
    losses = []
    for i in range(STEPS):
        model.reset_metrics()
        losses.append(model.train_on_batch(data["x"][i], data["y"][i], return_dict=True)["loss"])
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-4)

    finished = keras.models.load_model(trained / f"end_{name}.keras")
    np.testing.assert_allclose(finished.predict(data["probe"], verbose=0), expected["predictions"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_a_file_of_keras(trained: Path, name: str) -> None:
    """The state of the optimizer in the file counts: one more step with it differs from one without."""
    data = np.load(trained / "data.npz")

    def next_weights(**changes: Any) -> np.ndarray[Any, Any]:
        model = keras.models.load_model(trained / f"end_{name}.keras")
        for index, value in changes.items():
            model.optimizer.variables[int(index[1:])].assign(value)
        model.train_on_batch(data["x"][0], data["y"][0])
        return model.get_weights()[0]

    model = keras.models.load_model(trained / f"end_{name}.keras")
    assert int(model.optimizer.iterations) == STEPS
    zero = np.zeros(model.optimizer.variables[2].shape, np.float32)
    assert np.abs(next_weights() - next_weights(v2=zero)).max() > 1e-6
