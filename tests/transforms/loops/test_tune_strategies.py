"""The tuner keeps what it measured, asks for nothing slower, and never changes a bit of the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kcompile
from kcompile import keras
from kcompile.codegen import timing
from kcompile.codegen.target import Target
from kcompile.ir.core import module_functions
from kcompile.strategies.parts.structured import kernel
from kcompile.strategies.select import candidates, lower
from kcompile.strategies.variants import variants
from kcompile.transforms.loops.tune_strategies import tune_strategies
from tests.strategies.test_strategies import CASES


def least_is(wanted: int):  # type: ignore[no-untyped-def]
    """A clock by which candidate number `wanted` runs fastest."""
    return lambda kernels, *_: [1.0 if i == wanted else 2.0 for i in range(len(kernels))]


def model() -> keras.Model:
    layers = [keras.Input((40,)), keras.layers.Dense(48, activation="relu"), keras.layers.Dense(5)]
    return keras.Sequential(layers)


def test_results_are_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = model()
    x = np.random.default_rng(0).normal(size=(7, 40)).astype(np.float32)
    expected = kcompile.compile(original, cache="off")(x)
    for number in (1, 2, 3):
        monkeypatch.setattr(timing, "least_times", least_is(number))
        tuned = kcompile.compile(original, cache=str(tmp_path / str(number)), tune=7)
        assert tuned.kernels()[0].strategy != kcompile.compile(original).kernels()[0].strategy
        np.testing.assert_array_equal(tuned(x), expected)


def test_what_was_found_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "least_times", least_is(1))
    first = kcompile.compile(model(), cache=str(tmp_path), tune=4).kernels()
    monkeypatch.setattr(timing, "least_times", None)  # a call would fail
    again = kcompile.compile(model(), cache=str(tmp_path), tune=4).kernels()
    assert [k.strategy for k in again] == [k.strategy for k in first]


def test_a_gain_within_noise_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "least_times", lambda kernels, *_: [1.0] + [0.98] * (len(kernels) - 1))
    (module,) = [build() for name, (_, build, _, _) in CASES.items() if name == next(iter(CASES))]
    assert not tune_strategies(module, target="host", cache_directory="off")


@pytest.mark.parametrize("target", ["x86-64", "x86-64-v4", "aarch64"])
@pytest.mark.parametrize("case", CASES)
def test_every_variant_can_be_emitted(case: str, target: str) -> None:
    chosen = Target.get(target)
    (function,) = module_functions(CASES[case][1]())
    view = kernel(function)
    strategy, parameters = next(candidates(view, chosen))
    for variant in list(variants(view, parameters, chosen))[:6]:
        copy = function.clone()
        copy["kernel.strategy"] = f"{strategy.__name__.rpartition('.')[2]}{{{variant}}}"
        assert str(variant) in lower(copy, chosen)["kernel.strategy"]
