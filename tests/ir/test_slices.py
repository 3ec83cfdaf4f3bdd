"""What a value is made of."""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.slices import backward_slice
from kcompile.ir.types import TensorType


def test_a_slice_goes_back_through_the_operations_it_takes() -> None:
    b = GraphBuilder.function("main", [TensorType((3,), t.f32)] * 2)
    x, other = b.block.arguments
    e = b.exp(x)
    y = b.add(e, b.mul(e, x))
    b.ret(y, other)
    product = y.defining_op.operands[1]
    assert backward_slice([y]) == {y, e, product, x}
    assert backward_slice([y, other], lambda op: op.name == "graph.add") == {y, e, product, other}
    assert backward_slice([]) == set()
