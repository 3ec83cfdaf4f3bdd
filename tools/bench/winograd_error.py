"""Rounding error of Winograd convolutions: rms of the difference from f64, over that of the direct convolution.

    python tools/bench/winograd_error.py            random inputs after a relu, He weights, 16 x 16 pixels

The figures behind the points in dialects/graph/winograd.py, and the bound in its test.
"""

from __future__ import annotations

import numpy as np

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing.trace import ArgumentSpec, ResultSpec, TracedFunction

SIZE = 16


def convolution(inputs: int, features: int, tile: int) -> CompiledFunction:
    """x, w -> y, padded to the same size; tile 0: direct."""
    image, window = TensorType((1, SIZE, SIZE, inputs), t.f32), TensorType((3, 3, inputs, features), t.f32)
    b = GraphBuilder.function("main", [image, window])
    y = b.convolution(
        *b.block.arguments, strides=(1, 1), padding_low=(1, 1), padding_high=(1, 1), lhs_dilation=(1, 1),
        rhs_dilation=(1, 1), lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
    )  # fmt: skip
    function = b.ret(y)
    function["arg_attrs"] = tuple({"kernel.role": "input", "kernel.name": name} for name in "xw")
    function["res_attrs"] = ({"kernel.name": "y"},)
    if tile:
        run_pipeline(b.module, f"use-winograd{{tile={tile}}}")
    arguments = [ArgumentSpec("input", "x", image), ArgumentSpec("input", "w", window)]
    return CompiledFunction(
        TracedFunction(b.module, arguments, [ResultSpec("y", y.type)]), Options.of(exact_conv=True, threads=1)
    )


def main() -> None:
    print("| C | direct, of sigma | F(2,3) | F(4,3) |")
    print("|---|---|---|---|")
    for channels in (16, 32, 64, 128, 256, 512):
        rng = np.random.default_rng(channels)
        x = np.maximum(rng.standard_normal((1, SIZE, SIZE, channels)), 0).astype(np.float32)
        w = (rng.standard_normal((3, 3, channels, 64)) * np.sqrt(2 / (9 * channels))).astype(np.float32)
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))).astype(np.float64)
        windows = [(i, j, padded[:, i : i + SIZE, j : j + SIZE]) for i in range(3) for j in range(3)]
        wanted = sum(window @ w[i, j].astype(np.float64) for i, j, window in windows)
        errors = [np.sqrt(np.mean(np.square(convolution(channels, 64, tile)(x, w)[0] - wanted))) for tile in (0, 2, 4)]
        first, two, four = errors
        print(f"| {channels} | {first / wanted.std():.1e} | {two / first:.2f} | {four / first:.2f} |")


if __name__ == "__main__":
    main()
