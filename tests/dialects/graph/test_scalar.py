"""The scalar body of each elementwise operation, run by the interpreter, is the operation."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph.dialect import signless
from kcompile.dialects.graph.sampling import Case
from kcompile.dialects.graph.tolerance import mismatch
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.definition import Definition, definitions, lookup
from kcompile.ir.interpreter import interpret, round_bf16
from kcompile.ir.types import FunctionType, VectorType

ELEMENTWISE = [op for op in definitions("graph") if "elementwise" in op.traits]
CORNERS = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 0.5, 2.5, -127.5, 255.5, 65504.0]


def run_body(op: Definition, case: Case) -> np.ndarray:
    """The body on vectors of all elements."""
    count = case.arrays[0].size
    types = [VectorType((count,), signless(x.element)) for x in case.types]
    b = LoopBuilder.function("main", types)
    result = op.scalar(b, *b.block.arguments, **case.attributes, unsigned=t.is_unsigned(case.types[0]))
    b.create("func.return", [result], None, ())
    function = b.block.parent_op
    assert function is not None and function.parent_op is not None
    function["function_type"] = FunctionType(tuple(types), (result.type,))
    arrays = [as_signless(a.reshape(-1)) for a in case.arrays]
    (made,) = interpret(function.parent_op, "main", arrays)
    return made


def as_signless(array: np.ndarray) -> np.ndarray:
    return array.view(f"i{array.dtype.itemsize}") if array.dtype.kind == "u" else array


def check(op: Definition, case: Case) -> None:
    inferred = op.infer(*case.types, **case.attributes)
    expected = op.reference(*case.arrays, **case.attributes)
    if inferred.element is t.bf16:
        expected = round_bf16(expected)
    made = run_body(op, case).view(expected.dtype) if expected.dtype.kind == "u" else run_body(op, case)
    arrays = [a.reshape(-1) for a in case.arrays]
    message = mismatch(op, arrays, case.attributes, made, expected.reshape(-1), inferred.element)
    assert message is None, f"{op.name} of {case}: {message}"


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda d: d.name)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), which=st.integers(0, 20))
def test_the_body_is_the_reference(op: Definition, seed: int, which: int) -> None:
    rng = np.random.default_rng([seed, zlib.crc32(op.name.encode())])
    case = op.samples.draw(rng, op.samples.elements[which % len(op.samples.elements)])
    if case.arrays[0].size:
        check(op, case)


@pytest.mark.parametrize(
    "name", ["sign", "floor", "ceil", "round_even", "is_finite", "abs", "neg", "logistic", "max", "min"]
)
@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
def test_corner_values(name: str, element: t.Type) -> None:
    op = lookup(f"graph.{name}")
    assert op is not None
    x, y = (a.ravel().astype(t.to_numpy(element)) for a in np.meshgrid(CORNERS, CORNERS))
    arrays = [x, y][: len(op.ins)]
    check(op, Case(arrays, [t.TensorType(a.shape, element) for a in arrays]))


@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
@pytest.mark.parametrize("target", [t.i8, t.ui8, t.i16, t.i32, t.ui32, t.i64, t.ui64, t.i1], ids=str)
def test_floats_stop_at_the_ends_of_an_integer_type(element: t.Type, target: t.Type) -> None:
    op = lookup("graph.convert")
    assert op is not None
    x = np.array(CORNERS, t.to_numpy(element))
    ends = [float(2**n) * s for n in (7, 8, 15, 31, 32, 63, 64) for s in (1.0, -1.0)]
    x = np.concatenate([x, np.array(ends, x.dtype), np.nextafter(np.array(ends, x.dtype), x.dtype.type(0))])
    check(op, Case([x], [t.TensorType(x.shape, element)], {"dtype": target}))
    if target is t.i8:
        made = op.reference(np.array([np.nan, np.inf, -np.inf, 127.9, -128.9]), dtype=target)
        assert made.tolist() == [0, 127, -128, 127, -128]


@pytest.mark.parametrize("name", ["div", "rem", "pow", "shl", "shr_arith", "shr_logical"])
@pytest.mark.parametrize("element", [t.i8, t.ui8, t.i32, t.ui32, t.i64], ids=str)
def test_integer_corners(name: str, element: t.Type) -> None:
    """Zero divisors, the least integer by -1, shifts past the width: all have one meaning, and no machine trap."""
    op = lookup(f"graph.{name}")
    assert op is not None
    info = np.iinfo(t.to_numpy(element))
    numbers = np.unique(
        np.array([info.min, info.max, 0, 1, 2, 3, 7, 8, 31, 32, 33, info.max // 3, max(info.min, -1)]).clip(
            info.min, info.max
        )
    )
    x, y = (a.ravel().astype(info.dtype) for a in np.meshgrid(numbers, numbers))
    check(op, Case([x, y], [t.TensorType(x.shape, element)] * 2))


def test_division_by_zero_and_overflow_have_their_values() -> None:
    div, rem = lookup("graph.div"), lookup("graph.rem")
    assert div is not None and rem is not None
    x, y = np.array([7, -7, -128, 7, -7], np.int8), np.array([0, 2, -1, -2, 0], np.int8)
    assert div.reference(x, y).tolist() == [-1, -3, -128, -3, -1]
    assert rem.reference(x, y).tolist() == [7, -1, 0, 1, -7]


def test_random_bits_are_the_same_in_the_body() -> None:
    op = lookup("graph.rng_bits")
    assert op is not None
    key = np.array([0x12345678, 0xFEDCBA98], np.uint32)
    vector = VectorType((16,), t.i32)
    b = LoopBuilder.function("main", [vector] * 3)
    result = op.scalar(b, *b.block.arguments)
    b.create("func.return", [result], None, ())
    function = b.block.parent_op
    assert function is not None and function.parent_op is not None
    function["function_type"] = FunctionType((vector,) * 3, (vector,))
    words = [np.full(16, k, np.uint32).view(np.int32) for k in key]
    (made,) = interpret(function.parent_op, "main", [*words, np.arange(16, dtype=np.int32)])
    assert np.array_equal(made.view(np.uint32), op.reference(key, shape=(16,)))
