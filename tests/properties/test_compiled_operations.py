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
from kcompile.ir.interpreter import round_bf16
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
