"""share-moments: one sweep, and no accuracy lost where the mean is far from 0 or the first image from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType, f32
from kcompile.transforms.kernel.kinds import root_of

SHAPE = (8, 32, 32, 17)
COUNT = 8 * 32 * 32


def moments(x: Any = SHAPE, axes: tuple[int, ...] = (0, 1, 2)) -> Operation:
    """Mean and variance over `axes`, the variance about the mean."""
    b = GraphBuilder.function("main", [TensorType(x, f32)])
    (value,) = b.block.arguments
    kept = tuple(i for i in range(len(x)) if i not in axes)
    mean = b.mul(b.reduce(value, axes=axes, kind="add"), 1 / COUNT)
    away = b.sub(value, b.broadcast_in_dim(mean, shape=x, dims=kept))
    b.ret(mean, b.mul(b.reduce(b.mul(away, away), axes=axes, kind="add"), 1 / COUNT))
    return b.module


def sweeps(module: Operation) -> int:
    """How many kernels sum something over the large tensor."""
    fusion = "form-kernels,fuse-cheap-producers,fuse-elementwise,fuse-producers,recompute-producers,fuse-sums"
    run_pipeline(module, fusion)
    made = [op for op in module.walk() if op.name == "kernel.dispatch" and root_of(op) != "elementwise"]
    return sum(any(getattr(v.type, "shape", ()) == SHAPE for v in op.operands) for op in made)


@pytest.mark.parametrize("offset", [0.0, 1.0, -300.0, 1e4])
@pytest.mark.parametrize("first", [1.0, 30.0])
def test_accuracy(offset: float, first: float) -> None:
    x = np.random.default_rng(0).standard_normal(SHAPE)
    x[0] *= first
    x = (x + offset).astype(np.float32)
    module = moments()
    run_pipeline(module, "split-reductions")
    run_pipeline(module, "share-moments,dce")
    mean, variance = interpret(module, "main", [x])
    exact = x.astype(np.float64)
    spread = exact.std((0, 1, 2)).max()
    assert np.abs(mean - exact.mean((0, 1, 2))).max() <= 1e-6 * (abs(offset) + spread)
    assert variance == pytest.approx(exact.var((0, 1, 2)), rel=2e-5)


def test_one_sweep() -> None:
    module = moments()
    run_pipeline(module, "split-reductions")
    apart = sweeps(module.clone())
    run_pipeline(module, "share-moments,dce")
    assert (apart, sweeps(module)) == (2, 1)


@pytest.mark.parametrize(
    ("shape", "axes"), [((8, 4, 4, 16), (0, 1, 2)), ((8, 64, 64, 8), (0, 2, 3)), ((8, 64, 64, 8), (1, 2))]
)
def test_left_alone(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Small tensors; sums along the lanes; sums that stay apart for each image."""
    module = moments(shape, axes)
    run_pipeline(module, "split-reductions")
    before = str(module)
    run_pipeline(module, "share-moments")
    assert str(module) == before


def test_a_constant_has_no_variance() -> None:
    module = moments()
    run_pipeline(module, "split-reductions,share-moments")
    mean, variance = interpret(module, "main", [np.full(SHAPE, 0.1, np.float32)])
    assert mean == pytest.approx(np.full(17, 0.1), rel=1e-6)
    assert (variance == 0).all()
