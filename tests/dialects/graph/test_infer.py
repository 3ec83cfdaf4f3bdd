"""infer tells the shape and dtype that the reference makes, for numbers and for symbols alike."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.errors import KcompileError
from kcompile.ir import types as t
from kcompile.ir.definition import Definition, definitions
from kcompile.ir.dims import SymbolicDim, evaluate, floor_divide, symbol
from kcompile.ir.types import TensorType

OPS = definitions("graph")
SEED = st.integers(0, 2**32 - 1)


def draw(op: Definition, seed: int) -> Any:
    rng = np.random.default_rng([seed, zlib.crc32(op.name.encode())])
    elements = op.samples.elements
    return op.samples.draw(rng, elements[int(rng.integers(len(elements)))])


@pytest.mark.parametrize("op", OPS, ids=lambda d: d.name)
@settings(max_examples=40)
@given(seed=SEED)
def test_infer_is_what_the_reference_makes(op: Definition, seed: int) -> None:
    case = draw(op, seed)
    inferred = op.infer(*case.types, **case.attributes)
    made = op.reference(*case.arrays, **case.attributes)
    assert made.shape == inferred.shape
    assert made.dtype == t.to_numpy(inferred.element)


@pytest.mark.parametrize("op", [op for op in OPS if op.ins], ids=lambda d: d.name)
@settings(max_examples=40)
@given(seed=SEED, which=st.integers(0, 10))
def test_a_symbolic_dim_gives_the_same_type_or_is_refused(op: Definition, seed: int, which: int) -> None:
    """A size written as a symbol, everywhere it stands for one: the type must evaluate to that of the sizes."""
    case = draw(op, seed)
    sizes = sorted({d for x in case.types for d in x.shape if d > 1})
    if not sizes:
        return
    size = sizes[which % len(sizes)]
    b = symbol("b")
    replace = lambda dims: tuple(b if d == size else d for d in dims)
    types = [TensorType(replace(x.shape), x.element) for x in case.types]
    attributes = {k: replace(v) if k in ("shape", "limit") else v for k, v in case.attributes.items()}
    expected = op.infer(*case.types, **case.attributes)
    try:
        inferred = op.infer(*types, **attributes)
    except KcompileError:
        return  # not every size fits
    assert tuple(evaluate(d, {"b": size}) for d in inferred.shape) == expected.shape
    assert inferred.element is expected.element


@given(seed=SEED)
def test_elementwise_operations_keep_symbols(seed: int) -> None:
    shape = (symbol("b"), 3)
    for op in OPS:
        if "elementwise" in op.traits and op.ins:
            case = draw(op, seed)
            types = [TensorType(shape, x.element) for x in case.types]
            assert op.infer(*types, **case.attributes).shape == shape


@given(a=st.integers(-9, 9), c=st.integers(-20, 20), divisor=st.integers(1, 6), size=st.integers(0, 50))
def test_floor_divide_is_exact_for_every_size(a: int, c: int, divisor: int, size: int) -> None:
    dim = a * symbol("h") + c
    quotient = floor_divide(dim, divisor)
    if quotient is not None:
        assert evaluate(quotient, {"h": size}) == evaluate(dim, {"h": size}) // divisor
    else:
        assert isinstance(dim, SymbolicDim) and a % divisor
