"""Keras on TensorFlow: tf.function with and without XLA, and train_on_batch likewise."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from families import RATE, Case, Infer, Train


def load(case: Case) -> tuple[Any, Any, Any]:
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    import tensorflow as tf

    if not tf.config.threading.get_intra_op_parallelism_threads():  # it can be said once, before the first use
        tf.config.threading.set_intra_op_parallelism_threads(case.threads)
        tf.config.threading.set_inter_op_parallelism_threads(case.threads)
    import keras

    return tf, keras, keras.saving.load_model(case.keras_file, compile=False)


def infer(xla: bool, case: Case) -> Infer:
    tf, _, model = load(case)
    function = tf.function(lambda x: model(x, training=False), jit_compile=xla)
    return lambda x: function(tf.constant(x)).numpy()


def train(xla: bool, case: Case) -> Train:
    _, keras, model = load(case)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=case.keras_loss, jit_compile=xla)
    return lambda x, y: float(model.train_on_batch(x, y))


INFER = {"tensorflow": partial(infer, False), "tensorflow-xla": partial(infer, True)}
TRAIN = {"tensorflow": partial(train, False), "tensorflow-xla": partial(train, True)}
