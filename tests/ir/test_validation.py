"""Translation validation finds what differs, and lets pass what may differ."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType, Type, bf16, c64, f32, i1, i32, ui8
from kcompile.ir.validation import compare_arrays, compare_modules, random_array, symbol_sizes

b = symbol("b")
X = TensorType((b, 4), f32)


def module(of: str, name: str = "main") -> Operation:
    g = GraphBuilder.function(name, [X])
    a = g.argument(0)
    g.ret(eval(of, {"g": g, "a": a}))
    return g.module


def test_equal_meanings_agree_and_others_are_told() -> None:
    assert compare_modules(module("g.add(a, a)"), module("g.mul(a, 2.0)"), exact=True) is None
    difference = compare_modules(module("g.add(a, a)"), module("g.mul(a, 3.0)"))
    assert difference is not None
    assert difference.startswith("@main: result 0 differs in 12 of 12 elements, at (0, 0): ")


def test_rounding_is_allowed_unless_the_pass_is_exact() -> None:
    one, other = module("g.sub(g.add(a, 0.1), 0.3)"), module("g.add(a, -0.2)")
    assert compare_modules(one, other) is None
    assert compare_modules(one, other, exact=True) is not None


def test_main_has_to_stay_and_other_functions_may_go() -> None:
    assert compare_modules(module("g.neg(a)"), module("g.neg(a)", "other")) == "@main is gone"
    assert compare_modules(module("g.neg(a)", "other"), module("g.neg(a)", "another")) is None
    assert compare_modules(module("g.neg(a)", "other"), module("g.exp(a)", "other")) is not None


def test_prepared_weights_are_computed_before_the_comparison() -> None:
    def build(prepared: bool) -> Operation:
        weight, row = TensorType((4,), f32), TensorType((b, 4), f32)
        g = GraphBuilder.function("main", [weight, row])
        w = g.argument(0)
        w = w if prepared else g.exp(w)
        function = g.ret(g.add(g.argument(1), g.broadcast_in_dim(w, shape=(b, 4), dims=(1,))))
        first = {"kernel.prepared": 0} if prepared else {"kernel.name": "w", "kernel.role": "weight"}
        function["arg_attrs"] = (first, {"kernel.name": "x", "kernel.role": "input"})
        if prepared:
            p = GraphBuilder.function("prepare", [weight], g.module)
            p.ret(p.exp(p.argument(0)))["arg_attrs"] = ({"kernel.name": "w"},)
        return g.module

    assert compare_modules(build(False), build(True), exact=True) is None
    assert compare_modules(build(True), build(True), exact=True) is None
    wrong = build(True)
    next(op for op in wrong.walk() if op.name == "graph.exp").replace_by(
        [next(op for op in wrong.walk() if op.get("sym_name") == "prepare").body.arguments[0]]
    )
    assert compare_modules(build(False), wrong) is not None
    assert compare_modules(build(True), wrong) is not None


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (np.float32([1, np.nan]), np.float32([1, np.nan]), True),
        (np.float32([1, np.nan]), np.float32([1, 2]), False),
        (np.float32([1, np.inf]), np.float32([1, np.inf]), True),
        (np.float32([1, np.inf]), np.float32([1, -np.inf]), False),
        (np.float32([1e6, 1]), np.float32([1e6, 1.001]), True),  # small beside the tensor's largest
        (np.float32([1, 1]), np.float32([1, 1.001]), False),
        (np.int32([1]), np.int32([2]), False),
        (np.int32([1]), np.int64([1]), False),
        (np.float32([[1]]), np.float32([1]), False),
        (np.empty(0, np.float32), np.empty(0, np.float32), True),
    ],
)
def test_arrays(old: np.ndarray, new: np.ndarray, same: bool) -> None:
    assert (compare_arrays([old], [new]) is None) is same


@pytest.mark.parametrize("type", [X, TensorType((3, 2 * b), i32), TensorType((), i1), TensorType((b,), ui8)])
def test_random_arguments_have_their_type(type: Type) -> None:
    array = random_array(type, symbol_sizes([type]), np.random.default_rng(0))
    assert array.shape == tuple(3 if d is b else 6 if d is 2 * b else d for d in type.shape)  # type: ignore[attr-defined]


def test_random_bf16_and_complex() -> None:
    rng = np.random.default_rng(0)
    values = random_array(TensorType((50,), bf16), {}, rng)
    assert not (values.view(np.uint32) & 0xFFFF).any()
    assert random_array(TensorType((2,), c64), {}, rng).dtype == np.complex64
