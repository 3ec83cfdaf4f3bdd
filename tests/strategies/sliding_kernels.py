"""Convolutions with few features, in all or in a group, in the form that lowering makes."""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function
from kcompile.ir.dims import Dim
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType


def grouped(
    n: Dim,
    h: int,
    w: int,
    groups: int,
    inputs: int,
    features: int,
    window: tuple[int, int] = (3, 3),
    stride: int = 1,
    dilation: int = 1,
) -> Operation:
    """relu(x * filter + bias), valid, with so many inputs and features in each group."""
    out = groups * features
    kinds = [(n, h, w, groups * inputs), (*window, inputs, out), (out,)]
    b = GraphBuilder.function("main", [TensorType(shape, t.f32) for shape in kinds])
    x, filter_, bias = b.block.arguments
    y = b.convolution(
        x, filter_, strides=(stride,) * 2, padding_low=(0, 0), padding_high=(0, 0), lhs_dilation=(1, 1),
        rhs_dilation=(dilation,) * 2, feature_groups=groups, lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1),
        out_spec=(0, 3, 1, 2),
    )  # fmt: skip
    b.ret(b.max(b.add(y, b.broadcast_in_dim(bias, shape=y.type.shape, dims=(3,))), 0.0))
    module = b.module
    run_pipeline(module, "form-kernels,fuse-elementwise,fuse-epilogues,outline-kernels,lower-to-linalg")
    find_function(module, "main").erase()
    return module
