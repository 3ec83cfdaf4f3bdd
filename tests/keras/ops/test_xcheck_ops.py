"""keras.ops against real Keras: values, dtypes, names in files."""

from __future__ import annotations

import inspect
import itertools
import os
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras.ops import operation_class as registry
from kcompile.tracing.structure import flatten
from tests.keras.ops.cases import CASES, OpCase, call

os.environ.setdefault("KERAS_BACKEND", "jax")
real = pytest.importorskip("keras", reason="real Keras is not installed")
pytestmark = pytest.mark.xcheck

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_values_and_dtypes(case: OpCase) -> None:
    args = case.drawn()
    ours, theirs = flatten(call(keras, case, args)), flatten(call(real, case, args))
    assert len(ours) == len(theirs)
    for x, y in zip(ours, theirs, strict=True):
        expected = np.asarray(y)
        assert x.shape == expected.shape
        assert x.dtype == real.backend.standardize_dtype(y.dtype)
        np.testing.assert_allclose(x.numpy(), expected, rtol=2e-5, atol=2e-6)


def test_dtype_promotion() -> None:
    for pair in itertools.product([*DTYPES, int, float, bool], repeat=2):
        ours = keras.backend.result_type(*pair)
        if not ours.endswith("64"):  # JAX without x64 has no such dtypes
            assert ours == real.backend.result_type(*pair), pair


@pytest.mark.parametrize("key", sorted(registry.__globals__["_CLASSES"]), ids=".".join)
def test_classes_have_the_names_and_arguments_of_keras(key: tuple[str, str]) -> None:
    import importlib

    family, name = key
    module = importlib.import_module(f"keras.src.ops.{family}")
    theirs = getattr(module, name, None)
    assert theirs is not None, f"Keras has no {name} in {family}"
    ours: Any = registry(family, name)
    accepted = set(inspect.signature(theirs.__init__).parameters)
    assert set(ours.static) <= accepted, (ours.static, accepted)
