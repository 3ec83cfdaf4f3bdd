"""Functions of floats: how far machine code is from the exact value, in units of the last place; and the edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kcompile.codegen.mathematics import RECIPES
from kcompile.ir import types as t
from tests.codegen.elementwise_kernels import TARGETS, Compiled, kernel_module

Array = np.ndarray[Any, Any]
COUNT = 1 << 14
ARITY = {"pow": 2, "atan2": 2}
_erf = np.vectorize(math.erf, otypes=[np.float64])
REFERENCES: dict[str, Callable[..., Array]] = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log1p": np.log1p,
    "tanh": np.tanh, "erf": lambda x: _erf(x.astype(np.float64)), "sin": np.sin, "cos": np.cos,
    "pow": np.power, "atan2": np.arctan2,
}  # fmt: skip
# the promises of mathematics.py, and what a CPU without fused multiply-add may lose
ULP = {
    np.float32: {"exp": 1, "exp2": 1, "expm1": 1.5, "log": 1, "log2": 1, "log1p": 1.5, "tanh": 5.5, "erf": 2.5,
                 "sin": 0.51, "cos": 0.51, "pow": 0.51, "atan2": 0.51},
    np.float64: {"exp": 1, "exp2": 1, "expm1": 2, "log": 1, "log2": 1, "log1p": 1.5, "tanh": 2.5, "erf": 2.5,
                 "sin": 2, "cos": 2, "pow": 450, "atan2": 2.5},
}  # fmt: skip
WITHOUT_FMA = 2.0


def both_signs(x: Array, rng: np.random.Generator) -> Array:
    return x * rng.choice(np.array([-1, 1], x.dtype), len(x))


def samples(name: str, dtype: Any) -> list[Array]:
    """Dense over the range where the result is a normal number, and over the magnitudes near 0."""
    rng = np.random.default_rng(8)
    info = np.finfo(dtype)

    def magnitudes(low: float, high: float) -> Array:
        return np.exp(rng.uniform(np.log(low), np.log(high), COUNT // 2)).astype(dtype)

    def spread(low: float, high: float) -> Array:
        return rng.uniform(low, high, COUNT // 2).astype(dtype)

    if name in ("exp", "exp2", "expm1"):
        low, high = math.log2(float(info.tiny)), math.log2(float(info.max))
        if name != "exp2":
            low, high = low * math.log(2), high * math.log(2)
        return [np.concatenate([spread(low, high), both_signs(magnitudes(1e-12, 10), rng)])]
    if name in ("log", "log2"):
        return [
            np.concatenate([magnitudes(float(info.smallest_subnormal) * 2, float(info.max) / 2), magnitudes(0.5, 2)])
        ]
    if name == "log1p":
        return [np.concatenate([magnitudes(1e-20, float(info.max) / 2), both_signs(magnitudes(1e-12, 0.99), rng)])]
    if name in ("tanh", "erf"):
        return [np.concatenate([spread(-10, 10), both_signs(magnitudes(1e-20, 10), rng)])]
    if name in ("sin", "cos"):
        return [np.concatenate([spread(-10, 10), both_signs(magnitudes(1e-10, 1e6), rng)])]
    if name == "pow":
        return [np.concatenate([magnitudes(1e-3, 1e3), magnitudes(0.5, 2)]), rng.uniform(-9, 9, COUNT).astype(dtype)]
    return [
        both_signs(magnitudes(1e-4, 1e4).repeat(2), rng),
        both_signs(magnitudes(1e-4, 1e4).repeat(2), rng)[::-1].copy(),
    ]


def compiled(element: t.Type, target: str, lanes: int) -> Compiled:
    bodies: dict[str, Any] = {}
    for name in REFERENCES:
        bodies[name] = ((element,) * ARITY.get(name, 1), element, lambda b, *xs, n=name: getattr(b, n)(*xs))
    return Compiled(kernel_module(bodies, lanes), target)


def run(kernels: Compiled, name: str, xs: list[Array], element: t.Type) -> Array:
    return kernels.run(name, xs, (element,) * len(xs), element)


def exact(name: str, xs: list[Array]) -> Array:
    """In the next wider float; math.erf is right to one unit of f64 itself."""
    wide = np.float64 if xs[0].dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        return REFERENCES[name](*(x.astype(wide) for x in xs)).astype(wide)


@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
def test_tanh_reaches_one(element: t.Type) -> None:
    """A saturated tanh is 1 and not a unit less: the gradient of gelu multiplies 1 - tanh^2 by x^3."""
    x = np.array([19.1, 22.0, 300.0, 1e30, np.inf, -19.1, -1e30, -np.inf] * 8, t.to_numpy(element))
    made = run(compiled(element, TARGETS[0], 512 // t.bitwidth(element)), "tanh", [x], element)
    assert made.tobytes() == np.sign(x).tobytes()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
def test_errors_and_lanes(element: t.Type, target: str) -> None:
    dtype = t.to_numpy(element).type
    lanes = 512 // t.bitwidth(element)
    vectors, scalars = compiled(element, target, lanes), compiled(element, target, 1)
    for name in REFERENCES:
        xs = samples(name, dtype)
        made = run(vectors, name, xs, element)
        expected = exact(name, xs)
        rounded = expected.astype(dtype)
        error = np.abs(made - expected) / np.spacing(np.abs(rounded)).astype(expected.dtype)
        worst = int(np.argmax(error))
        bound = ULP[dtype][name] * (WITHOUT_FMA if target == "x86-64" else 1)
        at = [float(x[worst]) for x in xs]
        assert error[worst] <= bound, f"{name} on {target}: {error[worst]:.2f} ulp at {at}, promised {bound}"
        # a vector's lane and a scalar of the loop's tail give the same bits
        assert run(scalars, name, xs, element).tobytes() == made.tobytes(), name


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
def test_edges(element: t.Type, target: str) -> None:
    """NaN, infinities, zeros with their signs, denormals, overflow and underflow."""
    dtype = t.to_numpy(element).type
    info = np.finfo(dtype)
    small = float(info.smallest_subnormal)
    points = [
        np.nan,
        np.inf,
        -np.inf,
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        2.5,
        -2.5,
        3.0,
        -3.0,
        small,
        -small,
        5 * small,
    ]
    points += [
        float(info.tiny),
        -float(info.tiny),
        float(info.max),
        -float(info.max),
        1e4,
        -1e4,
        88.0,
        -88.0,
        709.0,
        -709.0,
    ]
    edges = np.array(points, dtype)
    kernels = compiled(element, target, 1)
    for name in REFERENCES:
        if name in ("sin", "cos"):
            xs = [edges[~(np.abs(edges) > 1e6) | np.isinf(edges)]]
        elif ARITY.get(name) == 2:
            xs = [x.ravel() for x in np.meshgrid(edges, edges)]
        else:
            xs = [edges]
        made = run(kernels, name, xs, element)
        with np.errstate(all="ignore"):
            expected = exact(name, xs).astype(dtype)
            close = np.isclose(made, expected, rtol=1e-6 if dtype is np.float32 else 1e-12, atol=4 * small)
        kind = (np.isnan(made) == np.isnan(expected)) & (np.isinf(made) == np.isinf(expected))
        sign = np.isnan(expected) | (np.signbit(made) == np.signbit(expected))
        wrong = np.flatnonzero(~((close | np.isnan(expected)) & kind & sign))
        shown = [(*(float(x[i]) for x in xs), "exact", float(expected[i]), "made", float(made[i])) for i in wrong[:5]]
        assert not wrong.size, f"{name} on {target}: {shown}"


@pytest.mark.parametrize("target", TARGETS)
def test_sine_and_cosine_of_anything_are_no_more_than_one(target: str) -> None:
    x = np.exp(np.random.default_rng(9).uniform(0, 88, 4096)).astype(np.float32)
    kernels = compiled(t.f32, target, 16)
    for name in ("sin", "cos"):
        assert (np.abs(run(kernels, name, [x], t.f32)) <= 1).all()


@pytest.mark.parametrize("element", [t.f16, t.bf16], ids=str)
def test_half_precision_is_computed_in_f32(element: t.Type) -> None:
    """The f32 result, rounded once: at most one value away from the exact result rounded."""
    from kcompile.dialects.upstream.elementwise import fit

    bits = np.arange(0, 1 << 16, 7, dtype=np.uint16)
    x = bits.view(np.float16) if element is t.f16 else (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
    x = x[np.isfinite(x)]
    x = x[: len(x) // 16 * 16]
    for target in TARGETS:
        kernels = compiled(element, target, 16)
        for name in ("exp", "tanh", "log1p", "erf"):
            made = run(kernels, name, [x], element).astype(np.float64)
            with np.errstate(all="ignore"):
                expected = np.asarray(
                    fit(exact(name, [x.astype(np.float32)]).astype(np.float32), t.VectorType(x.shape, element))
                )
            expected = expected.astype(np.float64)
            step = 2.0 ** (-10 if element is t.f16 else -7)
            both = np.isfinite(expected) & np.isfinite(made)
            least = 2.0**-24 if element is t.f16 else 2.0**-133
            assert (np.abs(made[both] - expected[both]) <= np.abs(expected[both]) * step + least).all(), (name, target)
            assert (np.isnan(made) == np.isnan(expected)).all(), (name, target)


@pytest.mark.parametrize("exponent", [1.0, -1.0, 2.0, 3.0, 4.0, 0.5, -2.0])
def test_powers_with_a_constant_exponent(exponent: float) -> None:
    x = np.concatenate([np.linspace(-3, 3, 25), [0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30]]).astype(np.float32)
    for target in TARGETS:
        bodies: dict[str, Any] = {"power": ((t.f32,), t.f32, lambda b, v: b.pow(v, exponent))}
        made = run(Compiled(kernel_module(bodies, 8), target), "power", [x], t.f32)
        with np.errstate(all="ignore"):
            expected = np.power(x.astype(np.float64), np.full(x.shape, exponent)).astype(np.float32)
        assert np.allclose(made, expected, rtol=2.0**-22, atol=0, equal_nan=True), target


def test_the_polynomials_are_the_fitted_ones() -> None:
    """The first coefficients are near those of the Taylor series, which a slip of a sign or an index would break."""
    from kcompile.codegen import coefficients as fitted

    assert np.allclose(fitted.EXP[:3], [1 / 2, 1 / 6, 1 / 24], rtol=1e-3)
    assert np.allclose(fitted.LOG[:3], [1 / 3, -1 / 4, 1 / 5], rtol=1e-2)
    assert np.allclose(fitted.ATAN[:3], [-1 / 3, 1 / 5, -1 / 7], rtol=1e-6)
    assert set(RECIPES) >= {f"math.{n}" for n in ("exp", "log", "tanh", "erf", "sin", "cos")}
