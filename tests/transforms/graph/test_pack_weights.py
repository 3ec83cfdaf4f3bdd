"""Packed weights: the same products, whatever their sizes, types and readers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.attributes import attribute
from kcompile.ir.core import Value, find_function, module_functions
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.transforms.graph.pack_weights import FEW, panel_width
from tests.transforms.models import B

AFTER = "form-kernels,fuse-elementwise,fuse-epilogues,outline-kernels,lower-to-linalg,collapse-rows"


def product(inner: int, columns: int, parts: int, middle: int, element: t.Type) -> GraphBuilder:
    """x . w + bias, and, with parts, their sum of squares."""
    shape = (B, middle, inner) if middle else (B, inner)
    kinds = [TensorType(shape, element), TensorType((inner, columns), element), TensorType((columns,), element)]
    b = GraphBuilder.function("main", kinds)
    x, w, bias = b.block.arguments
    last = len(shape) - 1
    y: Value = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(last,), rhs_contract=(0,))
    y = b.add(y, b.broadcast_in_dim(bias, shape=(*shape[:-1], columns), dims=(last,)))
    if parts > 1:
        size = columns // parts
        pieces = [
            b.slice(y, start=(*[0] * last, i * size), limit=(*shape[:-1], (i + 1) * size), strides=(1,) * (last + 1))
            for i in range(parts)
        ]
        y = b.mul(pieces[0], pieces[0])
        for piece in pieces[1:]:
            y = b.add(y, b.mul(piece, piece))
    b.ret(y)
    main = find_function(b.module, "main")
    main["arg_attrs"] = tuple(attribute({"kernel.role": r}) for r in ("input", "weight", "input"))
    return b


@settings(max_examples=25, deadline=None)
@given(
    inner=st.integers(1, 9),
    vectors=st.integers(2, 9),
    parts=st.integers(1, 5),
    middle=st.sampled_from([0, 1, 3]),
    batch=st.sampled_from([1, 3, 9]),
    element=st.sampled_from([t.f32, t.f16]),
    target=st.sampled_from(["x86-64-v3", "x86-64-v4", "aarch64"]),
)
def test_packed_products_equal_plain_ones(
    inner: int, vectors: int, parts: int, middle: int, batch: int, element: t.Type, target: str
) -> None:
    b = product(inner, 16 * vectors * parts, parts, middle, element)
    rng = np.random.default_rng(inner)
    arrays = [
        (rng.integers(-4, 5, tuple(batch if n is B else n for n in a.type.shape)) / 4).astype(t.to_numpy(element))
        for a in b.block.arguments
    ]
    expected = interpret(b.module, "main", arrays)
    packed = b.module.clone()
    run_pipeline(packed, "pack-weights{least=1}," + AFTER, verify_each=True)
    shapes = [v.type.shape for op in packed.walk() for v in op.results if isinstance(v.type, TensorType)]
    assert any(shape[-1:] in ((16,), (32,)) and len(shape) >= 3 for shape in shapes)
    for wanted, made in zip(expected, interpret(packed, "main", arrays), strict=True):
        np.testing.assert_array_equal(wanted, made)  # small integers: every order of additions gives the same
    run_pipeline(packed, f"emit-loops{{target={target}}}", verify_each=True)
    assert sum("kernel.outputs" in f.attributes for f in module_functions(packed)) >= 1
    for wanted, made in zip(expected, interpret(packed, "main", arrays), strict=True):
        np.testing.assert_array_equal(wanted, made)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 9), st.integers(33, 140), st.sampled_from([0, 3]), st.sampled_from([1, 9]))
def test_panels_filled_with_zeros(inner: int, columns: int, middle: int, batch: int) -> None:
    b = product(inner, columns, 1, middle, t.f32)
    rng = np.random.default_rng(inner)
    arrays = [
        rng.normal(size=tuple(batch if n is B else n for n in a.type.shape)).astype(np.float32)
        for a in b.block.arguments
    ]
    packed = b.module.clone()
    run_pipeline(packed, "pack-weights{filled=1 least=1}", verify_each=True)
    zeros = -columns % 32
    pads = [op for op in packed.walk() if op.name == "graph.pad"]
    assert len(pads) == (columns % 16 != 0 and zeros * FEW <= columns)
    run_pipeline(packed, f"{AFTER},emit-loops{{target=x86-64-v4}}", verify_each=True)
    for wanted, made in zip(interpret(b.module, "main", arrays), interpret(packed, "main", arrays), strict=True):
        np.testing.assert_allclose(wanted, made, rtol=1e-5, atol=1e-5)


def test_what_is_not_a_plain_right_operand_stays() -> None:
    b = product(8, 64, 1, 0, t.f32)
    weights = b.block.arguments[1]
    assert panel_width(weights, list(weights.uses), 1) == 32
    assert panel_width(weights, list(weights.uses), 1 << 20) == 0  # small
    before_return = GraphBuilder.before_op(b.block.terminator)
    before_return.exp(weights)
    assert panel_width(weights, list(weights.uses), 1) == 0  # something else reads it


def test_products_of_weights_alone_stay() -> None:
    """@prepare computes them once: packing would only cost."""
    b = GraphBuilder.function("main", [TensorType((8, 64), t.f32), TensorType((64, 64), t.f32)])
    b.ret(b.dot_general(*b.block.arguments, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,)))
    main = find_function(b.module, "main")
    main["arg_attrs"] = tuple(attribute({"kernel.role": "weight"}) for _ in range(2))
    before = str(b.module)
    run_pipeline(b.module, "pack-weights{least=1}")
    assert str(b.module) == before
