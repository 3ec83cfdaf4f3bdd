"""Models with several inputs and outputs: matching of losses, metrics, targets and weights; names and order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import layers

RNG = np.random.default_rng(5)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = {"kind": RNG.integers(0, 3, 24), "size": RNG.normal(size=(24, 1)).astype(np.float32)}


def two_heads(as_dict: bool) -> Any:
    keras.utils.set_random_seed(2)
    x = keras.Input((4,))
    kind, size = layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, name="size")(x)
    return keras.Model(x, {"kind": kind, "size": size} if as_dict else [kind, size])


def test_names_and_order_of_the_figures() -> None:
    model = two_heads(True)
    model.compile(
        "sgd",
        {"kind": "sparse_categorical_crossentropy", "size": "mse"},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
    )
    history = model.fit(X, Y, validation_split=0.25, verbose=0).history
    names = ["kind_accuracy", "kind_loss", "loss", "size_loss", "size_mae"]
    assert list(history) == names + [f"val_{n}" for n in names]
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    order = ["loss", "kind_loss", "size_loss", "kind_accuracy", "size_mae"]
    assert model.metrics_names == order
    assert model.evaluate(X, Y, verbose=0) == pytest.approx([logs[n] for n in order])
    assert logs["loss"] == pytest.approx(logs["kind_loss"] + logs["size_loss"])


def test_figures_of_one_output_are_listed_as_they_were_given() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    order = ["mse", "accuracy", "mae"]  # `loss, mse, accuracy, mae = model.evaluate(...)`
    model.compile("sgd", "categorical_crossentropy", metrics=order, weighted_metrics=["categorical_accuracy"])
    y = np.eye(3, dtype=np.float32)[Y["kind"]]
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert model.metrics_names == ["loss", *order, "categorical_accuracy"]
    assert model.evaluate(X, y, verbose=0) == [logs[n] for n in model.metrics_names]
    model.reset_metrics()
    assert len(model.test_on_batch(X, y)) == 5


def test_lists_and_dicts_say_the_same() -> None:
    figures = []
    for as_dict in (True, False):
        model = two_heads(as_dict)
        losses: Any = ["sparse_categorical_crossentropy", "mse"]
        targets: Any = [Y["kind"], Y["size"]]
        weights: Any = [1.0, 0.25]
        if as_dict:
            losses, targets, weights = dict(zip(Y, losses)), Y, dict(zip(Y, weights))
        model.compile(keras.optimizers.SGD(0.1), losses, loss_weights=weights)
        figures.append(model.fit(X, targets, shuffle=False, epochs=2, verbose=0).history)
        assert figures[-1]["loss"][0] == pytest.approx(figures[-1]["kind_loss"][0] + 0.25 * figures[-1]["size_loss"][0])
    for name in figures[0]:
        np.testing.assert_allclose(figures[0][name], figures[1][name], rtol=1e-6)


def test_losses_by_name_of_a_list_of_outputs() -> None:
    model = two_heads(False)
    model.compile("sgd", {"size": "mse", "kind": "sparse_categorical_crossentropy"})
    assert set(model.fit(X, Y, verbose=0).history) == {"loss", "kind_loss", "size_loss"}


def test_an_output_without_a_loss_is_left_out() -> None:
    model = two_heads(False)
    model.compile("sgd", ["sparse_categorical_crossentropy", None])
    before = model.get_layer("size").get_weights()
    history = model.fit(X, [Y["kind"], None], verbose=0).history
    assert set(history) == {"loss"}  # one loss has no second name
    np.testing.assert_array_equal(before[0], model.get_layer("size").get_weights()[0])


def test_one_loss_serves_all_outputs() -> None:
    x = keras.Input((4,))
    model = keras.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile("sgd", "mse")
    assert set(model.fit(X, [Y["size"], Y["size"]], verbose=0).history) == {"loss", "a_loss", "b_loss"}


def test_several_inputs_as_list_and_dict() -> None:
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    as_list = model.predict([X[:, :2], X[:, 2:]], verbose=0)
    np.testing.assert_array_equal(as_list, model.predict({"a": X[:, :2], "b": X[:, 2:]}, verbose=0))
    model.fit({"a": X[:, :2], "b": X[:, 2:]}, Y["size"], verbose=0)
    with pytest.raises(ShapeError, match="same number of rows"):
        model.fit([X[:, :2], X[:3, 2:]], Y["size"])


@pytest.mark.parametrize(
    ("classes", "shape", "kind"),
    [(1, (24, 1), "BinaryAccuracy"), (1, (24,), "BinaryAccuracy"), (3, (24,), "SparseCategoricalAccuracy"),
     (3, (24, 1), "SparseCategoricalAccuracy"), (3, (24, 3), "CategoricalAccuracy")],
)  # fmt: skip
def test_accuracy_is_resolved_by_shape(classes: int, shape: tuple[int, ...], kind: str) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(classes, activation="sigmoid")])
    model.compile("sgd", "mse" if shape[-1] in (classes, 24) else "sparse_categorical_crossentropy", metrics=["acc"])
    if shape == (24,) and classes == 3:
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    assert "acc" in model.evaluate(X, np.zeros(shape, np.float32), verbose=0, return_dict=True)
    assert type(model.metrics[1]).__name__ == kind


def test_metric_functions_and_objects() -> None:
    def bias(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred - y_true, axis=-1)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(
        "sgd", keras.losses.MeanSquaredError(), metrics=[bias, keras.metrics.MeanAbsoluteError(name="off"), "mse"]
    )
    logs = model.evaluate(X, Y["size"], verbose=0, return_dict=True)
    assert set(logs) == {"loss", "bias", "off", "mse"}
    difference = model.predict(X, verbose=0) - Y["size"]
    assert logs["bias"] == pytest.approx(difference.mean(), rel=1e-4)
    assert logs["mse"] == pytest.approx(logs["loss"], rel=1e-6)


def test_refusals() -> None:
    model = two_heads(True)
    model.compile("sgd", {"kind": "sparse_categorical_crossentropy", "typo": "mse"})
    with pytest.raises(ArgumentError, match="typo.*kind, size"):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    with pytest.raises(ArgumentError, match="output 'size' has a loss but no target"):
        model.fit(X, {"kind": Y["kind"]}, verbose=0)
    model = two_heads(False)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"], metrics="accuracy")
    with pytest.raises(ArgumentError, match="several outputs"):
        model.fit(X, [Y["kind"], Y["size"]], verbose=0)
    model.compile("sgd", ["mse"])
    with pytest.raises(ArgumentError, match="2 outputs"):
        model.fit(X, [Y["kind"], Y["size"]], verbose=0)


def test_targets_that_do_not_fit_name_the_output_and_both_shapes() -> None:
    model = two_heads(False)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    with pytest.raises(ShapeError) as raised:
        model.fit(X, [Y["kind"], np.zeros((24, 5, 2), np.float32)], verbose=0)
    assert "output 'size'" in str(raised.value)
    assert "y of shape (None, 5, 2), the output is (None, 1)" in str(raised.value)
