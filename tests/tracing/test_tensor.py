"""Tensors behave as NumPy arrays do: operators, broadcasting, indexing; dtypes follow Keras."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kcompile.errors import IRError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.interpreter import interpret
from kcompile.tracing import EagerTensor, TensorSpec, convert, trace_function
from kcompile.tracing.bind import bind
from kcompile.tracing.dtypes import ELEMENTS, result_type

FLOATS = npst.arrays(
    np.float32, npst.array_shapes(min_dims=0, max_dims=3, max_side=4), elements=st.floats(-8, 8, width=32)
)
OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.lt,
    operator.ge,
    operator.eq,
    operator.ne,
]


@st.composite
def broadcasting(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    shapes = draw(npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4))
    values = st.floats(-8, 8, width=32).filter(lambda v: abs(v) > 1e-3)
    x, y = (draw(npst.arrays(np.float32, s, elements=values)) for s in shapes.input_shapes)
    return x, y


@pytest.mark.parametrize("op", OPERATORS, ids=lambda f: f.__name__)
@given(pair=broadcasting())
@settings(max_examples=25)
def test_operators_are_those_of_numpy(op: Any, pair: Any) -> None:
    x, y = pair
    expected = op(x, y)
    for result in (op(EagerTensor(x), EagerTensor(y)), op(EagerTensor(x), y), op(x, EagerTensor(y))):
        assert isinstance(result, EagerTensor)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)
        assert result.numpy().dtype == expected.dtype


@given(x=npst.arrays(np.int32, 5, elements=st.integers(-20, 20)), n=st.integers(-7, 7).filter(bool))
@settings(max_examples=50)
def test_integer_division_rounds_down(x: Any, n: int) -> None:
    np.testing.assert_array_equal((EagerTensor(x) // n).numpy(), x // n)
    np.testing.assert_array_equal((EagerTensor(x) % n).numpy(), x % n)
    np.testing.assert_array_equal((n * EagerTensor(x) - 3).numpy(), n * x - 3)


@given(data=st.data(), x=FLOATS.filter(lambda a: a.ndim > 0))
@settings(max_examples=100)
def test_basic_indexing_is_that_of_numpy(data: Any, x: Any) -> None:
    key = data.draw(npst.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    np.testing.assert_array_equal(convert(x)[key].numpy(), x[key])


@given(data=st.data(), x=FLOATS.filter(lambda a: a.ndim > 0))
@settings(max_examples=30)
def test_traced_indexing_is_eager_indexing(data: Any, x: Any) -> None:
    key = data.draw(npst.basic_indices(x.shape, allow_newaxis=True))
    traced = trace_function(lambda v: v[key] + 0.0, [TensorSpec(x.shape, "float32")])
    np.testing.assert_array_equal(interpret(traced.module, "main", [x])[0], x[key])


def test_indexing_mistakes() -> None:
    x = EagerTensor(np.zeros((2, 3), np.float32))
    with pytest.raises(ShapeError, match="out of range"):
        x[2]
    with pytest.raises(ShapeError, match="too many"):
        x[0, 0, 0]
    with pytest.raises(ShapeError, match="one '...'"):
        x[..., ...]


def test_python_numbers_are_weak() -> None:
    assert (EagerTensor(np.zeros(2, np.float16)) + 1.5).dtype == "float16"
    assert (EagerTensor(np.zeros(2, np.int8)) + 1).dtype == "int8"
    assert (EagerTensor(np.zeros(2, np.int32)) + 1.5).dtype == "float32"
    assert (EagerTensor(np.zeros(2, bool)) + 1).dtype == "int32"
    assert (EagerTensor(np.zeros(2, np.int32)) / 2).dtype == "float32"


@given(st.lists(st.sampled_from([*ELEMENTS, int, float]), min_size=1, max_size=4))
@settings(max_examples=200)
def test_promotion_has_no_order(dtypes: list[Any]) -> None:
    joined = result_type(*dtypes)
    assert result_type(*reversed(dtypes)) == joined
    assert result_type(joined, *dtypes) == joined


def test_bfloat16_values_are_rounded() -> None:
    x = EagerTensor(np.array([1.0, 1.00390625, 1.01171875, np.inf, np.nan], np.float32), "bfloat16")
    np.testing.assert_array_equal(x.numpy(), np.array([1.0, 1.0, 1.015625, np.inf, np.nan], np.float32))
    y = EagerTensor(np.ones(1), "bfloat16") + EagerTensor(np.full(1, 0.001), "bfloat16")
    assert y.dtype == "bfloat16" and y.numpy()[0] == 1.0


def test_conversion() -> None:
    assert convert([1.0, 2.0]).dtype == "float32" and convert([1, 2]).dtype == "int32" and convert(True).dtype == "bool"
    assert convert(2**40).dtype == "int64"
    assert convert([convert(1.0), convert(2)]).dtype == "float32"
    assert convert(np.zeros(2)).dtype == "float64"
    with pytest.raises(ShapeError, match="regular shape"):
        convert([[1, 2], [3]])
    with pytest.raises((IRError, UnsupportedError)):
        convert(np.zeros(2, np.complex128))


def test_mismatch_names_the_axis() -> None:
    with pytest.raises(ShapeError, match=r"sizes 3 and 4.*\(2, 3\) and \(2, 4\)"):
        EagerTensor(np.zeros((2, 3), np.float32)) + np.zeros((2, 4), np.float32)


def test_scalars_convert_to_python() -> None:
    x = EagerTensor(np.float32(2.5))
    assert float(x) == 2.5 and int(x) == 2 and bool(x) and f"{x:.2f}" == "2.50" and x.item() == 2.5
    assert [float(v) for v in EagerTensor(np.arange(3.0))] == [0, 1, 2]
    assert len(EagerTensor(np.zeros((4, 2)))) == 4


def test_bind_checks_types() -> None:
    with pytest.raises(IRError, match="graph.and"):
        bind("and", EagerTensor(np.zeros(2, np.float32)), EagerTensor(np.zeros(2, np.float32)))
    with pytest.raises(IRError, match="no operation graph.nothing"):
        bind("nothing", EagerTensor(np.zeros(2)))
    assert bind("add", EagerTensor(np.ones(2)), EagerTensor(np.ones(2))).element is t.f64
