"""Loaded models: the first call with some shapes and the short way after it give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile import keras
from kcompile.artifact import loading
from kcompile.errors import ShapeError


@pytest.fixture(scope="module", params=["one", "dict"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    layers = keras.layers
    inputs = keras.Input((5,), name="x")
    first = layers.Dense(4, activation="tanh")(inputs)
    if request.param == "one":
        model = keras.Model(inputs, first)
    else:
        other = keras.Input((4,), name="z")
        model = keras.Model({"x": inputs, "z": other}, {"sum": layers.Add()([first, other]), "first": first})
    compiled = kcompile.compile(model)
    path = tmp_path_factory.mktemp("loading") / "m.kc"
    return compiled, compiled.save(path)


def batch(compiled: Any, rows: int, dtype: str = "f4") -> Any:
    rng = np.random.default_rng(rows)
    x, z = rng.random((rows, 5)).astype(dtype), rng.random((rows, 4)).astype(dtype)
    return x if len(compiled.inputs) == 1 else {"x": x, "z": z}


def leaves(value: Any) -> list[Any]:
    return [value[k] for k in sorted(value)] if isinstance(value, dict) else [value]


@pytest.mark.parametrize("portable", [False, True])
def test_repeated_calls(saved: tuple[Any, Path], portable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, path = saved
    if portable:
        monkeypatch.setattr(loading, "call_type", lambda: None)
    loaded = kcompile.load(path)
    for rows, dtype in [
        (3, "f4"),
        (3, "f4"),
        (1, "f8"),
        (1, "f4"),
        (0, "f4"),
        (0, "f4"),
        (7, "f4"),
        (3, "f8"),
        (3, "f4"),
    ]:
        given = batch(compiled, rows, dtype)
        for mine, theirs in zip(leaves(loaded(given)), leaves(compiled(given)), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    wrong = batch(compiled, 3)
    wrong = wrong[:, :4] if len(compiled.inputs) == 1 else wrong | {"z": np.zeros((3, 9))}
    with pytest.raises(ShapeError, match="needs shape"):
        loaded(wrong)
    given = batch(compiled, 3)
    held = [leaf.copy() for leaf in leaves(loaded(given))]
    kept = leaves(loaded(given))
    loaded(batch(compiled, 7))
    for mine, theirs in zip(kept, held, strict=True):  # results are new arrays at every call
        np.testing.assert_array_equal(mine, theirs)
