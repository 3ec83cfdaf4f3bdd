"""Rows in stages, and a max that leaves NaN out: what NumPy gives, for any number of rows, in place too."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from kcompile.codegen.kernels import Kernel, compile_kernels
from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import dims_map
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.strategies.parts.nan_paths import forgets_nan
from kcompile.strategies.parts.structured import generic, kernel
from kcompile.strategies.select import lower
from tests.guard import run_guarded
from tests.strategies.linalg_kernels import LinalgKernel, softmax
from tests.strategies.test_strategies import TARGETS, B

RUNNABLE = [name for name in TARGETS if Target.get(name).runs_here()]
LENGTHS = (1, 3, 16, 17, 31, 48, 64, 100, 128)
ROW, FULL = dims_map(2, (0,)), dims_map(2, (0, 1))


def normalized(c: int) -> Operation:
    """(x - mean) / sqrt(variance + 1), and the mean."""
    f = LinalgKernel("normalized", [((B, c), t.f32)])
    (x,) = f.inputs

    def moment(b: LoopBuilder, v: Value, total: Value, running: Value) -> Value:
        moved = b.sub(v, b.mul(total, 1.0 / c))
        return b.add(running, b.mul(moved, moved))

    def scaled(b: LoopBuilder, v: Value, total: Value, square: Value, _: Value) -> Value:
        return b.div(b.sub(v, b.mul(total, 1.0 / c)), b.sqrt(b.add(b.mul(square, 1.0 / c), 1.0)))

    (s,) = f.generic([x], [f.fill((B,), 0.0)], [FULL, ROW], "pr", lambda b, v, a: b.add(a, v))
    (q,) = f.generic([x, s], [f.fill((B,), 0.0)], [FULL, ROW, ROW], "pr", moment)
    (y,) = f.generic([x, s, q], [f.empty((B, c))], [FULL, ROW, ROW, FULL], "pp", scaled)
    (mean,) = f.generic([s], [f.empty((B,))], [dims_map(1, (0,))] * 2, "p", lambda b, v, _: b.mul(v, 1.0 / c))
    return f.ret(y, mean)


def share(c: int) -> Operation:
    """x by the sum of its row: one reduction."""
    f = LinalgKernel("share", [((B, c), t.f32)])
    (x,) = f.inputs
    (s,) = f.generic([x], [f.fill((B,), 0.0)], [FULL, ROW], "pr", lambda b, v, a: b.add(a, v))
    return f.ret(*f.generic([x, s], [f.empty((B, c))], [FULL, ROW, FULL], "pp", lambda b, v, a, _: b.div(v, a)))


def reference(name: str, x: np.ndarray) -> list[np.ndarray]:
    wide = x.astype(np.float64)
    if name == "softmax":
        e = np.exp(wide - wide.max(-1, keepdims=True))
        return [e / e.sum(-1, keepdims=True)]
    if name == "share":
        return [wide / wide.sum(-1, keepdims=True)]
    return [(wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 1), wide.mean(-1)]


KERNELS = {"softmax": lambda c: softmax(B, c), "normalized": normalized, "share": share}


@functools.cache
def compiled(target: str, aliased: bool = False) -> dict[str, Kernel]:
    module = new_module()
    for name, build in KERNELS.items():
        for c in LENGTHS:
            (function,) = module_functions(build(c))
            function["sym_name"] = f"{name}_{c}"
            loops = lower(function, Target.get(target))
            if aliased:
                loops["kernel.aliased"] = (0, 1)
            module.body.append(loops)
    return compile_kernels(module, Target.get(target))


def example(rows: int, c: int) -> np.ndarray:
    return np.random.default_rng(rows * c).uniform(0.5, 4, (rows, c)).astype(np.float32)


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("name", KERNELS)
def test_rows_in_stages_are_right_for_any_number_of_rows(name: str, target: str) -> None:
    for c in LENGTHS:
        for rows in (1, 2, 3, 4, 7):
            x = example(rows, c)
            wanted = reference(name, x)
            outputs = [np.full(w.shape, 77, np.float32) for w in wanted]
            for team in (1, 3):
                made = run_guarded(compiled(target)[f"{name}_{c}"], [x], outputs, rows, team=team)
                for one, other in zip(made, wanted, strict=True):
                    np.testing.assert_allclose(one, other, rtol=2e-6, atol=2e-6, err_msg=f"{rows} rows of {c}")


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("name", KERNELS)
def test_a_result_may_take_the_place_of_the_rows(name: str, target: str) -> None:
    for c in LENGTHS:
        for rows in (1, 2, 5):
            x = example(rows, c)
            apart, rest = [np.empty(w.shape, np.float32) for w in reference(name, x)], [rows, 0, 1]
            compiled(target, aliased=True)[f"{name}_{c}"]([x, *apart], *rest)
            compiled(target, aliased=True)[f"{name}_{c}"]([x, x, *apart[1:]], *rest)
            np.testing.assert_array_equal(x, apart[0], f"{rows} rows of {c}")


@pytest.mark.parametrize("target", RUNNABLE)
@pytest.mark.parametrize("c", [3, 17, 100, 128, 300])
def test_a_softmax_is_nan_where_its_row_holds_nan_or_infinity(c: int, target: str) -> None:
    (function,) = module_functions(softmax(B, c))
    module = new_module()
    module.body.append(lower(function, Target.get(target)))
    (run,) = compile_kernels(module, Target.get(target)).values()
    x = np.zeros((8, c), np.float32)
    x[1, c // 2], x[2, 0], x[3, -1], x[4, 0] = np.nan, -np.nan, np.inf, -np.inf
    x[5], x[6] = np.nan, -np.inf
    y = np.empty_like(x)
    run([x, y], 8, 0, 1)
    assert np.isnan(y).all(1).tolist() == [False, True, True, True, False, True, True, False]
    assert y[4, 0] == 0 and not np.isnan(y[[0, 4, 7]]).any()


def view_of(module: Operation) -> tuple[bool, bool]:
    """Whether each of the first two reductions of a kernel may leave NaN out; False for one that is not there."""
    (function,) = module_functions(module)
    view = kernel(function)
    reductions = [generic(op) for op in view.roots]
    made = [forgets_nan(one, reductions, view) for one in reductions]
    return made[0], made[1] if len(made) > 1 else False


def test_only_a_max_whose_nan_comes_another_way_may_leave_it_out() -> None:
    assert view_of(softmax(B, 10)) == (True, False)
    assert view_of(normalized(10)) == (False, False)
    plain = LinalgKernel("plain", [((B, 10), t.f32)])
    (top,) = plain.generic(
        plain.inputs, [plain.fill((B,), float("-inf"))], [FULL, ROW], "pr", lambda b, v, a: b.max(a, v)
    )
    assert view_of(plain.ret(top)) == (False, False)


@pytest.mark.parametrize("way", ["select", "other rows", "another result", "not the sum"])
def test_a_way_that_loses_nan_does_not_count(way: str) -> None:
    f = LinalgKernel("lossy", [((B, 10), t.f32)])
    (x,) = f.inputs
    (top,) = f.generic([x], [f.fill((B,), float("-inf"))], [FULL, ROW], "pr", lambda b, v, a: b.max(a, v))

    def moved(b: LoopBuilder, v: Value, m: Value, _: Value) -> Value:
        e = b.exp(b.sub(v, m))
        return b.select(b.cmp("lt", e, 0.5), e, 1.0) if way == "select" else e

    (e,) = f.generic([x, top], [f.empty((B, 10))], [FULL, ROW, FULL], "pp", moved)
    axis = dims_map(2, (1,)) if way == "other rows" else ROW
    width = 10 if way == "other rows" else B
    kinds = "rp" if way == "other rows" else "pr"
    (s,) = f.generic([e], [f.fill((width,), 0.0)], [FULL, axis], kinds, lambda b, v, a: b.add(a, v))
    by = e if way == "not the sum" else s
    (y,) = f.generic(
        [e, by], [f.empty((B, 10))], [FULL, FULL if by is e else axis, FULL], "pp", lambda b, v, a, _: b.div(v, a)
    )
    (function,) = module_functions(f.ret(*([y, top] if way == "another result" else [y])))
    view = kernel(function)
    reductions = [generic(op) for op in view.roots]
    assert not any(forgets_nan(one, reductions, view) for one in reductions)
