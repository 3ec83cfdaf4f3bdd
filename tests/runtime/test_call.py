"""Calls of compiled functions: the extension of kc_call.c and PortableCall do the same, and nothing is leaked."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import sysconfig
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import KcompileError
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.runtime import call, native
from kcompile.runtime.executable import CompiledFunction
from tests.end_to_end.traced import traced
from tests.runtime.conftest import Build

B = symbol("b")
KINDS = ("extension", "portable")
SOURCES = native.source_directory()
Make = Callable[..., CompiledFunction]


@pytest.fixture(scope="session")
def extension(build: Build) -> Any:
    """The type Call, built from the sources as they are now, with warnings as errors."""
    header = Path(sysconfig.get_paths()["include"], "Python.h")
    if not header.is_file() or sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("no headers of Python here, or a Python without GIL")
    sources = [SOURCES.parent / "runtime" / name for name in ("kc_call.c", "kc_call_steps.c")]
    if not all(source.is_file() for source in sources):
        pytest.skip("the sources of the extension are not here")
    includes = ["-isystem", str(header.parent), "-isystem", np.get_include()]
    quiet = "-Wno-missing-field-initializers"  # the tables of Python.h end with {0}
    file = build(
        f"_kc_call{sysconfig.get_config_var('EXT_SUFFIX')}", "-shared", "-fPIC", quiet, *includes, *map(str, sources)
    )
    spec = importlib.util.spec_from_file_location("kcompile.runtime._kc_call", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.VERSION == native.CALL_VERSION
    return module.Call


@pytest.fixture
def make(extension: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """make(kind, function): compiled, with one of the two kinds of calls."""

    def made(kind: str, function: Any, **options: Any) -> CompiledFunction:
        if function is AFFINE and kind in _MADE:
            return _MADE[kind]
        monkeypatch.setattr(call, "call_type", lambda: extension if kind == "extension" else None)
        compiled = CompiledFunction(function, Options.of(**{"engine": "native", "threads": 1, **options}))
        compiled.prepare()
        if function is AFFINE:
            _MADE[kind] = compiled
        return compiled

    yield made


_MADE: dict[str, CompiledFunction] = {}  # of AFFINE


def affine() -> Any:
    """x (b, 3) f32 and k (b,) i64 -> 2 x + 1 and k + 1."""
    b = GraphBuilder.function("main", [TensorType((B, 3), t.f32), TensorType((B,), t.i64)])
    x, k = b.block.arguments
    b.ret(b.add(b.mul(x, 2.0), 1.0), b.add(k, 1))
    return traced(b.module, ["input", "input"], [np.zeros(0), np.zeros(0)], {})


def running_sum() -> Any:
    """x (b, 2) is added to a state (2,), row by row of the batch; the number of calls is counted."""
    b = GraphBuilder.function("main", [TensorType((2,), t.f32), TensorType((1,), t.i64), TensorType((B, 2), t.f32)])
    total, calls, x = b.block.arguments
    b.ret(b.add(total, b.reduce(x, axes=(0,), kind="add")), b.add(calls, 1))
    state = [np.zeros(2, np.float32), np.zeros(1, np.int64), np.zeros(0)]
    return traced(b.module, ["state", "state", "input"], state, {0: 0, 1: 1})


def outcome(function: CompiledFunction, *inputs: Any) -> Any:
    try:
        return function(*inputs)
    except KcompileError as error:
        return type(error), str(error)


def arrays(rows: int) -> st.SearchStrategy[Any]:
    """Things to give as x: right, wrong, and right after a conversion."""
    shapes = st.sampled_from([(rows, 3)] * 4 + [(rows, 2), (rows,), (3,), (), (rows, 3, 1), (rows + 1, 3)])
    dtypes = st.sampled_from(["f4"] * 4 + ["f8", "f2", "i4", "u1", "?", ">f4", "S3", "O", "c8"])
    kinds = st.sampled_from(
        ["plain"] * 3 + ["fortran", "strided", "backwards", "unaligned", "readonly", "subclass", "list", "none"]
    )
    return st.tuples(shapes, dtypes, kinds).map(lambda given: arranged(*given))


class Sub(np.ndarray):
    """Some subclass."""


def arranged(shape: tuple[int, ...], dtype: str, kind: str) -> Any:
    values = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape).astype(dtype)
    if kind == "list":
        return values.tolist()
    if kind == "none":
        return None
    if kind == "fortran":
        return np.asfortranarray(values)
    if kind == "strided" and values.ndim:
        return np.repeat(values, 2, axis=0)[::2]
    if kind == "backwards" and values.ndim:
        return values[::-1]
    if kind == "unaligned" and dtype != "O":
        return np.frombuffer(b"\0" + values.tobytes(), values.dtype, offset=1).reshape(shape)
    if kind == "readonly":
        values.flags.writeable = False
    return values.view(Sub) if kind == "subclass" else values


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4).flatmap(lambda n: st.tuples(arrays(n), st.just(n), st.sampled_from(["i8", "q", "i4", "f4"]))))
def test_both_kinds_of_calls_give_the_same_results_and_errors(make: Make, given: tuple[Any, int, str]) -> None:
    x, rows, dtype = given
    k = np.arange(rows).astype(dtype)
    fast, slow = (outcome(make(kind, AFFINE), x, k) for kind in KINDS)
    if isinstance(slow, tuple):
        assert fast == slow
        return
    for mine, theirs, formula in zip(fast, slow, (2 * np.asarray(x, np.float32) + 1, np.asarray(k) + 1), strict=True):
        assert mine.dtype == theirs.dtype and mine.shape == theirs.shape
        np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(mine, formula)


AFFINE = affine()


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_numbers_of_arrays(make: Make, kind: str) -> None:
    function = make(kind, AFFINE)
    x, k = np.zeros((2, 3), np.float32), np.zeros(2, np.int64)
    for inputs in ((), (x,), (x, k, k)):
        assert "takes 2 inputs" in outcome(function, *inputs)[1]
    assert function.prepare().call.one(x) is None  # there are two arguments
    assert function.prepare().call() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_refuses(make: Make, kind: str) -> None:
    """An input that is the state itself; and then everything works as before."""
    function = make(kind, running_sum())
    state = function.traced.arguments[0].variable._array
    kind_, text = outcome(function, state.reshape(1, 2))
    assert kind_ is KcompileError and "overlaps" in text and "'b': 1" in text
    function(np.ones((4, 2), np.float32))
    assert state.tolist() == [4, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_more_shapes_than_are_kept(make: Make, kind: str) -> None:
    function = make(kind, AFFINE)
    for rows in [*range(300), *range(0, 300, 37)]:
        y, k = function(np.full((rows, 3), rows, np.float32), np.arange(rows))
        assert y.shape == (rows, 3) and (y == 2 * rows + 1).all() and k.tolist() == list(range(1, rows + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_leaked(make: Make, kind: str) -> None:
    function, state = make(kind, AFFINE), make(kind, running_sum())
    x, k, flipped = np.ones((5, 3), np.float32), np.arange(5), np.ones((5, 3), np.float32)[::-1]
    held = state.traced.arguments[0].variable._array.reshape(1, 2)
    way = function.prepare().call
    order, rows, into = np.arange(5)[::-1].copy(), np.ones((8, 2), np.float32), (np.empty_like(x), np.empty_like(k))

    def once() -> None:
        function(x, k)
        function(flipped, k)
        outcome(function, x)
        outcome(state, held)
        way.steps((x, k), order, 0, 5, 1, 0.0, into)
        way.steps((x,), None, 0, 5, 1, 0.0, into)
        state.prepare().steps([rows], None, 0, 4, 2)
        with pytest.raises(IndexError):
            way.steps((x, k), order + 9, 0, 5, 1, 0.0, into)

    watched = [x, k, flipped, held, order, into, into[0], np.dtype("f4"), np.dtype("i8"), way]
    for _ in range(50):
        once()
    gc.collect()
    before = [sys.getrefcount(w) for w in watched]
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        once()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    after = [sys.getrefcount(w) for w in watched]
    assert all(b - a < 100 for a, b in zip(before, after, strict=True)), (before, after)  # others may let go of a dtype
    assert grown < 50_000  # the smallest leak, 16 bytes a call, would be more than 16 * 8 * 1000


@pytest.mark.parametrize("kind", KINDS)
def test_threads_call_at_once(make: Make, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "RELEASE_PICOSECONDS", 0)  # even the smallest call lets other threads run
    pure, state = make(kind, affine()), make(kind, running_sum())
    wrong: list[Any] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            x = rng.random((int(rng.integers(0, 9)), 3), np.float32)
            k = np.arange(len(x))
            y, n = pure(x, k)
            state(np.ones((2, 2), np.float32))
            if not (np.array_equal(y, 2 * x + 1) and np.array_equal(n, k + 1)):
                wrong.append((x, y))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    total, calls = (a.variable._array for a in state.traced.arguments[:2])
    assert calls.tolist() == [1200] and total.tolist() == [2400, 2400]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_calls_on(make: Make, kind: str) -> None:
    function = make(kind, running_sum(), threads=2)
    function(np.ones((3, 2), np.float32))
    child = os.fork()
    if child == 0:
        try:
            function(np.ones((5, 2), np.float32))
            os._exit(int(function.traced.arguments[0].variable._array[0]))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 8


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 3), st.booleans(), st.integers(0, 99))
def test_steps_are_single_calls_one_after_the_other(
    make: Make, rows: int, count: int, first: int, shuffled: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    data = rng.random((first + rows * count + 2, 2), np.float32)
    order = rng.permutation(len(data)) if shuffled else None
    results = []
    for run in (None, *KINDS):
        function = make(run or "portable", running_sum())
        if run is None:
            for i in range(count):
                numbers = np.arange(first + i * rows, first + (i + 1) * rows)
                function(data[numbers if order is None else order[numbers]])
        else:
            assert function.prepare().steps([data], order, first, rows, count) == count
        results.append([a.variable._array.tolist() for a in function.traced.arguments[:2]])
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("kind", KINDS)
def test_steps_write_results_where_they_belong(make: Make, kind: str) -> None:
    function = make(kind, AFFINE).prepare()
    x, k = np.random.default_rng(0).random((10, 3), np.float32), np.arange(10)
    for rows in (1, 3, 4, 10, 11):
        y, n = function.in_batches([x, k], rows) or (None, None)
        np.testing.assert_array_equal(y, 2 * x + 1)
        np.testing.assert_array_equal(n, k + 1)
    into = np.full((10, 3), -1, np.float32), np.full(10, -1)
    assert function.steps([x, k], None, 2, 3, 2, into=into) == 2
    assert (into[0][:2] == -1).all() and (into[0][8:] == -1).all()
    np.testing.assert_array_equal(into[0][2:8], 2 * x[2:8] + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_do_not_fit(make: Make, kind: str) -> None:
    function = make(kind, AFFINE).prepare()
    x, k = np.zeros((6, 3), np.float32), np.zeros(6, np.int64)
    into = np.zeros((6, 3), np.float32), np.zeros(6, np.int64)
    steps: Any = partial(function.steps, first=0, rows=2, count=3)
    assert steps([x, k], None, into=into) == 3
    assert steps([x, k], None, into=into, count=0) == 0
    assert steps([x, k], None, into=into, seconds=1e-9) == 1  # at least one, then the time is over
    readonly = into[0].copy()
    readonly.flags.writeable = False
    for given_, order, target in [
        ([x[::2], k], None, into),
        ([x.astype("f8"), k], None, into),
        ([x, k[:5]], None, into),
        ([x, k], np.arange(5), into),
        ([x, k], np.arange(6, dtype=np.int32), into),
        ([x, k], None, (into[0][:5], into[1])),
        ([x, k], None, (readonly, into[1])),
        ([x, k], None, (into[1], into[1])),
        ([x, k], None, into[:1]),
    ]:
        assert steps(given_, order, into=target) is None
    for wrong in (6, -1):
        with pytest.raises(IndexError):
            steps([x, k], np.array([0, 1, 2, 3, 4, wrong]), into=into)
    for first, rows, count in ((-1, 2, 1), (0, 0, 1), (0, 2, -1)):
        with pytest.raises(ValueError):
            function.call.steps((x, k), None, first, rows, count, 0.0, into)
    with pytest.raises(KcompileError, match="needs shape"):
        function.steps([x[:, :2].copy(), k], None, 0, 2, 3, into=into)
