"""How inverted residual blocks are cut, and which become one kernel."""

from __future__ import annotations

import pytest

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation, module_functions
from kcompile.strategies import separable
from kcompile.strategies.parts.structured import Kernel, kernel
from kcompile.strategies.separable import BAND_BYTES, Blocks, band_bytes, block_of
from tests.strategies import convolution_kernels as c
from tests.strategies.linalg_kernels import BATCH

V4 = Target.get("x86-64-v4")


def kernel_of(module: Operation) -> Kernel:
    (function,) = module_functions(module)
    return kernel(function)


def blocks_of(module: Operation) -> Blocks:
    found = separable.match(kernel_of(module), V4)
    assert found is not None
    return found


@pytest.mark.parametrize(("size", "band"), [(56, 4), (28, 2), (14, 1), (7, 1), (9, 1)])
def test_two_workers_have_equally_many_rows(size: int, band: int) -> None:
    assert blocks_of(c.separable(BATCH, size, size, 32, 16, 16)).band == band


@pytest.mark.parametrize(("size", "channels"), [(56, 32), (56, 288), (112, 144), (112, 576)])
def test_a_band_stays_in_the_second_level_cache(size: int, channels: int) -> None:
    module = c.separable(BATCH, size, size, channels, 16, 16)
    block, band = block_of(kernel_of(module)), blocks_of(module).band
    assert block is not None
    assert band == 1 or band_bytes(block, band) <= BAND_BYTES


@pytest.mark.parametrize(("features", "width", "paired"), [
    (24, 14, True), (16, 14, True), (40, 8, True), (3, 4, True), (32, 14, False), (25, 14, False), (24, 15, False),
])  # fmt: skip
def test_pixels_are_paired_where_features_leave_half_a_vector(features: int, width: int, paired: bool) -> None:
    found = blocks_of(c.separable(BATCH, 6, width, 16, features, 16))
    assert found.pairs == paired
    assert not paired or found.columns % 2 == 0


def kernels(size: int, channels: int, features: int, inputs: int) -> int:
    return len(list(module_functions(c.separable(BATCH, size, size, channels, features, inputs, always=False))))


@pytest.mark.parametrize(("size", "channels", "features", "inputs", "expected"), [
    (28, 192, 32, 32, 1),
    (14, 384, 64, 64, 1),
    (7, 960, 160, 160, 2),  # two workers would make two of seven rows both
    (14, 512, 512, 256, 2),  # 1.5 MiB of weights for every band
    (224, 576, 24, 16, 2),  # a row and what is under it is larger than the cache
    (8, 32, 16, 16, 2),  # what is between is in the first-level cache anyway
    (30, 32, 64, 0, 1),
    (30, 128, 256, 0, 2),
])  # fmt: skip
def test_blocks_are_one_kernel_where_that_pays(
    size: int, channels: int, features: int, inputs: int, expected: int
) -> None:
    assert kernels(size, channels, features, inputs) == expected
