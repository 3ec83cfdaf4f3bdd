"""Attention layers: their masks say the same thing in every form, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError

layers = keras.layers
RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(2, 5, 6)).astype(np.float32), RNG.normal(size=(2, 7, 6)).astype(np.float32)
CAUSAL = np.tri(5, 7, dtype=bool)[None]
SMALL = 1e-6  # softmax over up to 7 numbers of order 1


def multi_head(**more: Any) -> Any:
    keras.utils.set_random_seed(1)
    return layers.MultiHeadAttention(2, 3, **more)


def grouped(**more: Any) -> Any:
    keras.utils.set_random_seed(1)
    return layers.GroupQueryAttention(3, 4, 2, **more)


both = pytest.mark.parametrize("make", [multi_head, grouped])


@both
def test_a_causal_mask_is_a_mask(make: Any) -> None:
    layer = make()
    expected = layer(X, Y, attention_mask=CAUSAL).numpy()
    np.testing.assert_allclose(layer(X, Y, use_causal_mask=True).numpy(), expected, atol=SMALL)


@both
def test_a_masked_value_has_no_say(make: Any) -> None:
    layer, mask = make(), np.ones((2, 7), bool)
    mask[:, 4:] = False
    changed = Y.copy()
    changed[:, 4:] = 9
    expected = layer(X, Y[:, :4]).numpy()
    for keys in (Y, changed):
        np.testing.assert_allclose(layer(X, keys, value_mask=mask).numpy(), expected, atol=SMALL)


@both
def test_scores_are_weights_and_give_the_same_result(make: Any) -> None:
    layer = make()
    result, scores = layer(X, Y, use_causal_mask=True, return_attention_scores=True)
    assert scores.shape == (2, layer.num_heads if make is multi_head else 4, 5, 7)
    np.testing.assert_allclose(scores.numpy().sum(-1), 1, atol=SMALL)
    assert (scores.numpy()[:, :, ~CAUSAL[0]] == 0).all()
    np.testing.assert_allclose(result.numpy(), layer(X, Y, use_causal_mask=True).numpy(), atol=SMALL)


@both
def test_a_window_is_a_mask(make: Any) -> None:
    near = np.abs(np.arange(5)[:, None] - np.arange(7)) < 2
    expected = make()(X, Y, attention_mask=near[None]).numpy()
    np.testing.assert_allclose(make(sliding_window=2)(X, Y).numpy(), expected, atol=SMALL)


def test_dropout_does_nothing_at_inference() -> None:
    plain, dropping = multi_head(), multi_head(dropout=0.4)
    plain(X, Y), dropping(X, Y)
    dropping.set_weights(plain.get_weights())
    np.testing.assert_allclose(dropping(X, Y).numpy(), plain(X, Y).numpy(), atol=SMALL)


def test_one_group_a_head_is_multi_head_attention() -> None:
    ours, theirs = layers.GroupQueryAttention(3, 2, 2), layers.MultiHeadAttention(2, 3)
    ours(X, Y), theirs(X, Y)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(X, Y).numpy(), theirs(X, Y).numpy(), atol=SMALL)


def test_group_query_attention_has_the_name_of_keras_class() -> None:
    keras.backend.clear_session()
    assert grouped().name == "grouped_query_attention"
    assert layers.serialize(grouped())["class_name"] == "GroupQueryAttention"


def test_inputs_lose_their_masks() -> None:
    x = layers.Embedding(9, 6, mask_zero=True)(np.array([[1, 2, 0]]))
    y = multi_head()(x, x)
    assert getattr(x, "_keras_mask", None) is None
    assert y._keras_mask.numpy().tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.MultiHeadAttention(0, 3),
        lambda: layers.MultiHeadAttention(2, 3, dropout=1.5),
        lambda: layers.MultiHeadAttention(2, 3, dropout=0.5, flash_attention=True),
        lambda: layers.GroupQueryAttention(3, 4, 3),
        lambda: layers.Attention(score_mode="sum"),
        lambda: layers.Attention()(X),
        lambda: layers.EinsumDense("ab,bc", 3)(X),
        lambda: layers.EinsumDense("abc,cd->abd", output_shape=(5,))(X),
    ],
)
def test_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match="Received"):
        make()


def test_one_value_for_each_key() -> None:
    with pytest.raises(ShapeError, match="one value for each key"):
        multi_head()(X, Y, X)
