"""A custom layer and a subclassed model, trained by generated kernels: fit a circle.

python examples/custom_layer.py
"""

from __future__ import annotations

import numpy as np

from kcompile import keras
from kcompile.keras import ops


class Squares(keras.layers.Layer):
    """[x, x^2] @ w + b: a layer is its weights and a `call` in ops."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(2 * input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        return ops.matmul(ops.concatenate([x, x * x], axis=-1), self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Circle(keras.Model):
    def __init__(self):
        super().__init__()
        self.squares = Squares(8)
        self.noise = keras.layers.Dropout(0.1)
        self.out = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x, training=False):
        return self.out(self.noise(ops.tanh(self.squares(x)), training=training))


def main() -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).uniform(-1, 1, (2048, 2)).astype(np.float32)
    inside = (np.sum(x * x, -1, keepdims=True) < 0.5).astype(np.float32)
    model = Circle()
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, inside, batch_size=64, epochs=10, validation_split=0.25, verbose=2)
    accuracy = history.history["val_accuracy"][-1]
    print(f"accuracy on held-out points: {accuracy:.3f}")
    if accuracy < 0.95:
        raise SystemExit("the model did not learn the circle")


if __name__ == "__main__":
    main()
