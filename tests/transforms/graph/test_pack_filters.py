"""Packed kernels of convolutions: the same convolutions, whatever their sizes, strides, types and readers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.autodiff import gradients
from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.attributes import attribute
from kcompile.ir.core import Value, find_function, module_functions
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from tests.transforms.models import B

AFTER = "form-kernels,fuse-elementwise,fuse-epilogues,fuse-pools,outline-kernels,lower-to-linalg"


def convolved(b: GraphBuilder, x: Value, w: Value, stride: int = 1, dilation: int = 1, spread: int = 1) -> Value:
    return b.convolution(
        x, w, strides=(stride, 1), padding_low=(0, 0), padding_high=(0, 0), lhs_dilation=(spread, 1),
        rhs_dilation=(dilation, 1), lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
    )  # fmt: skip


def given_roles(b: GraphBuilder, *roles: str) -> GraphBuilder:
    main = find_function(b.module, "main")
    main["arg_attrs"] = tuple(attribute({"kernel.role": role}) for role in roles)
    return b


def model(
    inputs: int, features: int, window: int, stride: int, dilation: int, pooled: bool, element: t.Type
) -> GraphBuilder:
    """relu(x * w), and with `pooled` its maximum over 2 x 2."""
    kinds = [TensorType((B, 8, 9, inputs), element), TensorType((window, 2, inputs, features), element)]
    b = GraphBuilder.function("main", kinds)
    y = b.max(convolved(b, *b.block.arguments, stride, dilation), 0.0)
    if pooled:
        windows = {"window": (1, 2, 2, 1), "strides": (1, 2, 2, 1)}
        y = b.reduce_window(y, **windows, padding_low=(0,) * 4, padding_high=(0,) * 4, kind="max")
    b.ret(y)
    return given_roles(b, "input", "weight")


@settings(max_examples=12, deadline=None)
@given(
    inputs=st.integers(1, 5),
    vectors=st.integers(4, 8),
    window=st.integers(1, 3),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    pooled=st.booleans(),
    batch=st.integers(1, 3),
    element=st.sampled_from([t.f32, t.f16]),
    target=st.sampled_from(["x86-64-v3", "x86-64-v4", "aarch64"]),
)
def test_packed_convolutions_equal_plain_ones(
    inputs: int,
    vectors: int,
    window: int,
    stride: int,
    dilation: int,
    pooled: bool,
    batch: int,
    element: t.Type,
    target: str,
) -> None:
    b = model(inputs, 16 * vectors, window, stride, dilation, pooled, element)
    rng = np.random.default_rng(inputs)
    arrays = [
        (rng.integers(-4, 5, tuple(batch if n is B else n for n in a.type.shape)) / 4).astype(t.to_numpy(element))
        for a in b.block.arguments
    ]
    (expected,) = interpret(b.module, "main", arrays)
    run_pipeline(b.module, "pack-filters{least=1}", verify_each=True)
    (op,) = [op for op in b.module.walk() if op.name == "graph.convolution"]
    panels, *_, width = op.operands[1].type.shape
    assert panels * width == 16 * vectors and width in (16, 32) and panels > 1
    for passes in ("canonicalize", AFTER, f"emit-loops{{target={target}}}"):
        run_pipeline(b.module, passes, verify_each=True)
        (made,) = interpret(b.module, "main", arrays)
        np.testing.assert_array_equal(expected, made)  # small integers: every order of additions gives the same
    assert sum("kernel.outputs" in f.attributes for f in module_functions(b.module)) >= 1


def test_readers_of_one_kernel_share_its_panels() -> None:
    b = GraphBuilder.function("main", [TensorType((B, 5, 5, 3), t.f32), TensorType((2, 2, 3, 64), t.f32)])
    x, w = b.block.arguments
    b.ret(convolved(b, x, w), convolved(b, b.exp(x), w))
    run_pipeline(given_roles(b, "input", "weight").module, "pack-filters{least=1}")
    assert [op.name for op in b.module.walk()].count("graph.transpose") == 1


@pytest.mark.parametrize("what", ["small", "not a weight", "spread", "one tile", "of weights alone"])
def test_what_panels_would_not_help_stays(what: str) -> None:
    shapes = [(B, 5, 5, 3), (2, 2, 3, 48 if what == "one tile" else 64)]
    if what == "of weights alone":
        shapes[0] = (1, 5, 5, 3)
    b = GraphBuilder.function("main", [TensorType(shape, t.f32) for shape in shapes])
    b.ret(convolved(b, *b.block.arguments, spread=2 if what == "spread" else 1))
    first = "weight" if what == "of weights alone" else "input"
    given_roles(b, first, "input" if what == "not a weight" else "weight")
    before = str(b.module)
    run_pipeline(b.module, "pack-filters" if what == "small" else "pack-filters{least=1}")
    assert str(b.module) == before


def test_a_kernel_in_panels_has_a_shape_and_no_gradient() -> None:
    b = GraphBuilder.function("main", [TensorType((1, 5, 5, 3), t.f32), TensorType((4, 2, 2, 3, 16), t.f32)])
    x, w = b.block.arguments
    y = convolved(b, x, w)
    assert y.type.shape == (1, 4, 4, 64)
    with pytest.raises(IRError, match="panels"):
        gradients(b, b.reduce(y, axes=(0, 1, 2, 3), kind="add"), [x])
    with pytest.raises(ShapeError, match="one rank"):
        convolved(b, x, b.reshape(w, shape=(1, 4, 2, 2, 3, 16)))
