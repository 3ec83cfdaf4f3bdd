"""Generated code and the interpreter train alike: convolution, normalization, pooling, several optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras import layers

STEPS = 6


def network(optimizer: Any) -> Any:
    keras.utils.set_random_seed(11)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(8, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01, global_clipnorm=1.0),
    "rmsprop": lambda: keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(0.003, 10)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_is_the_same_in_both_engines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, STEPS * 5 - 2)  # the last batch is smaller
    x = rng.normal(size=(len(y), 8, 8, 2)).astype(np.float32) + y[:, None, None, None].astype(np.float32)
    results = []
    for engine in ("interpreter", "native"):
        monkeypatch.setenv("KCOMPILE_ENGINE", engine)
        model = network(OPTIMIZERS[name]())
        losses: list[float] = []
        watch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, to=losses: to.append(logs["loss"])
        )
        history = model.fit(
            x, y, batch_size=5, epochs=2, shuffle=False, verbose=0, callbacks=[watch], validation_split=0.2
        )
        results.append((losses, history.history, model.predict(x, batch_size=7, verbose=0), model.get_weights()))
    (losses_i, history_i, p_i, w_i), (losses_n, history_n, p_n, w_n) = results
    assert len(losses_n) == 2 * 5 and history_n.keys() == history_i.keys()
    # Sums of a hundred float32 terms in other orders, through a dozen steps: 2^-24 * 100 * 12 = 7e-5.
    np.testing.assert_allclose(losses_n, losses_i, rtol=7e-5)
    np.testing.assert_allclose(p_n, p_i, atol=7e-5)
    for a, b in zip(w_n, w_i, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4)
    np.testing.assert_allclose(history_n["val_loss"], history_i["val_loss"], rtol=1e-4)
