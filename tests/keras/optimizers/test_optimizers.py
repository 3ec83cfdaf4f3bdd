"""Optimizers against their formulas in float64 NumPy, clipping, decay, schedules and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.keras import Variable, optimizers
from kcompile.keras.optimizers import schedules

Array = np.ndarray[Any, Any]
State = dict[str, Any]


def sgd(w: Array, g: Array, s: State, t: int) -> Array:
    return w - 0.1 * g


def momentum(w: Array, g: Array, s: State, t: int) -> Array:
    s["m"] = 0.9 * s.get("m", 0) - 0.1 * g
    return w + s["m"]


def nesterov(w: Array, g: Array, s: State, t: int) -> Array:
    s["m"] = 0.9 * s.get("m", 0) - 0.1 * g
    return w + 0.9 * s["m"] - 0.1 * g


def adam(w: Array, g: Array, s: State, t: int) -> Array:
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g * g
    m, v = s["m"] / (1 - 0.9**t), s["v"] / (1 - 0.999**t)
    return w - 0.1 * m / (np.sqrt(v) + 1e-7 / math.sqrt(1 - 0.999**t))


def adamw(w: Array, g: Array, s: State, t: int) -> Array:
    return adam(w * (1 - 0.1 * 0.004), g, s, t)


def rmsprop(w: Array, g: Array, s: State, t: int) -> Array:
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g * g
    return w - 0.1 * g / np.sqrt(s["v"] + 1e-7)


def adagrad(w: Array, g: Array, s: State, t: int) -> Array:
    s["a"] = s.get("a", 0.1) + g * g
    return w - 0.1 * g / np.sqrt(s["a"] + 1e-7)


FORMULAS: dict[str, tuple[Callable[[], Any], Callable[..., Array]]] = {
    "sgd": (lambda: optimizers.SGD(0.1), sgd),
    "momentum": (lambda: optimizers.SGD(0.1, momentum=0.9), momentum),
    "nesterov": (lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True), nesterov),
    "adam": (lambda: optimizers.Adam(0.1), adam),
    "adamw": (lambda: optimizers.AdamW(0.1), adamw),
    "rmsprop": (lambda: optimizers.RMSprop(0.1), rmsprop),
    "adagrad": (lambda: optimizers.Adagrad(0.1), adagrad),
}
ALL = [c for c in (optimizers.Adadelta, optimizers.Adagrad, optimizers.Adam, optimizers.AdamW, optimizers.Adamax,
                   optimizers.Nadam, optimizers.RMSprop, optimizers.SGD)]  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), steps=st.integers(1, 6))
def test_equals_its_formula(name: str, seed: int, steps: int) -> None:
    make, formula = FORMULAS[name]
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=s) for s in ((3,), (2, 2))]
    variables = [Variable(a.astype(np.float32), name=n) for a, n in zip(start, "vw")]
    expected, states = [v.numpy().astype(np.float64) for v in variables], [{}, {}]
    optimizer = make()
    for t in range(1, steps + 1):
        gradients = [rng.normal(size=v.shape).astype(np.float32) for v in variables]
        optimizer.apply(gradients, variables)
        expected = [formula(w, g.astype(np.float64), s, t) for w, g, s in zip(expected, gradients, states)]
    assert int(optimizer.iterations) == steps
    for variable, value in zip(variables, expected):
        # In float32, 1 - 0.999^t loses up to 1e-3 / 2^-24 = 6e-5 of itself: at most that part of each step (0.1).
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5, atol=6e-5 * 0.1 * steps)


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
def test_goes_down_a_bowl(cls: Any) -> None:
    """From any optimizer, w^2 falls."""
    w = Variable(np.array([2.0, -1.5], np.float32), name="w")
    optimizer = cls(learning_rate=0.05)
    for _ in range(30):
        optimizer.apply_gradients([(2 * w.numpy(), w)])
    assert (np.abs(w.numpy()) < [2.0, 1.5]).all()


def clipped(gradients: list[Array], **limit: float) -> list[Array]:
    """The steps that SGD at rate 1 takes."""
    variables = [Variable(np.zeros(g.shape, np.float32), name=f"v{i}") for i, g in enumerate(gradients)]
    optimizers.SGD(1.0, **limit).apply(gradients, variables)
    return [-v.numpy() for v in variables]


@given(seed=st.integers(0, 2**16), limit=st.floats(0.1, 10))
@settings(max_examples=30)
def test_clipping(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    gradients = [rng.normal(size=s).astype(np.float32) for s in ((4,), (2, 3))]
    norms = [np.linalg.norm(g) for g in gradients]
    whole = math.sqrt(sum(n**2 for n in norms))
    for got, g, n in zip(clipped(gradients, clipnorm=limit), gradients, norms):
        np.testing.assert_allclose(got, g * min(1, limit / n), rtol=1e-5)
    for got, g in zip(clipped(gradients, global_clipnorm=limit), gradients):
        np.testing.assert_allclose(got, g * min(1, limit / whole), rtol=1e-5)
    for got, g in zip(clipped(gradients, clipvalue=limit), gradients):
        np.testing.assert_allclose(got, np.clip(g, -limit, limit), rtol=1e-6)


def test_clipping_a_gradient_of_zero_is_no_nan() -> None:
    zero = [np.zeros(3, np.float32)]
    for limit in ("clipnorm", "global_clipnorm", "clipvalue"):
        assert (clipped(zero, **{limit: 1.0})[0] == 0).all()


def test_weight_decay_leaves_excluded_variables_alone() -> None:
    kernel, bias = (Variable(np.ones(2, np.float32), name=n) for n in ("kernel", "bias"))
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros(2, np.float32)] * 2, [kernel, bias])
    np.testing.assert_allclose(kernel.numpy(), 1 - 0.5 * 0.1)
    np.testing.assert_array_equal(bias.numpy(), 1)


SCHEDULES: dict[str, tuple[Any, Callable[[float], float]]] = {
    "exponential": (schedules.ExponentialDecay(0.1, 4, 0.5), lambda t: 0.1 * 0.5 ** (t / 4)),
    "staircase": (schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True), lambda t: 0.1 * 0.5 ** (t // 4)),
    "cosine": (
        schedules.CosineDecay(0.1, 10, alpha=0.2),
        lambda t: 0.1 * (0.8 * 0.5 * (1 + math.cos(math.pi * min(t, 10) / 10)) + 0.2),
    ),
    "warmup": (
        schedules.CosineDecay(0.0, 10, warmup_target=0.3, warmup_steps=5),
        lambda t: 0.3 * t / 5 if t < 5 else 0.3 * 0.5 * (1 + math.cos(math.pi * min(t - 5, 10) / 10)),
    ),
    "piecewise": (
        schedules.PiecewiseConstantDecay([3, 6], [1.0, 0.5, 0.1]),
        lambda t: 1.0 if t <= 3 else 0.5 if t <= 6 else 0.1,
    ),
    "polynomial": (schedules.PolynomialDecay(1.0, 8, 0.2, power=2.0), lambda t: 0.8 * (1 - min(t, 8) / 8) ** 2 + 0.2),
    "inverse": (schedules.InverseTimeDecay(1.0, 2, 0.5), lambda t: 1 / (1 + 0.5 * t / 2)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    schedule, formula = SCHEDULES[name]
    for t in range(20):
        assert float(schedule(t)) == pytest.approx(formula(t), rel=1e-5, abs=1e-7)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()


def test_an_optimizer_follows_its_schedule() -> None:
    w = Variable(np.zeros((), np.float32), name="w")
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([1], [1.0, 0.25]))
    for _ in range(3):
        optimizer.apply([np.float32(1)], [w])
    assert float(w) == -2.25
    assert [v.name for v in optimizer.variables] == ["iteration"]
    with pytest.raises(ArgumentError, match="follows a schedule"):
        optimizer.learning_rate = 0.1


def test_the_learning_rate_can_be_set_between_steps() -> None:
    w = Variable(np.zeros((), np.float32), name="w")
    optimizer = optimizers.SGD(1.0)
    optimizer.apply([np.float32(1)], [w])
    optimizer.learning_rate = 0.5
    optimizer.apply([np.float32(1)], [w])
    assert float(w) == -1.5 and float(optimizer.learning_rate) == 0.5


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
def test_config_round_trip(cls: Any) -> None:
    one = cls(learning_rate=0.25, clipnorm=2.0, name="mine")
    data = optimizers.serialize(one)
    assert (data["module"], data["class_name"]) == ("keras.optimizers", cls.__name__)
    again = optimizers.deserialize(data)
    assert type(again) is cls and again.get_config() == one.get_config()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "fast", None])
def test_a_rate_that_is_no_finite_number_is_refused(bad: Any) -> None:
    with pytest.raises(ArgumentError, match="SGD needs a finite learning_rate.*Received"):
        optimizers.SGD(bad)


@pytest.mark.parametrize("arguments", [
    {"beta_1": math.nan}, {"epsilon": math.inf}, {"beta_2": 1.5}, {"clipnorm": 0.0}, {"weight_decay": math.nan},
    {"clipvalue": -1.0},
])  # fmt: skip
def test_other_hyperparameters_are_checked_too(arguments: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        optimizers.Adam(**arguments)


def test_refusals() -> None:
    w, z = (Variable(np.zeros(2, np.float32), name=n) for n in "wz")
    with pytest.raises(ArgumentError, match="only one of clipnorm"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ArgumentError, match="does not take lr"):
        optimizers.SGD(lr=0.1)
    with pytest.raises(UnsupportedError, match="use_ema"):
        optimizers.SGD(use_ema=True)
    with pytest.raises(ArgumentError, match="'adamm'"):
        optimizers.get("adamm")
    optimizer = optimizers.Adam()
    optimizer.apply([np.ones(2, np.float32)], [w])
    with pytest.raises(ArgumentError, match="built for other variables"):
        optimizer.apply([np.ones(2, np.float32)], [z])
    with pytest.raises(ArgumentError, match="no gradient"):
        optimizers.SGD().apply([None], [w])
    with pytest.raises(ArgumentError, match="decay_steps=0"):
        schedules.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ArgumentError, match="finite"):
        schedules.CosineDecay(math.nan, 3)
