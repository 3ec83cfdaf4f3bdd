"""Sequential, functional and subclassed models: the same layers give the same results, weights and names."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, FormatError, KcompileError, ShapeError, UnsupportedError
from kcompile.ir.interpreter import interpret
from kcompile.keras import layers, ops
from kcompile.tracing import trace_predict

X = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    keras.backend.clear_session()


def predicted(model: Any, inputs: Any, training: bool = False) -> list[Any]:
    """The model's outputs by its traced graph."""
    traced = trace_predict(model, training=training)
    given = iter(inputs)
    return interpret(
        traced.module, "main", [next(given) if a.variable is None else a.variable._array for a in traced.arguments]
    )


def stack() -> list[Any]:
    return [layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dense(3, activation="softmax")]


class Net(keras.Model):
    def __init__(self, parts: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.parts = parts or stack()

    def call(self, inputs: Any) -> Any:
        for layer in self.parts:
            inputs = layer(inputs)
        return inputs


class TestOneModelThreeWays:
    def models(self) -> list[Any]:
        sequential = keras.Sequential([keras.Input((6,)), *stack()])
        deferred = keras.Sequential(stack())
        x = start = keras.Input((6,))
        for layer in stack():
            x = layer(x)
        return [sequential, deferred, keras.Model(start, x), Net()]

    @pytest.mark.parametrize("training", [False, True])
    def test_results_are_equal(self, training: bool) -> None:
        models = self.models()
        expected = models[0](X)
        for model in models[1:]:
            model(X)
            model.set_weights(models[0].get_weights())
            assert [w.shape for w in model.weights] == [w.shape for w in models[0].weights]
        del expected
        start = models[0].get_weights()
        results, states = [], []
        for model in models:
            model.set_weights(start)
            results.append(model(X, training=training).numpy())
            states.append(model.get_weights())
            model.set_weights(start)
            np.testing.assert_allclose(predicted(model, [X], training)[0], results[-1], rtol=1e-6, atol=1e-7)
        for result, state in zip(results[1:], states[1:], strict=True):
            np.testing.assert_array_equal(result, results[0])
            for a, b in zip(state, states[0], strict=True):
                np.testing.assert_array_equal(a, b)
        moved = any(not np.array_equal(a, b) for a, b in zip(states[0], start, strict=True))
        assert moved == training

    def test_a_functional_model_from_its_json(self) -> None:
        for model in self.models()[:3]:
            model(X)
            again = keras.models.model_from_json(model.to_json())
            assert again.get_config() == model.get_config()
            again.set_weights(model.get_weights())
            np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())

    def test_clone_has_new_weights(self) -> None:
        for model in self.models()[:3]:
            model(X)
            clone = keras.models.clone_model(model)
            clone(X)
            assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
            assert not np.array_equal(clone.weights[0].numpy(), model.weights[0].numpy())


class TestSequential:
    def test_layers_join_and_leave(self) -> None:
        model = keras.Sequential(name="m")
        model.add(keras.Input((6,)))
        model.add(layers.Dense(4))
        assert model.built and model.output_shape == (None, 4)
        model.add(layers.Dense(2))
        assert model.output_shape == (None, 2) and len(model.layers) == 2 and len(model.weights) == 4
        assert model.pop().name == "dense_1"
        assert model.output_shape == (None, 4)
        np.testing.assert_array_equal(model(X).numpy(), model.layers[0](X).numpy())

    def test_the_first_layer_may_say_the_shape(self) -> None:
        assert keras.Sequential([layers.Dense(2, input_shape=(6,))]).output_shape == (None, 2)

    def test_it_is_built_by_the_first_call(self) -> None:
        model = keras.Sequential([layers.Dense(2)])
        assert not model.built and model.weights == []
        with pytest.raises(AttributeError, match="before it is built"):
            _ = model.input_shape
        model(X)
        assert model.input_shape == (None, 6) and model(X[:1]).shape == (1, 2)

    def test_build_makes_the_weights(self) -> None:
        model = keras.Sequential([layers.Dense(2), layers.Dense(3)])
        model.build((None, 6))
        assert [w.path for w in model.weights] == [
            "sequential/dense/kernel", "sequential/dense/bias", "sequential/dense_1/kernel", "sequential/dense_1/bias",
        ]  # fmt: skip

    def test_bad_lists(self) -> None:
        with pytest.raises(ArgumentError, match="takes layers"):
            keras.Sequential([layers.Dense(2), "dense"])
        with pytest.raises(ArgumentError, match="are different"):
            keras.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")])
        with pytest.raises(ArgumentError, match="no layer to take off"):
            keras.Sequential().pop()
        with pytest.raises(ArgumentError, match="at the start"):
            keras.Sequential([layers.Dense(2), keras.Input((6,))])


class TestFunctional:
    def test_shared_layers_have_one_set_of_weights(self) -> None:
        a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
        shared = layers.Dense(3)
        model = keras.Model([a, b], layers.Concatenate()([shared(a), shared(b)]))
        assert len(model.weights) == 2 and [x.name for x in model.layers] == ["a", "b", "dense", "concatenate"]
        y = model([X, X + 1]).numpy()
        np.testing.assert_array_equal(y[:, :3], shared(X).numpy())
        np.testing.assert_array_equal(y[:, 3:], shared(X + 1).numpy())
        np.testing.assert_array_equal(predicted(model, [X, X + 1])[0], y)
        np.testing.assert_array_equal(model({"a": X, "b": X + 1}).numpy(), y)
        again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again([X, X + 1]).numpy(), y)

    def test_structures_come_back_as_they_were_given(self) -> None:
        a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
        model = keras.Model({"a": a, "b": b}, {"sum": a + b, "parts": [a * 2.0, b]})
        y = model({"b": X + 1, "a": X})
        np.testing.assert_array_equal(y["sum"].numpy(), X + (X + 1))
        np.testing.assert_array_equal(y["parts"][0].numpy(), X * 2)
        assert model.output_names == ["multiply", "b", "add"]
        assert keras.models.model_from_json(model.to_json())({"b": X, "a": X})["sum"].shape == (5, 6)

    def test_nested_models(self) -> None:
        inner = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.BatchNormalization()], name="inner")
        x = keras.Input((6,))
        model = keras.Model(x, layers.Dense(2)(inner(x)))
        assert [w.path for w in model.weights][:2] == ["inner/dense/kernel", "inner/dense/bias"]
        assert [layer.name for layer in model.layers] == ["input_layer_1", "inner", "dense_1"]
        np.testing.assert_allclose(predicted(model, [X])[0], model(X).numpy(), rtol=1e-6)
        again = keras.models.model_from_json(model.to_json())
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())

    def test_training_reaches_every_layer(self) -> None:
        x = keras.Input((6,))
        inner = keras.Model(x, layers.Dropout(0.5, seed=0)(x))
        z = keras.Input((6,))
        model = keras.Model(z, inner(z))
        np.testing.assert_array_equal(model(X).numpy(), X)
        np.testing.assert_array_equal(model(X, training=False).numpy(), X)
        assert (model(X, training=True).numpy() == 0).any()

    def test_parts_of_a_model_are_models(self) -> None:
        x = keras.Input((6,))
        hidden = layers.Dense(4, name="hidden")(x)
        model = keras.Model(x, layers.Dense(2, name="out")(hidden))
        head = keras.Model(model.get_layer("hidden").output, model.output)
        features = keras.Model(model.input, model.get_layer("hidden").output)
        np.testing.assert_array_equal(head(features(X)).numpy(), model(X).numpy())
        assert head.get_layer("out") is model.get_layer("out")

    def test_ops_and_operators_are_nodes(self) -> None:
        x = keras.Input((6,))
        y = ops.mean(ops.relu(x) * 2.0 - 1.0, axis=-1, keepdims=True) / (1.0 + abs(x[:, :1]))
        model = keras.Model(x, y)
        expected = np.mean(np.maximum(X, 0) * 2 - 1, -1, keepdims=True) / (1 + np.abs(X[:, :1]))
        np.testing.assert_allclose(model(X).numpy(), expected, rtol=1e-6)
        again = keras.models.model_from_json(model.to_json())
        np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())

    def test_inputs_are_fitted(self) -> None:
        x = keras.Input((6, 1))
        model = keras.Model(x, layers.Flatten()(x))
        assert model(X).shape == (5, 6)
        assert model(X.astype("float64")).dtype == "float32"

    def test_wrong_inputs_say_what_is_wanted(self) -> None:
        x = keras.Input((28, 28, 1), name="image")
        model = keras.Model(x, layers.Flatten()(x), name="m")
        with pytest.raises(ShapeError, match=r"(?s)'image' has shape \(None, 28, 28, 1\).*\(5, 6\)"):
            model(X)
        with pytest.raises(ShapeError, match="2"):
            model([X, X])
        other = keras.Model({"a": x}, layers.Flatten()(x))
        with pytest.raises(ArgumentError, match="'a'"):
            other({"b": X})

    def test_bad_graphs(self) -> None:
        x, z = keras.Input((6,)), keras.Input((6,), name="z")
        with pytest.raises(ArgumentError, match="'z'"):
            keras.Model(x, x + z)
        with pytest.raises(ArgumentError, match="symbolic"):
            keras.Model(x, X)
        with pytest.raises(ArgumentError, match="are different"):
            keras.Model(x, layers.Dense(2, name="d")(layers.Dense(2, name="d")(x)))

    @pytest.mark.parametrize("key", ["layers", "input_layers"])
    def test_damaged_configs_are_refused(self, key: str) -> None:
        x = keras.Input((6,))
        config = keras.Model(x, layers.Dense(2)(x)).get_config()
        config[key] = [["nothing", 0, 0]] if key == "input_layers" else [{"class_name": "Dense"}]
        with pytest.raises((FormatError, KcompileError)):
            keras.Model.from_config(config)

    def test_a_subclass_may_give_inputs_and_outputs(self) -> None:
        class Special(keras.Model):
            def __init__(self) -> None:
                x = keras.Input((6,))
                super().__init__(inputs=x, outputs=layers.Dense(2)(x), name="special")

            def extra(self) -> int:
                return len(self.layers)

        model = Special()
        assert model.extra() == 2 and model(X).shape == (5, 2)


class TestTrainable:
    def test_it_reaches_sublayers(self) -> None:
        inner = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.BatchNormalization()])
        model = keras.Sequential([inner, layers.Dense(2)])
        assert len(model.trainable_weights) == 6 and len(model.non_trainable_weights) == 2
        inner.trainable = False
        assert [w.path for w in model.trainable_weights] == [w.path for w in model.layers[1].weights]
        assert len(model.weights) == 8
        order = [w.path for w in model.weights]
        inner.trainable = True
        assert [w.path for w in model.weights] == order and len(model.trainable_weights) == 6

    def test_a_frozen_batch_norm_runs_in_inference_mode(self) -> None:
        layer = layers.BatchNormalization()
        layer(X)
        layer.trainable = False
        np.testing.assert_array_equal(layer(X, training=True).numpy(), layer(X, training=False).numpy())
        np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(6))


class TestWeights:
    def test_set_weights_changes_all_or_nothing(self) -> None:
        model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
        before = model.get_weights()
        with pytest.raises(ShapeError, match="sequential/dense/bias"):
            model.set_weights([before[0] + 1, np.zeros(5)])
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
        with pytest.raises(ArgumentError, match=r"2 weights. Received: 1"):
            model.set_weights(before[:1])
        with pytest.raises(ArgumentError, match="Build it first"):
            layers.Dense(2).set_weights(before)

    def test_names_count_up(self) -> None:
        assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
        assert [layers.Conv2D(1, 1).name, layers.ReLU().name, layers.MaxPooling2D().name] == [
            "conv2d",
            "re_lu",
            "max_pooling2d",
        ]
        keras.backend.clear_session()
        assert layers.Dense(1).name == "dense"


class TestSubclass:
    def test_layers_in_lists_and_dicts_are_found(self) -> None:
        class Many(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.first = layers.Dense(4)
                self.blocks = [layers.Dense(4), {"norm": layers.LayerNormalization()}]
                self.blocks.append(layers.Dense(2))

            def call(self, x: Any) -> Any:
                x = self.blocks[0](self.first(x))
                return self.blocks[2](self.blocks[1]["norm"](x))

        model = Many()
        model.build((None, 6))
        assert [layer.name for layer in model.layers] == ["dense", "dense_1", "layer_normalization", "dense_2"]
        assert len(model.weights) == 8
        np.testing.assert_allclose(predicted(model, [X])[0], model(X).numpy(), rtol=1e-6)

    def test_variables_in_expressions_stay_variables(self) -> None:
        class Gate(layers.Layer):
            def build(self, input_shape: Any) -> None:
                self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")
                self.calls = self.add_weight(
                    shape=(), dtype="int32", initializer="zeros", trainable=False, name="calls"
                )

            def call(self, x: Any) -> Any:
                self.calls.assign_add(1)
                return (self.w + 1.0) * x + ops.exp(self.w) * ops.softmax(self.w[:6])

        x = keras.Input((6,))
        gate = Gate()
        model = keras.Model(x, gate(x))
        gate.w.assign(np.arange(6.0))
        y = model(X).numpy()
        w = np.arange(6, dtype="float32")
        expected = (w + 1) * X + np.exp(w) * (np.exp(w - 5) / np.exp(w - 5).sum())
        np.testing.assert_allclose(y, expected, rtol=1e-5)
        assert int(gate.calls) == 1
        np.testing.assert_allclose(predicted(model, [X])[0], expected, rtol=1e-5)

    def test_custom_layer_config_from_its_arguments(self) -> None:
        class Scale(layers.Layer):
            def __init__(self, factor: float, power: int = 1, **kwargs: Any):
                super().__init__(**kwargs)
                self.factor, self.power = factor, power

            def call(self, x: Any) -> Any:
                return x**self.power * self.factor

        layer = Scale(2.0, power=2, name="s")
        again = Scale.from_config(layer.get_config())
        assert (again.factor, again.power, again.name) == (2.0, 2, "s")

    def test_training_argument_goes_down(self) -> None:
        seen = []

        class Spy(layers.Layer):
            def call(self, x: Any, training: Any = None) -> Any:
                seen.append(training)
                return x

        class Outer(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.spy = Spy()

            def call(self, x: Any) -> Any:
                return self.spy(x)

        model = Outer()
        model(X), model(X, training=True), model(X, training=False)
        assert seen == [None, True, False]

    def test_losses_of_weights_and_calls(self) -> None:
        class Sparse(layers.Layer):
            def call(self, x: Any) -> Any:
                self.add_loss(ops.sum(ops.abs(x)))
                return x

        model = keras.Sequential([keras.Input((6,)), layers.Dense(2, kernel_regularizer="l2"), Sparse()])
        for _ in range(2):  # a call forgets the losses of the one before
            y = model(X).numpy()
            expected = [np.abs(y).sum(), 0.01 * (model.weights[0].numpy() ** 2).sum()]
            np.testing.assert_allclose([float(v) for v in model.losses], expected, rtol=1e-5)

    def test_mistakes_are_named(self) -> None:
        class Forgetful(layers.Layer):
            def __init__(self) -> None:
                self.n = 1

        with pytest.raises(KcompileError, match="super"):
            Forgetful()(X)

        class Branching(layers.Layer):
            def call(self, x: Any) -> Any:
                return x if ops.sum(x) > 0 else -x

        assert Branching()(X).shape == (5, 6)  # values exist: a branch is fine
        with pytest.raises(UnsupportedError, match=r"(?s)ops.where.*branching"):
            Branching()(keras.Input((6,)))
        with pytest.raises(
            ShapeError, match=r"(?s)Dense 'head' needs a last axis of 6. Received: input of shape \(2, 4\)"
        ):
            dense = layers.Dense(2, name="head")
            dense(X)
            dense(np.zeros((2, 4), "float32"))
        with pytest.raises(NotImplementedError, match="must define call"):
            layers.Layer()(X)

    def test_numbers_in_lists_are_an_input(self) -> None:
        assert layers.Dense(2)([[1.0, 2.0, 3.0]]).shape == (1, 2)

    def test_spatial_sizes_may_be_unknown(self) -> None:
        x = keras.Input((None, None, 3))
        y = layers.MaxPooling2D()(layers.Conv2D(4, 3, strides=2, padding="same")(layers.Conv2D(2, 3)(x)))
        assert y.shape == (None, None, None, 4)
        model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
        assert model.output_shape == (None, 2)
        for size in (9, 14):
            image = np.ones((2, size, size + 1, 3), "float32")
            assert model(image).shape == (2, 2)
            np.testing.assert_allclose(model.predict(image, verbose=0), model(image).numpy(), rtol=1e-5)

    def test_symbolic_batch_sizes(self) -> None:
        class Rows(layers.Layer):
            def call(self, x: Any) -> Any:
                return ops.concatenate(
                    [ops.reshape(x, (ops.shape(x)[0], 2, 3)), ops.zeros((ops.shape(x)[0], 1, 3))], axis=1
                )

        x = keras.Input((6,))
        model = keras.Model(x, Rows()(x))
        assert model.output_shape == (None, 3, 3) and model(X).shape == (5, 3, 3)
        assert predicted(model, [X])[0].shape == (5, 3, 3)
