"""Records of compiled models: they come back from the cache as they were, and only where nothing has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kcompile
from kcompile import keras, pipeline
from kcompile.codegen import cache, preparation, record
from kcompile.codegen.interface import Interface
from kcompile.codegen.record import Record, key_of_model
from kcompile.codegen.target import Target
from kcompile.ir.core import find_function
from kcompile.ir.parser import parse_module
from kcompile.options import Options
from kcompile.pipeline import CompiledModule, compile_module
from kcompile.strategies import select
from kcompile.tracing.model import trace_predict


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KCOMPILE_CACHE", str(tmp_path))
    monkeypatch.setenv("KCOMPILE_REUSE", "1")
    cache.forget()
    monkeypatch.setattr(cache, "counts", cache.Counts())
    return tmp_path


def model() -> Any:
    """Weights that are prepared in several ways, and one that is not."""
    layers = keras.layers
    keras.utils.clear_session()  # names are part of what is compiled
    keras.utils.set_random_seed(3)
    made = keras.Sequential(
        [
            keras.Input((9, 8, 3)), layers.Conv2D(16, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
            layers.Conv2D(16, 3), layers.Flatten(), layers.Dense(5, activation="softmax"),
        ]
    )  # fmt: skip
    for i, weight in enumerate(made.weights):
        weight.assign(np.random.default_rng(i).random(weight.shape) + 0.1)
    return made


def compiled(**options: Any) -> tuple[CompiledModule, list[np.ndarray[Any, Any]]]:
    traced = trace_predict(model())
    weights = [a.variable._array for a in traced.arguments if a.role == "weight"]
    return compile_module(traced.module, "digits", options=Options.of(freeze=True, **options)), weights


def test_a_record_reads_back_exactly() -> None:
    made, weights = compiled(reuse=False)
    first = made.record
    again = Record.from_bytes(first.to_bytes())
    assert str(again.header) == str(first.header) and again.object == first.object
    assert again.to_bytes() == first.to_bytes()
    assert Interface.of(again.main) == Interface.of(find_function(made.module("plan"), "main"))
    blocks = [bytearray(first.weights_bytes) for _ in range(3)]
    first.prepare(weights, blocks[0])
    again.prepare(weights, blocks[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "_LARGE", 0)
        again.prepare(weights, blocks[2], threads=3)
    assert blocks[0] == blocks[1] == blocks[2] and any(blocks[0])


def test_a_model_that_was_compiled_before_runs_no_pass(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).random((3, 9, 8, 3), np.float32)
    expected = kcompile.compile(model(), name="digits")(x)
    cache.forget()
    monkeypatch.setattr(pipeline, "run_stages", None)
    again = kcompile.compile(model(), name="digits")
    np.testing.assert_array_equal(again(x), expected)
    monkeypatch.undo()
    assert "scf.for" in again.ir("loops")  # every stage can still be looked at


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_a_damaged_record_is_made_again(fresh_cache: Path, damage: str) -> None:
    x = np.ones((1, 9, 8, 3), np.float32)
    expected = kcompile.compile(model(), name="digits")(x)
    (path,) = fresh_cache.rglob("*.model")
    good = path.read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    path.write_bytes({"flip": bytes(bad), "truncate": good[:-9], "empty": b""}[damage])
    cache.forget()
    np.testing.assert_array_equal(kcompile.compile(model(), name="digits")(x), expected)
    assert path.read_bytes() == good


def test_train_steps_are_kept_too(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 4), np.float32), rng.integers(0, 3, 20)
    results = []
    for _ in range(2):
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        net.compile("adam", "sparse_categorical_crossentropy")
        results.append((net.fit(x, y, batch_size=6, epochs=2, verbose=0).history, net.get_weights()[0].tolist()))
        cache.forget()
        monkeypatch.setattr(pipeline, "run_stages", None)
    assert results[0] == results[1]


def test_the_key_knows_what_the_code_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    source = trace_predict(model()).module
    target = Target.get("x86-64-v3")
    keys = [key_of_model(source, [target], "a"), key_of_model(source, [target], "a", "b")]
    keys += [key_of_model(source, [Target.get("x86-64-v4")], "a"), key_of_model(source, [], "a")]
    other = parse_module(str(source).replace("f32", "f64"))
    keys.append(key_of_model(other, [target], "a"))
    monkeypatch.setenv("KCOMPILE_RULE_LIMIT", "3")
    keys.append(key_of_model(source, [target], "a"))
    monkeypatch.setattr(record, "compiler_fingerprint", lambda: "another compiler")
    keys.append(key_of_model(source, [target], "a"))
    assert None not in keys and len(set(keys)) == len(keys)


def test_code_from_outside_is_not_trusted_to_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source = trace_predict(model()).module
    assert key_of_model(source, []) is not None
    definition = next(op.definition for op in source.walk() if op.dialect == "graph")
    assert definition is not None
    with monkeypatch.context() as patch:
        patch.setattr(definition, "home", "somebody.elses")
        assert key_of_model(source, []) is None
    with monkeypatch.context() as patch:
        patch.setitem(select.STRATEGIES, "elementwise", np)
        assert key_of_model(source, []) is None


@pytest.mark.parametrize("options", [{"reuse": False}, {"verify": True}, {"timing": True}, {"cache": "off"}])
def test_who_looks_at_passes_gets_passes(fresh_cache: Path, options: dict[str, Any]) -> None:
    made, _ = compiled(**options)
    assert made.record.object and made.times and not list(fresh_cache.rglob("*.model"))
