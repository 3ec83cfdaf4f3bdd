"""Hypothesis strategies for types, attributes and whole modules, well formed but without meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from kcompile.ir import types as t
from kcompile.ir.affine import affine_map, expr
from kcompile.ir.attributes import (
    AffineMapAttr,
    ArrayAttr,
    Attribute,
    BoolAttr,
    DenseAttr,
    DictAttr,
    DimsAttr,
    FloatAttr,
    IntArrayAttr,
    IntAttr,
    OpaqueAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
    round_to,
)
from kcompile.ir.builder import new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import symbol
from kcompile.ir.location import UNKNOWN, Location

FLOATS = [t.f16, t.bf16, t.f32, t.f64]
INTEGERS = [t.i1, t.i8, t.i16, t.i32, t.i64, t.ui8, t.ui16, t.ui32, t.ui64]
SCALARS = [*FLOATS, *INTEGERS, t.index]

names = st.text(max_size=8)  # any text: quotes, backslashes, line ends, surrogate-free unicode
identifiers = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_$.]{0,6}", fullmatch=True)
scalars = st.sampled_from(SCALARS)
sizes = st.integers(0, 5)
symbols = st.sampled_from([symbol("b"), symbol("t"), 2 * symbol("b"), symbol("b") * symbol("t") - 3, 1 - symbol("b")])
opaque_types = st.sampled_from([t.OpaqueType(x) for x in ("!a.b", "!a.b<c>", '!d.e<"x>", (f32) -> i1, [<>]>')])


def tensors(shape: Any = None) -> st.SearchStrategy[t.Type]:
    shapes = st.lists(st.one_of(sizes, symbols), max_size=4).map(tuple) if shape is None else shape
    return st.builds(t.TensorType, shapes, st.one_of(scalars, st.just(t.c64)))


static_shapes = st.lists(sizes, max_size=3).map(tuple)
vectors = st.builds(t.VectorType, st.lists(st.integers(1, 16), min_size=1, max_size=2).map(tuple), scalars)


@st.composite
def memrefs(draw: Any) -> t.Type:
    dims = st.sampled_from([-1, 0, 1, 3, 64])
    shape = tuple(draw(st.lists(dims, max_size=3)))
    strides = draw(st.one_of(st.none(), st.tuples(*[dims for _ in shape])))
    return t.MemRefType(shape, draw(scalars), strides, 0 if strides is None else draw(st.sampled_from([0, 5, -1])))


types = st.recursive(
    st.one_of(scalars, tensors(), vectors, memrefs(), opaque_types, st.just(t.none), st.just(t.c64)),
    lambda inner: st.builds(
        t.FunctionType, st.lists(inner, max_size=3).map(tuple), st.lists(inner, max_size=2).map(tuple)
    ),
    max_leaves=5,
)


@st.composite
def float_attributes(draw: Any) -> Attribute:
    type = draw(st.sampled_from(FLOATS))
    return FloatAttr(draw(st.floats(allow_nan=True, allow_infinity=True)), type)


@st.composite
def integer_attributes(draw: Any) -> Attribute:
    type = draw(st.sampled_from([*INTEGERS[1:], t.index]))
    width, unsigned = t.bitwidth(type), t.is_unsigned(type)
    low, high = (0, 2**width - 1) if unsigned else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    return IntAttr(draw(st.integers(low, high)), type)


@st.composite
def dense_attributes(draw: Any) -> Attribute:
    """Any bits, so that all nans, both zeros and denormals come up."""
    element = draw(st.sampled_from([*FLOATS, *INTEGERS, t.c64]))
    shape = draw(st.one_of(static_shapes, st.just((5, 4))))
    dtype = t.to_numpy(element)
    count = int(np.prod(shape))
    splat = draw(st.booleans())
    data = draw(
        st.binary(min_size=dtype.itemsize * (1 if splat else count), max_size=dtype.itemsize * (1 if splat else count))
    )
    array = np.frombuffer(data * (count if splat else 1), dtype if element is not t.i1 else np.uint8)
    if element is t.i1:
        array = array & 1
    if element is t.bf16:
        array = (array.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return DenseAttr(array.reshape(shape), t.TensorType(shape, element))


@st.composite
def affine_maps(draw: Any) -> Attribute:
    dims = draw(st.integers(0, 4))
    coefficients = st.dictionaries(st.integers(0, dims - 1), st.integers(-9, 9), max_size=3) if dims else st.just({})
    results = draw(st.lists(st.builds(expr, coefficients, st.integers(-9, 9)), max_size=3))
    return AffineMapAttr(affine_map(dims, results))


leaves = st.one_of(
    st.builds(UnitAttr),
    st.builds(BoolAttr, st.booleans()),
    integer_attributes(),
    float_attributes(),
    st.builds(StringAttr, names),
    st.builds(SymbolRefAttr, st.one_of(identifiers, names.filter(bool))),
    st.builds(TypeAttr, types),
    affine_maps(),
    st.builds(
        IntArrayAttr, st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3).map(tuple), st.sampled_from([t.i32, t.i64])
    ),
    st.builds(IntArrayAttr, st.lists(st.integers(0, 1), max_size=3).map(tuple), st.just(t.i1)),
    st.builds(DimsAttr, st.lists(st.one_of(st.integers(-2, 9), symbols), max_size=3).map(tuple)),
    st.sampled_from([OpaqueAttr(x) for x in ("#a.b", "#a.b<c>", '#a<"x>", [->]>', "#linalg.iterator_type<parallel>")]),
    dense_attributes(),
)
attributes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(ArrayAttr, st.lists(inner, max_size=3).map(tuple)),
        st.builds(DictAttr, st.dictionaries(names.filter(bool), inner, max_size=3)),
    ),
    max_leaves=6,
)

named_locations = st.builds(Location, names.filter(bool), st.none())
file_locations = st.builds(Location, names, names.filter(bool), st.integers(0, 9999))
locations = st.one_of(
    st.just(UNKNOWN),
    named_locations,
    file_locations,
    st.builds(
        lambda parts: Location(parts=tuple(parts)), st.lists(named_locations, min_size=2, max_size=3, unique=True)
    ),
)
hints = st.one_of(st.none(), st.sampled_from(["x", "x_0", "arg1", "0", "a b", "-", "é"]))


@st.composite
def regions(draw: Any, visible: list[Value], depth: int, fewest: int) -> Region:
    region = Region()
    for _ in range(draw(st.integers(0 if depth else 1, 2))):
        block = region.add_block(Block(draw(st.lists(types, max_size=2))))
        inside = visible + list(block.arguments)
        for argument in block.arguments:
            argument.hint = draw(hints)
        for _ in range(draw(st.integers(fewest, 3))):
            block.append(draw(operations(inside, depth, fewest)))
    return region


@st.composite
def operations(draw: Any, visible: list[Value], depth: int, fewest: int) -> Operation:
    """An operation of an unknown dialect; its results become visible."""
    operands = draw(st.lists(st.sampled_from(visible), max_size=3)) if visible else []
    inner = (
        [draw(regions(list(visible), depth - 1, fewest)) for _ in range(draw(st.integers(0, 2)))] if depth > 0 else []
    )
    op = Operation(
        draw(st.sampled_from(["test.a", "test.b_c", "other.op.x"])),
        operands,
        draw(st.lists(types, max_size=3)),
        draw(st.dictionaries(st.one_of(identifiers, names.filter(bool)), attributes, max_size=3)),
        inner,
        draw(locations),
    )
    if op.results:
        op.results[0].hint = draw(hints)
    visible.extend(op.results)
    return op


@st.composite
def modules(draw: Any, fewest: int = 0) -> Operation:
    """A module of unknown operations, with at least `fewest` in each block."""
    module = new_module()
    visible: list[Value] = []
    for _ in range(draw(st.integers(fewest, 3))):
        module.body.append(draw(operations(visible, 2, fewest)))
    return module


__all__ = ["FLOATS", "attributes", "modules", "round_to", "types"]
