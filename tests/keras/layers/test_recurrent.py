"""Recurrent layers in models: states, masks, files; compiled as they run at once, alone and with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError
from tests.keras.layers.recurrent_models import FEATURES, KINDS, STEPS, arrays, draw

layers = keras.layers
every_kind = pytest.mark.parametrize("kind", KINDS)


def steps(rows: int = 3, length: int = STEPS, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(rows, length, FEATURES)).astype("float32")


def close(x: Any, y: Any) -> None:
    """Sums of a dozen float32 terms of order 1, and polynomials for tanh."""
    for a, b in zip(arrays(x), arrays(y), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@every_kind
def test_compiled_is_eager(kind: str) -> None:
    model = KINDS[kind](keras)
    x = draw(model)
    close(model.predict(x, verbose=0), model(x))


@every_kind
def test_a_row_does_not_depend_on_its_batch(kind: str) -> None:
    model = KINDS[kind](keras)
    x = draw(model)
    whole = arrays(model.predict(x, verbose=0))
    for i in range(len(x)):
        for alone, among in zip(arrays(model.predict(x[i : i + 1], verbose=0)), whole, strict=True):
            np.testing.assert_array_equal(alone[0], among[i])


@every_kind
def test_files_keep_the_model(kind: str, tmp_path: Path) -> None:
    model = KINDS[kind](keras)
    x = draw(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    close(again(x), model(x))


@pytest.mark.parametrize(
    "layer", [layers.LSTM(4), layers.GRU(4), layers.GRU(4, reset_after=False), layers.SimpleRNN(4)]
)
def test_a_layer_is_its_cell_step_by_step(layer: Any) -> None:
    x = steps()
    expected = layer(x).numpy()
    states = layer.cell.get_initial_state(3)
    for t in range(STEPS):
        output, states = layer.cell(x[:, t], states)
    np.testing.assert_allclose(output.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_masked_steps_change_nothing() -> None:
    """A row with masked steps is the row without them."""
    for layer in (
        layers.LSTM(4),
        layers.GRU(3),
        layers.SimpleRNN(5, go_backwards=True),
        layers.RNN(layers.LSTMCell(2)),
    ):
        x = steps(1)
        mask = np.array([[True, False, True, True, False, False]])
        np.testing.assert_allclose(layer(x, mask=mask).numpy(), layer(x[:, mask[0]]).numpy(), rtol=1e-6, atol=1e-7)


def test_outputs_of_masked_steps() -> None:
    x, mask = steps(1), np.array([[True, True, False, True, False, False]])
    held = layers.RNN(layers.GRUCell(4), return_sequences=True)
    y = held(x, mask=mask).numpy()[0]
    np.testing.assert_array_equal(y[[2, 4, 5]], y[[1, 3, 3]])
    zero = layers.RNN(held.cell, return_sequences=True, zero_output_for_mask=True)
    z = zero(x, mask=mask).numpy()[0]
    assert not z[[2, 4, 5]].any()
    np.testing.assert_array_equal(z[[0, 1, 3]], y[[0, 1, 3]])


def test_masks_go_with_tensors() -> None:
    words = np.array([[3, 0, 1]])
    x = layers.Embedding(4, 2, mask_zero=True)(words)
    assert layers.masks.get_mask(layers.Dense(3)(x)).numpy().tolist() == [[True, False, True]]
    assert layers.masks.get_mask(layers.LSTM(3, return_sequences=True)(x)).numpy().tolist() == [[True, False, True]]
    assert layers.masks.get_mask(layers.LSTM(3)(x)) is None
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.Reshape((6,))(x)


def test_masked_predictions_do_not_count() -> None:
    model = keras.Sequential(
        [
            keras.Input((STEPS,), dtype="int32"),
            layers.Embedding(5, 4, mask_zero=True),
            layers.GRU(4, return_sequences=True),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    words = np.array([[1, 2, 3, 0, 0, 0], [4, 1, 0, 0, 0, 0]], "int32")
    targets = np.random.default_rng(0).integers(0, 3, (2, STEPS)).astype("int32")
    loss, accuracy = model.evaluate(words, targets, verbose=0)
    kept = words > 0
    likely = model.predict(words, verbose=0)
    own = likely[np.arange(2)[:, None], np.arange(STEPS), targets]
    assert loss == pytest.approx(-np.log(own[kept]).mean(), rel=1e-5)
    assert accuracy == pytest.approx((likely.argmax(-1) == targets)[kept].mean(), rel=1e-6)


def test_states_are_kept_from_batch_to_batch() -> None:
    """Two halves in two calls are the whole in one."""
    whole = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.LSTM(3),
        ]
    )
    halves = keras.Sequential([keras.Input(batch_shape=(2, STEPS // 2, FEATURES)), layers.LSTM(3, stateful=True)])
    halves.set_weights(whole.get_weights())
    x = steps(2)
    expected = whole(x).numpy()
    for _ in range(2):
        halves.predict(x[:, : STEPS // 2], verbose=0)
        np.testing.assert_allclose(halves.predict(x[:, STEPS // 2 :], verbose=0), expected, rtol=1e-5, atol=1e-6)
        halves.layers[0].reset_state()
    assert len(halves.weights) == 3
    with pytest.raises(ArgumentError, match="needs a fixed size"):
        keras.Sequential([keras.Input((STEPS, FEATURES)), layers.LSTM(3, stateful=True)])
    with pytest.raises(ShapeError, match="batch of 2. Received: a batch of 3"):
        halves.layers[0](steps(3))


def test_dropout_is_the_same_at_each_step() -> None:
    layer = layers.RNN(layers.SimpleRNNCell(50, recurrent_initializer="zeros", dropout=0.5), return_sequences=True)
    x = np.repeat(steps(1, 1), 4, axis=1)
    y = layer(x, training=True).numpy()[0]
    np.testing.assert_array_equal(y[1:], y[:-1])
    assert not np.array_equal(y, layer(x).numpy()[0])
    assert not np.array_equal(y, layer(x, training=True).numpy()[0])


def test_steps_as_rows_are_steps_one_by_one() -> None:
    """TimeDistributed folds steps into the batch where each row is by itself; elsewhere the layer runs step by step."""
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6, 2)).astype("float32")
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten()]
    )
    expected = np.stack([model(x[:, t]).numpy() for t in range(3)], 1)
    np.testing.assert_allclose(layers.TimeDistributed(model)(x).numpy(), expected, rtol=1e-5, atol=1e-6)
    centred = layers.TimeDistributed(layers.Lambda(lambda v: v - keras.ops.mean(v, axis=0)))(x).numpy()
    np.testing.assert_allclose(centred, x - x.mean(0), rtol=1e-5, atol=1e-6)
    normal = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    normal(x, training=True)
    mean = np.zeros(2)
    for t in range(3):
        mean = 0.5 * mean + 0.5 * x[:, t].mean((0, 1, 2))
    np.testing.assert_allclose(normal.layer.moving_mean.numpy(), mean, rtol=1e-4, atol=1e-6)


def test_a_cell_of_ones_own() -> None:
    class Minimal(layers.Layer):
        state_size = 2

        def call(self, inputs: Any, states: Any) -> Any:
            total = states[0] + keras.ops.sum(inputs, axis=-1, keepdims=True)
            return total * 10.0, [total]

    x = steps()
    sums = np.cumsum(x.sum(-1), axis=1)
    i = keras.Input((STEPS, FEATURES))
    output, state = layers.RNN(Minimal(), return_state=True)(i)
    model = keras.Model(i, [output, state, layers.RNN(Minimal(), return_sequences=True, go_backwards=True)(i)])
    output, state, back = model.predict(x, verbose=0)
    np.testing.assert_allclose(output[:, 0], sums[:, -1] * 10, rtol=1e-4)
    np.testing.assert_allclose(state[:, 1], sums[:, -1], rtol=1e-4)
    np.testing.assert_allclose(back[:, :, 0], np.cumsum(x.sum(-1)[:, ::-1], axis=1) * 10, rtol=1e-4)


def test_an_embedding_turned_round() -> None:
    tied = layers.ReversibleEmbedding(7, 3, mask_zero=True, logit_soft_cap=2.0)
    rows = tied(np.array([[1, 0, 6]]))
    assert layers.masks.get_mask(rows).numpy().tolist() == [[True, False, True]]
    scores = tied(rows, reverse=True).numpy()
    table = tied.embeddings.numpy()
    np.testing.assert_allclose(scores, 2 * np.tanh(rows.numpy() @ table.T / 2), rtol=1e-5, atol=1e-6)
    words = keras.Input((3,), dtype="int32")
    model = keras.Model(words, tied(layers.GRU(3, return_sequences=True)(tied(words)), reverse=True))
    close(model.predict(np.array([[1, 0, 6]], "int32"), verbose=0), model(np.array([[1, 0, 6]], "int32")))
    assert len(model.weights) == 4


def test_training_lowers_the_loss() -> None:
    x = steps(16)
    y = x.sum((1, 2))[:, None] > 0
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), layers.Bidirectional(layers.LSTM(8)), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True))
    losses = model.fit(x, y, epochs=20, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


REFUSED = [
    (lambda: layers.LSTM(0), "LSTMCell: units is a positive integer. Received: units=0"),
    (lambda: layers.LSTM(3, use_cudnn="no"), "use_cudnn is 'auto', True or False"),
    (lambda: layers.RNN(3), "state_size"),
    (lambda: layers.StackedRNNCells([3]), "a cell has `call` and `state_size`"),
    (lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="max"), "merge_mode is one of"),
    (lambda: layers.Bidirectional(3), "takes recurrent layers. Received: 3"),
    (lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(3)), "one of the two layers goes backw"),
    (lambda: layers.TimeDistributed(3), "TimeDistributed takes a layer. Received: 3"),
    (lambda: layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3), "float32")), "takes"),
    (lambda: layers.LSTM(3, unroll=True)(keras.Input((None, 4))), "needs sequences of a known length"),
    (lambda: layers.LSTM(3)(np.zeros((2, 3), "float32")), "needs an input of rank 3"),
    (lambda: layers.Embedding(4, 2)(np.array([1, 7])), "indices are from 0 to 3. Received: indices from 1 to 7"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m[:30] for _, m in REFUSED])
def test_refused(make: Any, message: str) -> None:
    with pytest.raises((ArgumentError, ShapeError), match=message):
        make()


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_sequences_of_any_length(layer: str) -> None:
    x = keras.Input((None, 3))
    model = keras.Model(x, getattr(keras.layers, layer)(4, return_sequences=True)(x))
    rng = np.random.default_rng(0)
    for steps_now in (1, 5):
        batch = rng.normal(size=(2, steps_now, 3)).astype("float32")
        close(model.predict(batch, verbose=0), model(batch))
