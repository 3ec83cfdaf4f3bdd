"""The models of the peer benchmark, each defined once in the Keras API, and the data they run on.

Every peer runs the same weights: `prepare.py` builds a model with real Keras and saves it; peers load or convert that
file. Statistics of batch normalisation come from one batch, so that deep untrained networks give varied results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORDS = 10_000  # of the LSTM's vocabulary


@dataclass(frozen=True)
class BenchModel:
    """How to make and to feed a model.

    build   (keras, tensor of inputs) -> tensor of outputs; or a whole keras.Model from (keras, shape)
    loss    "classes" (sparse, of probabilities), "binary" or "squares"
    train   the batch of a train step; inference runs at batch 1 and at this one
    """

    shape: tuple[int, ...]
    build: Callable[[Any, Any], Any]
    loss: str
    train: int = 32
    dtype: str = "float32"

    def inputs(self, batch: int) -> NDArray[Any]:
        random = np.random.default_rng(5)
        if self.dtype == "int32":
            return random.integers(0, WORDS, (batch, *self.shape)).astype(np.int32)
        return random.standard_normal((batch, *self.shape)).astype(np.float32)

    def targets(self, output: tuple[int, ...]) -> NDArray[Any]:
        random = np.random.default_rng(6)
        if self.loss == "classes":
            return random.integers(0, output[-1], output[:1]).astype(np.int32)
        if self.loss == "binary":
            return random.integers(0, 2, output).astype(np.float32)
        return random.random(output).astype(np.float32)

    @property
    def keras_loss(self) -> str:
        names = {"classes": "sparse_categorical_crossentropy", "binary": "binary_crossentropy", "squares": "mse"}
        return names[self.loss]


def perceptron(hidden: int) -> Callable[[Any, Any], Any]:
    def build(keras: Any, x: Any) -> Any:
        for _ in range(2):
            x = keras.layers.Dense(hidden, activation="relu")(x)
        return keras.layers.Dense(10, activation="softmax")(x)

    return build


def mnist_cnn(keras: Any, x: Any) -> Any:
    layers = keras.layers
    for _ in range(2):
        x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Dropout(0.25)(layers.MaxPooling2D(2)(x))
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return layers.Dense(10, activation="softmax")(layers.Dropout(0.5)(x))


def autoencoder(keras: Any, x: Any) -> Any:
    layers = keras.layers

    def block(x: Any, features: int, stride: int = 1, kind: Any = layers.Conv2D) -> Any:
        x = kind(features, 3, strides=stride, padding="same")(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    x = block(block(block(x, 32, 2), 64, 2), 64)
    x = layers.UpSampling2D(2)(block(x, 64, 2, layers.Conv2DTranspose))
    return layers.Conv2D(3, 3, padding="same", activation="sigmoid")(block(x, 32))


def unet(keras: Any, x: Any) -> Any:
    layers = keras.layers

    def pair(x: Any, features: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(features, 3, padding="same", activation="relu")(x)
        return x

    skips = []
    for features in (16, 32, 64):
        skips.append(pair(x, features))
        x = layers.MaxPooling2D(2)(skips[-1])
    x = pair(x, 128)
    for skip in reversed(skips):
        features = skip.shape[-1]
        x = layers.Conv2DTranspose(features, 2, strides=2, padding="same")(x)
        x = pair(layers.Concatenate()([x, skip]), features)
    return layers.Conv2D(1, 1, activation="sigmoid")(x)


def lstm(keras: Any, x: Any) -> Any:
    table = keras.initializers.RandomNormal(stddev=1.0, seed=3)
    x = keras.layers.Embedding(WORDS, 128, embeddings_initializer=table)(x)
    return keras.layers.Dense(1, activation="sigmoid")(keras.layers.LSTM(128)(x))


def gru(keras: Any, x: Any) -> Any:
    for _ in range(2):
        x = keras.layers.GRU(256, return_sequences=True)(x)
    return x


def transformer(keras: Any, x: Any) -> Any:
    layers = keras.layers
    for _ in range(4):
        x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(8, 32)(x, x)]))
        inner = layers.Dense(256)(layers.Dense(1024, activation="gelu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, inner]))
    return layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def application(name: str) -> Callable[[Any, Any], Any]:
    """A network of keras.applications with random weights."""
    return lambda keras, x: getattr(keras.applications, name)(weights=None, input_tensor=x).output


MODELS = {
    "tiny": BenchModel((32,), perceptron(64), "classes"),
    "mlp": BenchModel((784,), perceptron(512), "classes"),
    "mnist_cnn": BenchModel((28, 28, 1), mnist_cnn, "classes"),
    "lstm": BenchModel((100,), lstm, "binary", dtype="int32"),
    "gru": BenchModel((50, 64), gru, "squares"),
    "transformer": BenchModel((128, 256), transformer, "classes"),
    "convae": BenchModel((64, 64, 3), autoencoder, "squares"),
    "unet": BenchModel((128, 128, 1), unet, "squares", train=8),
    "mobilenetv2": BenchModel((224, 224, 3), application("MobileNetV2"), "classes", train=8),
    "resnet50": BenchModel((224, 224, 3), application("ResNet50"), "classes", train=8),
}


def make(keras: Any, name: str) -> Any:
    """The Keras model, seeded, its batch norms with statistics of one batch."""
    spec = MODELS[name]
    keras.utils.set_random_seed(1234)
    x = keras.Input(spec.shape, dtype=spec.dtype)
    model = keras.Model(x, spec.build(keras, x), name=name)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    random = np.random.default_rng(7)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.gamma.assign(random.uniform(0.7, 1.3, norm.gamma.shape))
        norm.beta.assign(random.uniform(-0.2, 0.2, norm.beta.shape))
        norm.momentum = 0.0
    if norms:
        model(spec.inputs(8), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model


def flops(keras: Any, model: Any) -> int:
    """Flops of one sample's forward pass: two a multiply-add of the matrix-like layers, the rest not counted."""
    layers = keras.layers
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        first = layer.input[0] if isinstance(layer.input, (list, tuple)) else layer.input
        ins, outs = first.shape[1:], layer.output.shape[1:]
        points = int(np.prod(outs))
        if isinstance(layer, layers.DepthwiseConv2D):
            total += 2 * points * int(np.prod(layer.kernel_size))
        elif isinstance(layer, layers.Conv2DTranspose):
            total += 2 * int(np.prod(ins)) * int(np.prod(layer.kernel_size)) * layer.filters
        elif isinstance(layer, layers.Conv2D):
            total += 2 * points * int(np.prod(layer.kernel_size)) * ins[-1]
        elif isinstance(layer, layers.Dense):
            total += 2 * points * ins[-1]
        elif isinstance(layer, (layers.LSTM, layers.GRU)):
            gates = 4 if isinstance(layer, layers.LSTM) else 3
            total += 2 * ins[0] * gates * layer.units * (ins[-1] + layer.units)
        elif isinstance(layer, layers.MultiHeadAttention):
            (length, width), inner = ins, layer.num_heads * layer.key_dim
            total += 2 * length * inner * (4 * width + 2 * length)
    return total
