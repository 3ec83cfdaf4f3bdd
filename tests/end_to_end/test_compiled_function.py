"""Native calls give what the interpreter gives: random graphs, whole train steps, any batch, any number of threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcompile.codegen import entry
from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.ir.core import find_function
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.transforms.plan import choose_rows
from tests.end_to_end.traced import Held, traced
from tests.properties.graphs import Graph, graphs
from tests.transforms import models
from tests.transforms.test_meaning import turns_a_symbolic_axis

B = symbol("b")
# f32 sums of up to a few hundred terms in another order, through a few layers (see tests/transforms/test_meaning.py)
CLOSE = {"rtol": 2e-4, "atol": 2e-4, "equal_nan": True}


def options(**changed: Any) -> Options:
    return Options.of(**{"engine": "native", "target": "host", "threads": 1, **changed})


@pytest.fixture
def always_in_team(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the smallest model runs on the team, so that barriers are exercised."""
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)


@settings(max_examples=25)
@given(graphs(max_ops=15, smooth=True), st.integers(0, 1000))
def test_random_graphs(graph: Graph, seed: int) -> None:
    assume(not turns_a_symbolic_axis(graph.module))
    arrays = graph.arrays(seed)
    run = CompiledFunction(traced(graph.module, ["input"] * len(arrays), arrays, {}), options())
    for expected, received in zip(interpret(graph.module, "main", arrays), run(*arrays), strict=True):
        assert received.dtype == expected.dtype
        assert received.shape == expected.shape
        np.testing.assert_allclose(received.astype(np.float64), expected.astype(np.float64), **CLOSE)


def train_step(name: str, **changed: Any) -> tuple[CompiledFunction, list[Held]]:
    module = models.MODELS[name]()
    arrays = models.random_arguments(module, {"b": 4})
    states = len(arrays) - 2
    roles = ["state"] * states + ["input", "input"]
    function = traced(module, roles, arrays, {i + 1: i for i in range(states)})
    return CompiledFunction(function, options(**changed)), [a.variable for a in function.arguments[:states]]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", models.MODELS)
def test_train_steps_with_changing_batches(name: str, threads: int, always_in_team: None) -> None:
    native, held = train_step(name, threads=threads)
    slow, expected = train_step(name, engine="interpreter")
    for step, batch in enumerate([4, 4, 7, 1, 4]):
        inputs = models.random_arguments(native.traced.module, {"b": batch}, seed=step)[-2:]
        np.testing.assert_allclose(native(*inputs)[0], slow(*inputs)[0], **CLOSE)
        for mine, theirs in zip(held, expected, strict=True):
            np.testing.assert_allclose(mine._array, theirs._array, **CLOSE)


@pytest.mark.parametrize("name", models.MODELS)
def test_results_do_not_depend_on_the_threads(name: str, always_in_team: None) -> None:
    runs = []
    for threads in (1, 2, 3):
        function, held = train_step(name, threads=threads)
        for step in range(3):
            inputs = models.random_arguments(function.traced.module, {"b": 9}, seed=step)[-2:]
            loss = function(*inputs)[0]
        runs.append([loss, *(h._array for h in held)])
    for other in runs[1:]:
        for mine, theirs in zip(runs[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def dense_model() -> Any:
    """relu(x @ (w * s) + c), with weights w, s and c."""
    b = GraphBuilder.function("main", [TensorType(s, t.f32) for s in ((B, 6), (6, 5), (5,), (5,))])
    x, w, s, c = b.block.arguments
    scaled = b.mul(w, b.broadcast_in_dim(s, shape=(6, 5), dims=(1,)))
    b.ret(models.relu(b, models.dense(b, x, scaled, c)))
    rng = np.random.default_rng(0)
    arrays = [np.zeros(0), *(rng.standard_normal(v.type.shape).astype(np.float32) for v in (w, s, c))]
    return traced(b.module, ["input", "weight", "weight", "weight"], arrays, {})


def formula(x: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    w, s, c = weights
    return np.maximum(x @ (w * s) + c, 0)


def test_live_weights_are_read_at_every_call_and_frozen_ones_once() -> None:
    function = dense_model()
    live, frozen = (CompiledFunction(function, options(freeze=freeze)) for freeze in (False, True))
    weights = [a.variable._array for a in function.arguments[1:]]
    x = np.random.default_rng(1).standard_normal((3, 6)).astype(np.float32)
    before = formula(x, weights)
    np.testing.assert_allclose(live(x)[0], before, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(frozen(x)[0], before, rtol=1e-5, atol=1e-5)
    weights[0][...] *= 2
    np.testing.assert_allclose(live(x)[0], formula(x, weights), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(frozen(x)[0], before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", models.MODELS)
def test_frozen_weights_of_whole_steps(name: str) -> None:
    """All arguments but the batch as weights: everything that can be hoisted is, and nothing that needs the batch."""
    module = models.MODELS[name]()
    arrays = models.random_arguments(module, {"b": 5})
    roles = ["weight"] * (len(arrays) - 2) + ["input", "input"]
    run = CompiledFunction(traced(module, roles, arrays, {}), options(freeze=True))
    for batch in (5, 2):
        inputs = models.random_arguments(module, {"b": batch}, seed=batch)[-2:]
        expected = interpret(module, "main", [*arrays[:-2], *inputs])
        for mine, theirs in zip(run(*inputs), expected, strict=True):
            np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_threads_of_python_may_call_at_once() -> None:
    run = CompiledFunction(dense_model(), options(freeze=True))
    rng = np.random.default_rng(2)
    inputs = [rng.standard_normal((rows, 6)).astype(np.float32) for rows in (1, 5, 30, 5)]
    expected = [run(x)[0] for x in inputs]
    wrong: list[str] = []

    def work(k: int) -> None:
        for i in range(50):
            x, right = inputs[(i + k) % 4], expected[(i + k) % 4]
            if not np.array_equal(run(x)[0], right):
                wrong.append(f"thread {k}, call {i}")

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_row_does_not_depend_on_its_batch() -> None:
    run = CompiledFunction(dense_model(), options(freeze=True))
    x = np.random.default_rng(3).standard_normal((37, 6)).astype(np.float32)
    whole = run(x)[0]
    for i in (0, 1, 14, 36):
        np.testing.assert_array_equal(run(x[i : i + 1])[0][0], whole[i])


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_groups_of_rows_give_what_the_whole_batch_gives(
    rows: int, threads: int, always_in_team: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.random.default_rng(5).standard_normal((40, 6)).astype(np.float32)
    expected = CompiledFunction(dense_model(), options(freeze=True))(x)[0]
    monkeypatch.setattr(choose_rows, "MOST_ROWS", rows)
    run = CompiledFunction(dense_model(), options(freeze=True, threads=threads))
    main = find_function(run.compiled.module("plan"), "main")
    assert main["plan.rows"] <= rows
    for batch in (1, 2, 3, 4, 7, 13, 40):
        np.testing.assert_array_equal(run(x[:batch])[0], expected[:batch])


def test_an_empty_batch_is_fine() -> None:
    assert CompiledFunction(dense_model(), options())(np.empty((0, 6), np.float32))[0].shape == (0, 5)


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: x.tolist(),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
    ],
    ids=["float64", "fortran", "strided", "list", "unaligned"],
)
def test_any_layout_is_accepted(convert: Any) -> None:
    run = CompiledFunction(dense_model(), options())
    x = np.random.default_rng(4).standard_normal((4, 6)).astype(np.float32)
    np.testing.assert_array_equal(run(convert(x))[0], run(x)[0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "takes 1 inputs"),
        ((np.zeros((2, 6)), 1), "takes 1 inputs"),
        ((np.zeros((2, 7)),), r"needs shape \(None, 6\). Received: shape \(2, 7\)"),
        ((np.zeros(6),), r"add the batch axis"),
        ((np.zeros((2, 6), complex),), "needs dtype float32"),
        ((np.array([["a"] * 6]),), "needs dtype float32"),
        (([[1.0], [2.0, 3.0]],), "is no array"),
    ],
)
@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_inputs_that_do_not_fit(inputs: Any, message: str, engine: str) -> None:
    with pytest.raises(ShapeError, match=message):
        CompiledFunction(dense_model(), options(engine=engine))(*inputs)


def test_two_inputs_must_agree_on_the_batch() -> None:
    b = GraphBuilder.function("main", [TensorType((B, 2), t.f32)] * 2)
    b.ret(b.add(*b.block.arguments))
    run = CompiledFunction(traced(b.module, ["input", "input"], [np.zeros(0)] * 2, {}), options())
    with pytest.raises(ShapeError, match=r"input 'a1' needs shape .*b=3"):
        run(np.zeros((3, 2)), np.zeros((4, 2)))
