"""Models with states, masks and wrappers, of our package or of Keras: `build(keras, kind)`; and arrays for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

WORDS, STEPS, FEATURES = 7, 6, 5


def _embedded(keras: Any, *layers: Any) -> Any:
    """Layers after an embedding that masks index 0."""
    words = keras.Input((STEPS,), dtype="int32")
    x = keras.layers.Embedding(WORDS, FEATURES, mask_zero=True)(words)
    for layer in layers:
        x = layer(x)
    return keras.Model(words, x)


def masked_by_embedding(keras: Any) -> Any:
    layers = keras.layers
    return _embedded(keras, layers.Dense(4), layers.Dropout(0), layers.Activation("relu"), layers.LSTM(6))


def masked_sequential(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((STEPS,), dtype="int32"),
            layers.Embedding(WORDS, FEATURES, mask_zero=True),
            layers.GRU(8, return_sequences=True),
            layers.LSTM(6, go_backwards=True),
        ]
    )


def masked_both_ways(keras: Any) -> Any:
    layers = keras.layers
    first = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    return _embedded(keras, first, layers.Bidirectional(layers.GRU(3, reset_after=False)))


def masked_batch_norm(keras: Any) -> Any:
    return _embedded(keras, keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling1D())


def masked_merges(keras: Any) -> Any:
    layers = keras.layers
    words = keras.Input((STEPS,), dtype="int32")
    x, y = (layers.Embedding(WORDS, FEATURES, mask_zero=zero)(words) for zero in (True, False))
    z = layers.Concatenate()([layers.Add()([x, x]), y])
    return keras.Model(words, layers.SimpleRNN(3)(z))


def masked_attention(keras: Any) -> Any:
    layers = keras.layers
    words = keras.Input((STEPS,), dtype="int32")
    x = layers.Embedding(WORDS, 8, mask_zero=True)(words)
    x = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(words, layers.GRU(3)(x))


def masking(keras: Any) -> Any:
    layers = keras.layers
    steps = keras.Input((STEPS, FEATURES))
    x = layers.SimpleRNN(4, return_sequences=True)(layers.Masking()(steps))
    return keras.Model(steps, layers.LSTM(3)(layers.TimeDistributed(layers.Dense(3))(x)))


def states(keras: Any) -> Any:
    steps = keras.Input((STEPS, FEATURES))
    y, h, c = keras.layers.LSTM(4, return_sequences=True, return_state=True)(steps)
    return keras.Model(steps, [y, h, c, keras.layers.LSTM(4)(steps, initial_state=[h, c])])


def states_both_ways(keras: Any) -> Any:
    steps = keras.Input((STEPS, FEATURES))
    layer = keras.layers.Bidirectional(keras.layers.GRU(4, return_state=True), merge_mode=None)
    return keras.Model(steps, list(layer(steps)))


def stacked(keras: Any) -> Any:
    layers = keras.layers
    steps = keras.Input((STEPS, FEATURES))
    cells = [layers.LSTMCell(4), layers.LSTMCell(3)]
    y, first, second = layers.RNN(cells, return_state=True, return_sequences=True)(steps)
    return keras.Model(steps, [y, *first, *second])


def frames(keras: Any) -> Any:
    layers = keras.layers
    x = images = keras.Input((3, 5, 4, 2))
    x = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(x)
    x = layers.Bidirectional(layers.ConvLSTM2D(2, 2))(x)
    return keras.Model(images, x)


def any_length(keras: Any) -> Any:
    layers = keras.layers
    steps = keras.Input((None, FEATURES))
    x = layers.LSTM(3, return_sequences=True)(steps)
    return keras.Model(steps, layers.Bidirectional(layers.GRU(2))(x))


KINDS: dict[str, Callable[[Any], Any]] = {
    f.__name__: f
    for f in (
        masked_by_embedding, masked_sequential, masked_both_ways, masked_batch_norm, masked_merges, masked_attention,
        masking, states, states_both_ways, stacked, frames, any_length,
    )
}  # fmt: skip


def draw(model: Any, rows: int = 3, seed: int = 0) -> np.ndarray[Any, Any]:
    """Inputs with masked steps in the middle and at the end, and a row without any."""
    rng = np.random.default_rng(seed)
    if model.inputs[0].dtype == "int32":
        x: np.ndarray[Any, Any] = rng.integers(1, WORDS, (rows, STEPS)).astype("int32")
    else:
        x = rng.normal(size=(rows, *(n or STEPS for n in model.inputs[0].shape[1:]))).astype("float32")
    x[0, 4:] = 0
    x[1 % rows, 2] = 0
    return x


def arrays(value: Any) -> list[np.ndarray[Any, Any]]:
    """What a model gives, as a list of arrays."""
    return [np.asarray(v) for v in (value if isinstance(value, list | tuple) else [value])]
