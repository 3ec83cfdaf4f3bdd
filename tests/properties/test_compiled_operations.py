"""Each operation, compiled, is its reference: every element type, odd sizes, empty tensors."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.sampling import Case
from kcompile.dialects.graph.tolerance import mismatch
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.definition import Definition, definitions
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import round_bf16
from kcompile.ir.types import TensorType
from tests.properties.compiled import run_compiled
from tests.properties.effort import examples

OPS = definitions("graph")


def module_of(op: Definition, case: Case) -> Operation:
    """@main of the one operation. bf16, which NumPy lacks, comes and goes as f32."""
    b = GraphBuilder.function("main", [t.with_element(x, t.f32) if x.element is t.bf16 else x for x in case.types])
    operands: list[Value] = [
        b.convert(v, dtype=t.bf16) if x.element is t.bf16 else v for v, x in zip(b.block.arguments, case.types)
    ]
    result = b.create(op.name, operands, case.attributes).result
    b.ret(b.convert(result, dtype=t.f32) if t.element_of(result.type) is t.bf16 else result)
    return b.module


@pytest.mark.parametrize("op", OPS, ids=lambda d: d.name.removeprefix("graph."))
@examples(12)
@given(seed=st.integers(0, 2**32 - 1), which=st.integers(0, 20))
def test_compiled_is_the_reference(op: Definition, seed: int, which: int) -> None:
    rng = np.random.default_rng([seed, zlib.crc32(op.name.encode())])
    case = op.samples.draw(rng, op.samples.elements[which % len(op.samples.elements)])
    inferred = op.infer(*case.types, **case.attributes)
    expected = op.reference(*case.arrays, **case.attributes)
    if inferred.element is t.bf16:
        expected = round_bf16(expected)
    (made,) = run_compiled(module_of(op, case), case.arrays)
    message = mismatch(op, case.arrays, case.attributes, made, expected, inferred.element)
    assert message is None, f"{op.name} of {case}: {message}"


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("columns", [1, 5, 37])
def test_nothing_is_read_or_written_where_an_axis_is_empty(rows: int, columns: int) -> None:
    """An axis of symbolic size, indexed by constants: all indices are outside when it has no elements."""
    b = GraphBuilder.function("main", [TensorType((symbol("n"), columns), t.f32)])
    x = b.argument(0)
    places = b.constant([[2], [0], [-1]], t.i32)
    ones = b.full(1.0, TensorType((3, columns), t.f32))
    b.ret(b.gather(x, places, axes=(0,)), b.scatter(x, places, ones, axes=(0,), kind="add"))
    array = np.random.default_rng(0).random((rows, columns), np.float32)
    found, added = run_compiled(b.module, [array])
    inside = np.clip([2, 0, -1], 0, max(rows - 1, 0))
    np.testing.assert_array_equal(found, array[inside] if rows else np.zeros((3, columns)))
    np.add.at(array, inside[: 3 * bool(rows)], np.float32(1))
    np.testing.assert_array_equal(added, array)
