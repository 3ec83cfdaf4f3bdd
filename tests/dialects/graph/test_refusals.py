"""Wrong operands and attributes: each is refused with a sentence that says what was received."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import IRError, KcompileError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.location import Location
from kcompile.ir.types import TensorType, Type

H = symbol("h")
CONV = {
    "strides": (1, 1), "padding_low": (0, 0), "padding_high": (0, 0), "lhs_dilation": (1, 1), "rhs_dilation": (1, 1),
    "lhs_spec": (0, 3, 1, 2), "rhs_spec": (3, 2, 0, 1), "out_spec": (0, 3, 1, 2),
}  # fmt: skip
POOL = {"window": (2, 2), "strides": (2, 2), "padding_low": (0, 0), "padding_high": (0, 0), "kind": "max"}
DOT = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}


def of(*shape: Any, element: Type = t.f32) -> TensorType:
    return TensorType(shape, element)


# op, operand types, attributes, a part of the message
REFUSED: list[tuple[str, list[Type], dict[str, Any], str]] = [
    ("add", [of(2), of(3)], {}, "operands need one type. Received: tensor<2xf32> and tensor<3xf32>"),
    ("add", [of(2), of(2, element=t.f64)], {}, "operands need one type"),
    ("add", [of(2, element=t.i1)] * 2, {}, "needs numbers. Received: tensor<2xi1>; convert it first"),
    ("add", [t.f32, t.f32], {}, "needs a tensor. Received: f32"),
    ("add", [of(2)], {}, "takes 2 operands. Received: 1"),
    ("exp", [of(2, element=t.i32)], {}, "needs floats. Received: tensor<2xi32>"),
    ("abs", [of(2, element=t.ui8)], {}, "needs numbers with a sign"),
    ("not", [of(2)], {}, "needs integers or truth values"),
    ("shl", [of(2, element=t.i1)] * 2, {}, "needs integers"),
    ("compare", [of(2)] * 2, {"direction": "<"}, "'direction' is one of eq, ne, lt, le, gt, ge. Received: '<'"),
    ("select", [of(2), of(2), of(2)], {}, "needs truth values (i1) to choose by"),
    ("select", [of(3, element=t.i1), of(2), of(2)], {}, "needs a predicate of the shape of the values"),
    ("bitcast", [of(2)], {"dtype": t.i64}, "needs a dtype of 32 bits"),
    ("convert", [of(2)], {"dtype": t.index, "wrong": 1}, "takes no attribute 'wrong'"),
    ("reduce", [of(2)], {"kind": "add"}, "needs the attribute 'axes'"),
    ("reduce", [of(2)], {"kind": "add", "axes": (1,)}, "different axes from 0 to 0. Received: (1,)"),
    ("reduce", [of(2, 3)], {"kind": "add", "axes": (-1,)}, "different axes from 0 to 1. Received: (-1,)"),
    ("reduce", [of(2, 3)], {"kind": "mean", "axes": (1,)}, "'kind' is one of add, mul, max, min, and, or"),
    ("reduce", [of(2, 3, element=t.i1)], {"kind": "add", "axes": (1,)}, "needs numbers"),
    ("arg_reduce", [of(0)], {"kind": "max", "axis": 0, "dtype": t.i32}, "the axis is empty"),
    ("iota", [], {"shape": (2,), "axis": 1, "dtype": t.f32}, "'axis' is from 0 to 0"),
    ("rng_bits", [of(2)], {"shape": (2,)}, "needs a key of type tensor<2xui32>"),
    ("reshape", [of(2, 3)], {"shape": (5,)}, "cannot reshape tensor<2x3xf32> (6 elements) to (5,) (5 elements)"),
    ("reshape", [of(H, 3)], {"shape": (3,)}, "(3*h elements)"),
    ("transpose", [of(2, 3)], {"permutation": (0, 0)}, "different axes"),
    ("broadcast_in_dim", [of(3)], {"shape": (2, 4), "dims": (1,)}, "an operand dim is 1 or the result's dim"),
    ("slice", [of(3)], {"start": (1,), "limit": (4,), "strides": (1,)}, "needs start <= limit <= size"),
    ("slice", [of(3)], {"start": (1,), "limit": (3,), "strides": (0,)}, "'strides' needs entries of 1 or more"),
    ("slice", [of(H)], {"start": (0,), "limit": (H,), "strides": (2,)}, "give that axis a fixed size"),
    ("pad", [of(3), of()], {"low": (-2,), "high": (-2,), "interior": (0,)}, "crops more than there is"),
    ("pad", [of(3), of(1)], {"low": (0,), "high": (0,), "interior": (0,)}, "pads with a scalar"),
    ("concatenate", [of(2, 3), of(3, 3)], {"axis": 1}, "operands differ outside of axis 1"),
    ("concatenate", [], {"axis": 0}, "operands. Received: 0"),
    ("dot_general", [of(2, 3), of(4, 5)], DOT, "the contract axes need equal sizes"),
    ("dot_general", [of(2, 3), of(3, 5, element=t.f64)], DOT, "operands need one element type"),
    ("convolution", [of(1, 8, 8, 3), of(3, 3, 4, 8)], CONV, "the input has 3 features; the kernel takes 4"),
    ("convolution", [of(1, 8, 8, 4), of(3, 3, 2, 5)], {**CONV, "feature_groups": 2}, "features of 5 cannot be cut"),
    ("convolution", [of(1, 8, 8, 3), of(3, 3, 3, 8)], {**CONV, "batch_groups": 2}, "batch of 1 cannot be cut"),
    ("convolution", [of(1, H, 8, 3), of(3, 3, 3, 8)], {**CONV, "strides": (2, 1)}, "a row of h cannot be cut"),
    ("convolution", [of(1, 8, 8, 3), of(3, 3, 8)], CONV, "needs operands of one rank"),
    ("convolution", [of(1, 8, 8, 3), of(3, 3, 3, 8)], {**CONV, "strides": (1,)}, "'strides' needs 2 entries"),
    ("reduce_window", [of(4, 4)], {**POOL, "kind": "mul"}, "'kind' is one of add, max, min"),
    ("reduce_window", [of(4, 4)], {**POOL, "window": (2,)}, "'window' needs 2 entries"),
    ("reduce_window_grad", [of(4, 4), of(4, 4)], POOL, "needs a cotangent of type tensor<2x2xf32>"),
    ("gather", [of(4, 3), of(2, 1)], {"axes": (0,)}, "needs signed integer indices [.., 1]"),
    ("gather", [of(4, 3), of(2, 1, element=t.ui8)], {"axes": (0,)}, "needs numbers with a sign"),
    ("gather", [of(4, 3), of(2, 2, element=t.i32)], {"axes": (0,)}, "indices [.., 1], a coordinate for each of"),
    ("gather", [of(4, 3), of(2, 1, element=t.i32)], {"axes": (2,)}, "different axes from 0 to 1. Received: (2,)"),
    ("gather", [of(4, 3), of(2, 1, element=t.i32)], {"axes": (1,), "batch_axes": (0,)}, "the leading dims of the"),
    ("gather", [of(0, 3), of(2, 1, element=t.i32)], {"axes": (0,)}, "nothing at any index of an axis of size 0"),
    ("scatter", [of(4, 3), of(2, 1, element=t.i32), of(2, 4)], {"axes": (0,), "kind": "add"}, "of type tensor<2x3"),
    ("scatter", [of(4), of(2, 1, element=t.i32), of(2)], {"axes": (0,), "kind": "sub"}, "'kind' is one of set, add"),
    ("scatter", [of(4, element=t.ui8), of(2, 1, element=t.i32), of(2, element=t.ui8)], {"axes": (0,), "kind": "max"},
     "needs numbers with a sign"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "types", "attributes", "message"), REFUSED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_refused(name: str, types: list[Type], attributes: dict[str, Any], message: str) -> None:
    b = GraphBuilder.function("main", types)
    b.location = Location("model/layer")
    with pytest.raises(KcompileError, match=re.escape(message)) as caught:
        b.create(f"graph.{name}", b.block.arguments, attributes)
    assert caught.value.where == 'loc("model/layer")'
    assert f"graph.{name}" in str(caught.value)
    assert not list(b.block.ops)


def test_shape_errors_are_value_errors() -> None:
    b = GraphBuilder.function("main", [of(2), of(3)])
    with pytest.raises(ShapeError) as caught:
        b.add(*b.block.arguments)
    assert isinstance(caught.value, ValueError)


def test_numbers_become_constants_of_the_operand() -> None:
    b = GraphBuilder.function("main", [of(2, 3), of(2, 3, element=t.i32), of(2, 3, element=t.i1)])
    x, i, p = b.block.arguments
    assert b.sub(1.0, x).type is x.type and b.add(i, 2).type is i.type
    assert b.select(p, x, 0.0).type is x.type and b.select(p, 0.0, x).type is x.type
    assert b.pad(x, 0.0, low=(0, 0), high=(0, 1), interior=(0, 0)).type is of(2, 4)
    with pytest.raises(IRError, match=r"holds -2147483648..2147483647. Received: 4294967296"):
        b.add(i, 2**32)
    with pytest.raises(IRError, match="at least one tensor operand"):
        b.add(1.0, 2.0)
    with pytest.raises(AttributeError, match=r"no operation graph\.swish"):
        b.swish(x)


def test_a_fraction_does_not_become_an_integer_silently() -> None:
    b = GraphBuilder.function("main", [of(2, element=t.i32)])
    with pytest.raises(IRError, match=r"holds whole numbers. Received: 0\.5"):
        b.add(b.argument(0), 0.5)
    assert np.array_equal(b.constant([1, 2]).defining_op["value"], [1, 2])
