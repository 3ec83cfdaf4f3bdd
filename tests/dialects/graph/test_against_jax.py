"""The references and gradients against jax.lax, which shares StableHLO's semantics."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kcompile.autodiff import pullback
from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.sampling import Case
from kcompile.dialects.graph.tolerance import ulp_of
from kcompile.ir import types as t
from kcompile.ir.definition import Definition, lookup
from kcompile.ir.interpreter import interpret

jax = pytest.importorskip("jax")
lax = pytest.importorskip("jax.lax")
jnp = pytest.importorskip("jax.numpy")

pytestmark = pytest.mark.xcheck
CASES = 6


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _pairs(low: tuple[int, ...], high: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(low, high, strict=True))


def _convolution(x: Any, w: Any, **a: Any) -> Any:
    numbers = lax.ConvDimensionNumbers(a["lhs_spec"], a["rhs_spec"], a["out_spec"])
    return lax.conv_general_dilated(
        x, w, a["strides"], _pairs(a["padding_low"], a["padding_high"]), a["lhs_dilation"], a["rhs_dilation"], numbers,
        a["feature_groups"], a["batch_groups"], precision="highest",
    )  # fmt: skip


def _dot(x: Any, y: Any, **a: Any) -> Any:
    axes = ((a["lhs_contract"], a["rhs_contract"]), (a["lhs_batch"], a["rhs_batch"]))
    return lax.dot_general(x, y, axes, precision="highest")


def _window(x: Any, **a: Any) -> Any:
    start, function = {"add": (0.0, lax.add), "max": (-np.inf, lax.max), "min": (np.inf, lax.min)}[a["kind"]]
    dilation = a.get("window_dilation", (1,) * x.ndim)
    padding = _pairs(a["padding_low"], a["padding_high"])
    return lax.reduce_window(
        x, np.asarray(start, x.dtype), function, a["window"], a["strides"], padding, None, dilation
    )


def _pad(x: Any, value: Any, **a: Any) -> Any:
    return lax.pad(x, value, list(zip(a["low"], a["high"], a["interior"], strict=True)))


def _reduce(x: Any, *, axes: Any, kind: str) -> Any:
    return {"add": jnp.sum, "mul": jnp.prod, "max": jnp.max, "min": jnp.min}[kind](x, axis=axes)


THEIRS: dict[str, Callable[..., Any]] = {
    "exp": lax.exp, "expm1": lax.expm1, "log": lax.log, "log1p": lax.log1p, "sqrt": lax.sqrt, "rsqrt": lax.rsqrt,
    "sin": lax.sin, "cos": lax.cos, "tanh": lax.tanh, "logistic": lax.logistic, "erf": lax.erf, "neg": lax.neg,
    "abs": lax.abs, "sign": lax.sign, "floor": lax.floor, "ceil": lax.ceil, "add": lax.add, "sub": lax.sub,
    "mul": lax.mul, "div": lax.div, "rem": lax.rem, "pow": lax.pow, "max": lax.max, "min": lax.min,
    "atan2": lax.atan2, "select": lax.select, "convolution": _convolution, "dot_general": _dot,
    "reduce_window": _window, "pad": _pad, "reduce": _reduce,
    "round_even": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "broadcast_in_dim": lambda x, shape, dims: lax.broadcast_in_dim(x, shape, dims),
    "transpose": lambda x, permutation: lax.transpose(x, permutation),
    "slice": lambda x, start, limit, strides: lax.slice(x, start, limit, strides),
    "concatenate": lambda *xs, axis: lax.concatenate(xs, axis), "reverse": lambda x, axes: lax.rev(x, axes),
}  # fmt: skip


def draw(op: Definition, seed: int) -> Case:
    rng = np.random.default_rng([seed, zlib.crc32(op.name.encode())])
    while True:
        case = op.samples.draw(rng, t.f64)
        empty = any(a.size == 0 for a in case.arrays) or 0 in op.infer(*case.types, **case.attributes).shape
        if not (empty and op.name in ("graph.convolution", "graph.reduce")):  # there XLA refuses, or has no maximum
            return case


@pytest.mark.parametrize("name", THEIRS)
def test_values_and_gradients(name: str) -> None:
    op = lookup(f"graph.{name}")
    assert op is not None
    for seed in range(CASES):
        case = draw(op, seed)
        b = GraphBuilder.function("main", case.types)
        result = b.create(op.name, b.block.arguments, case.attributes).result
        ct = b.block.add_argument(result.type)
        attributes = case.attributes
        wrt = [i for i, x in enumerate(case.types) if t.is_float(x)]
        if "window_dilation" in attributes and attributes["kind"] != "add":
            wrt = []  # a gradient that is refused
        cts = pullback(b, [result], [ct], [b.block.arguments[i] for i in wrt])
        b.ret(result, *[c if c is not None else b.full(0.0, case.types[i]) for c, i in zip(cts, wrt, strict=True)])

        def theirs(*floats: Any, case: Case = case, wrt: list[int] = wrt) -> Any:
            arrays = list(case.arrays)
            for i, x in zip(wrt, floats, strict=True):
                arrays[i] = x
            return THEIRS[name](*arrays, **case.attributes)

        expected, pull = jax.vjp(theirs, *[jnp.asarray(case.arrays[i]) for i in wrt])
        cotangent = np.random.default_rng(seed).normal(size=expected.shape)
        made = interpret(b.module, "main", [*case.arrays, cotangent])
        for ours, other in zip(made, [expected, *pull(jnp.asarray(cotangent))], strict=True):
            other = np.asarray(other)
            assert ours.shape == other.shape, (seed, case)
            # both round each step in f64; sums here have at most a few hundred terms near 1
            bound = 64 * ulp_of(other, t.f64) + 1e-12 * (1 + np.max(np.abs(other), initial=0))
            assert np.all((np.abs(ours - other) <= bound) | (ours == other)), (seed, case, ours, other)


def test_random_bits_are_jax_random_bits() -> None:
    op = lookup("graph.rng_bits")
    assert op is not None
    for seed in range(5):
        key = jax.random.PRNGKey(seed * 12345)
        theirs = np.asarray(jax.random.bits(key, (7, 5), np.uint32))
        assert np.array_equal(op.reference(np.asarray(key), shape=(7, 5)), theirs)


def test_integers_divide_like_xla() -> None:
    x = np.array([7, -7, 7, -7, -128, 5, 0], np.int8)
    y = np.array([2, 2, -2, -2, -1, 0, 0], np.int8)
    for name, function in (("div", lax.div), ("rem", lax.rem)):
        op = lookup(f"graph.{name}")
        assert op is not None
        assert np.array_equal(op.reference(x, y), np.asarray(jax.jit(function)(x, y))), name


def test_the_first_of_several_extremes_is_found() -> None:
    x = np.array([[1.0, 3.0, 3.0, 0.0], [np.nan, 1.0, np.nan, 0.0], [0.0, 0.0, 0.0, 0.0]])
    op = lookup("graph.arg_reduce")
    assert op is not None
    for kind, function in (("max", lax.argmax), ("min", lax.argmin)):
        assert np.array_equal(op.reference(x, axis=1, kind=kind, dtype=t.i32), np.asarray(function(x, 1, np.int32)))


def test_ties_in_a_pooling_window_go_to_the_first() -> None:
    x = np.zeros((1, 4, 4, 1))
    attributes = {"window": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding_low": (0,) * 4, "padding_high": (0,) * 4}
    op = lookup("graph.reduce_window_grad")
    assert op is not None
    ct = np.arange(1.0, 5.0).reshape(1, 2, 2, 1)
    _, pull = jax.vjp(lambda x: _window(x, **attributes, kind="max"), x)
    assert np.array_equal(op.reference(x, ct, **attributes, kind="max"), np.asarray(pull(ct)[0]))
