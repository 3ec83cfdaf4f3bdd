"""Keras on JAX under jax.jit: inference with the weights as constants, and a whole train step with donated state."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from families import RATE, Array, Case, Infer, Train


def load(case: Case) -> tuple[Any, Any, Any]:
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    if case.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import keras

    return jax, keras, keras.saving.load_model(case.keras_file, compile=False)


def infer(case: Case) -> Infer:
    jax, _, model = load(case)
    trained = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    function = jax.jit(lambda x: model.stateless_call(trained, others, x, training=False)[0])
    return lambda x: np.asarray(function(x))


def train(case: Case) -> Train:
    jax, keras, model = load(case)
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.get(case.keras_loss)

    def loss(trained: Any, others: Any, x: Any, y: Any) -> Any:
        result, others = model.stateless_call(trained, others, x, training=True)
        return keras.ops.mean(loss_of(y, result)), others

    def step(state: Any, x: Any, y: Any) -> Any:
        trained, others, moments = state
        (value, others), gradients = jax.value_and_grad(loss, has_aux=True)(trained, others, x, y)
        trained, moments = optimizer.stateless_apply(moments, gradients, trained)
        return value, (trained, others, moments)

    compiled = jax.jit(step, donate_argnums=0)
    groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state: Any = tuple([v.value for v in group] for group in groups)

    def run(x: Array, y: Array) -> float:
        nonlocal state
        value, state = compiled(state, x, y)
        return float(value)

    return run


INFER = {"jax-jit": infer}
TRAIN = {"jax-jit": train}
