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


def of_product() -> Operation:
    """The same of a product of images with weights, plus a bias."""
    b = GraphBuilder.function("main", [TensorType(s, f32) for s in ((*SHAPE[:3], 5), (5, SHAPE[3]), (SHAPE[3],))])
    x, w, bias = b.block.arguments
    made = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(3,), rhs_contract=(0,))
    value = b.add(made, b.broadcast_in_dim(bias, shape=SHAPE, dims=(3,)))
    mean = b.mul(b.reduce(value, axes=(0, 1, 2), kind="add"), 1 / COUNT)
    away = b.sub(value, b.broadcast_in_dim(mean, shape=SHAPE, dims=(3,)))
    b.ret(mean, b.mul(b.reduce(b.mul(away, away), axes=(0, 1, 2), kind="add"), 1 / COUNT), value)
    return b.module


def test_no_sweep_where_a_product_makes_the_tensor() -> None:
    module = of_product()
    run_pipeline(module, "split-reductions,share-moments,canonicalize,cse,dce")
    fusion = "form-kernels,fuse-cheap-producers,fuse-elementwise,recompute-producers,reshape-epilogues,fuse-epilogues"
    run_pipeline(module, f"{fusion},fuse-producers,fuse-sums")
    large = [op for op in module.walk() if op.name == "kernel.dispatch" and any(_is_large(v) for v in op.operands)]
    assert not large


def _is_large(value: Any) -> bool:
    return getattr(value.type, "shape", ()) == SHAPE


@pytest.mark.parametrize("offset", [0.0, 3.0, -1e3])
def test_accuracy_of_a_product(offset: float) -> None:
    random = np.random.default_rng(0)
    shapes = ((*SHAPE[:3], 5), (5, SHAPE[3]), (SHAPE[3],))
    x, w, bias = (random.standard_normal(s).astype(np.float32) for s in shapes)
    bias += np.float32(offset)
    module = of_product()
    run_pipeline(module, "split-reductions,share-moments,dce")
    mean, variance, value = interpret(module, "main", [x, w, bias])
    exact = value.astype(np.float64)
    assert np.abs(mean - exact.mean((0, 1, 2))).max() <= 1e-6 * (abs(offset) + exact.std((0, 1, 2)).max())
    assert variance == pytest.approx(exact.var((0, 1, 2)), rel=2e-5)


@pytest.mark.parametrize("at", [(0, 0, 0, 3), (0, 16, 16, 3), (7, 31, 31, 3)])
def test_an_infinite_element_makes_an_infinite_mean(at: tuple[int, ...]) -> None:
    """That of the middle row as well, about which the sums are made."""
    x = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    x[at] = np.inf
    module = moments()
    run_pipeline(module, "split-reductions,share-moments,dce")
    mean, variance = interpret(module, "main", [x])
    assert mean[3] == np.inf and not np.isfinite(variance[3])
    assert np.isfinite(np.delete(mean, 3)).all() and np.isfinite(np.delete(variance, 3)).all()


def test_a_constant_has_no_variance() -> None:
    module = moments()
    run_pipeline(module, "split-reductions,share-moments")
    mean, variance = interpret(module, "main", [np.full(SHAPE, 0.1, np.float32)])
    assert mean == pytest.approx(np.full(17, 0.1), rel=1e-6)
    assert (variance == 0).all()
