"""Every layer against real Keras: the same config, the same weights, the same outputs."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from tests.keras.layers.cases import CASES, LayerCase
from tests.keras.layers.test_every_layer import apply, as_json, draw_inputs, make, randomize, takes_training

os.environ.setdefault("KERAS_BACKEND", "jax")
real = pytest.importorskip("keras", reason="real Keras is not installed")
pytestmark = pytest.mark.xcheck

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def both(case: LayerCase) -> tuple[Any, Any, Any]:
    ours = make(case)
    inputs = draw_inputs(case)
    apply(case, ours, inputs)
    randomize(ours)
    theirs = real.saving.deserialize_keras_object(as_json(ours))
    apply(case, theirs, inputs)
    theirs.set_weights(ours.get_weights())
    return ours, theirs, inputs


@every_case
def test_configs_are_equal(case: LayerCase) -> None:
    keras.backend.clear_session()
    real.backend.clear_session()
    ours, theirs = make(case), case.make(real)
    expected = as_json(real.saving.serialize_keras_object(theirs.get_config()))
    assert as_json(ours.get_config()) == expected
    assert ours.name == theirs.name


@every_case
def test_outputs_are_equal(case: LayerCase) -> None:
    ours, theirs, inputs = both(case)
    assert [w.path.rsplit("/", 1)[-1] for w in ours.weights] == [w.path.rsplit("/", 1)[-1] for w in theirs.weights]
    for training in (False, True) if takes_training(ours) and not case.random else (False,):
        kwargs = {"training": training} if takes_training(ours) else {}
        expected = np.asarray(apply(case, theirs, inputs, **kwargs))
        # float32, sums of up to a hundred terms of order 1
        np.testing.assert_allclose(apply(case, ours, inputs, **kwargs).numpy(), expected, rtol=1e-5, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([float(x) for x in ours.losses], [float(x) for x in theirs.losses], rtol=1e-5)


@every_case
def test_symbolic_shapes_are_equal(case: LayerCase) -> None:
    shapes = case.shapes if isinstance(case.shapes, list) else [case.shapes]
    outputs = []
    for module in (keras, real):
        symbols = [module.Input(s, dtype=case.dtype) for s in shapes]
        layer = case.make(module)
        outputs.append(apply(case, layer, symbols if isinstance(case.shapes, list) else symbols[0]))
    assert tuple(outputs[0].shape) == tuple(outputs[1].shape)
    assert outputs[0].dtype == outputs[1].dtype
