"""kcompile.compile on Keras models: the same answers as the model itself, whatever it takes and returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile import keras
from kcompile.errors import ArgumentError, KcompileError, ShapeError, UnsupportedError
from kcompile.keras import layers

# f32, a few layers of at most 300 terms a sum
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def rows(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def chain() -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((12, 12, 2), name="image"),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="scores"),
        ],
        name="chain",
    )


def fork() -> Any:
    """Two inputs, two outputs."""
    a, b = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    joined = layers.Concatenate()([layers.Dense(6, activation="tanh")(a), b])
    return keras.Model(
        [a, b], [layers.Dense(2, name="small")(joined), layers.Dense(3, name="large")(joined)], name="fork"
    )


def test_a_chain_of_layers() -> None:
    model = chain()
    fast = kcompile.compile(model, threads=1)
    assert [(p.name, p.shape, p.dtype) for p in fast.inputs] == [("image", (None, 12, 12, 2), "float32")]
    assert fast.outputs[0].shape == (None, 5)
    for count in (1, 2, 17):
        x = rows(count, 12, 12, 2, seed=count)
        np.testing.assert_allclose(fast(x), model.predict(x, verbose=0), **CLOSE)


def test_batch_norm_with_statistics_folds_into_the_convolution() -> None:
    model = chain()
    for variable, value in zip(
        model.layers[1].weights, ([2, 1, 3, 1, 2, 1], 0.5, 0.3, [4, 1, 2, 9, 1, 2]), strict=True
    ):
        variable.assign(np.broadcast_to(np.asarray(value, np.float32), variable.shape))
    x = rows(3, 12, 12, 2)
    np.testing.assert_allclose(kcompile.compile(model, threads=1)(x), model.predict(x, verbose=0), **CLOSE)


def test_several_inputs_and_outputs() -> None:
    model = fork()
    fast = kcompile.compile(model, threads=1)
    a, b = rows(7, 4), rows(7, 3, seed=1)
    expected = model.predict([a, b], verbose=0)
    for received in (fast([a, b]), fast((a, b)), fast({"right": b, "left": a}), fast.predict([a, b], batch_size=3)):
        assert isinstance(received, list)
        for mine, theirs in zip(received, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_predict_takes_any_batch_size() -> None:
    fast = kcompile.compile(chain(), threads=1)
    x = rows(23, 12, 12, 2)
    for size in (None, 1, 5, 23, 100):
        np.testing.assert_array_equal(fast.predict(x, batch_size=size), fast(x))
    with pytest.raises(ArgumentError, match="batch_size"):
        fast.predict(x, batch_size=0)


def test_the_compiled_model_keeps_the_weights_of_its_birth() -> None:
    model = chain()
    fast = kcompile.compile(model, threads=1)
    x = rows(2, 12, 12, 2)
    before = fast(x)
    for variable in model.variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    np.testing.assert_array_equal(fast(x), before)


def test_a_saved_model_file(tmp_path: Path) -> None:
    model = chain()
    model.save(tmp_path / "chain.keras")
    fast = kcompile.compile(tmp_path / "chain.keras", threads=1, name="renamed")
    assert fast.name == "renamed"
    x = rows(2, 12, 12, 2)
    np.testing.assert_allclose(fast(x), model.predict(x, verbose=0), **CLOSE)


def test_an_artifact_of_several_inputs_and_outputs(tmp_path: Path) -> None:
    fast = kcompile.compile(fork(), threads=1)
    loaded = kcompile.load(fast.save(tmp_path / "fork.kc"), threads=1)
    a, b = rows(5, 4), rows(5, 3, seed=1)
    for mine, theirs in zip(loaded({"left": a, "right": b}), fast([a, b]), strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


@pytest.mark.parametrize("stage", ["graph", "kernel", "linalg", "loops", "plan", "llvm", "asm"])
def test_every_stage_has_a_text(stage: str) -> None:
    fast = kcompile.compile(chain(), threads=1)
    text = fast.ir(stage)
    wanted = {"graph": "graph.convolution", "kernel": "kernel.call", "linalg": "linalg.generic", "loops": "scf.for",
              "plan": "plan.call", "llvm": "define", "asm": "kc_chain_query"}  # fmt: skip
    assert wanted[stage] in text


def test_every_pass_checked_on_the_way() -> None:
    """verify and interpret: the module verifies after every pass, and every pass keeps the results."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(3)])
    fast = kcompile.compile(model, threads=1, verify=True, interpret=True)
    np.testing.assert_allclose(fast(rows(3, 6)), model.predict(rows(3, 6), verbose=0), **CLOSE)


def test_what_cannot_be_compiled() -> None:
    class Live:
        """Stands for a model of the real Keras."""

    Live.__module__ = "keras.src.models.functional"
    with pytest.raises(UnsupportedError, match=r"model.save\('model.keras'\)"):
        kcompile.compile(Live())
    with pytest.raises(ArgumentError, match="Received: int"):
        kcompile.compile(3)
    with pytest.raises(KcompileError, match="no option 'fast'"):
        kcompile.compile(chain(), fast=True)
    with pytest.raises(UnsupportedError, match="z80"):
        kcompile.compile(chain(), target="z80")
    with pytest.raises(KcompileError, match="no stage 'magic'"):
        kcompile.compile(chain(), threads=1).ir("magic")


def test_a_wrong_shape_names_the_input_and_the_model() -> None:
    fast = kcompile.compile(chain(), threads=1)
    with pytest.raises(ShapeError, match=r"input 'image' needs shape \(None, 12, 12, 2\)(.|\n)*model 'chain'"):
        fast(rows(2, 12, 12, 3))
    with pytest.raises(ShapeError, match=r"add the batch axis with x\[None\]"):
        fast(rows(12, 12, 2))


def test_code_for_another_machine_is_made_but_not_run(tmp_path: Path) -> None:
    fast = kcompile.compile(chain(), target="aarch64")
    assert 'target triple = "aarch64' in fast.ir("llvm")
    with pytest.raises(UnsupportedError, match="aarch64"):
        fast(rows(1, 12, 12, 2))
