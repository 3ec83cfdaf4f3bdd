"""Single kernels on one thread: time, flops of the direct algorithm per second as a share of the FMA peak, and bytes
of all operands and results, each moved once, per second.

    python tools/bench/kernels.py                       all shapes
    python tools/bench/kernels.py conv --batch 8        names that hold "conv"

Weights are frozen, as `kcompile.compile` does. Variants of a shape run in turns, with the loop that measures the peak,
and the least time counts: other work on the machine, and its clock, then change all of them alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from ceiling import ROUNDS, compiled_loop

from kcompile.codegen.timing import in_turns
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.types import TensorType, Type
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing.trace import ArgumentSpec, ResultSpec, TracedFunction

SECONDS = 0.5  # for all variants of a shape


@dataclass(frozen=True)
class Shape:
    """A kernel to time. `build(batch)` gives @main(x, weights..) -> y and its flops; `variants` are named options."""

    name: str
    build: Callable[[int], tuple[Operation, int]]
    variants: dict[str, dict[str, Any]]


@dataclass
class Weights:
    """What a variable is to a compiled function."""

    _array: np.ndarray[Any, Any]


def convolution(size: int, inputs: int, features: int) -> Shape:
    """relu(conv(x, w) + c) with 3 x 3 weights, padded to the same size."""

    def build(batch: int) -> tuple[Operation, int]:
        kinds = [(batch, size, size, inputs), (3, 3, inputs, features), (features,)]
        b = GraphBuilder.function("main", [TensorType(shape, t.f32) for shape in kinds])
        x, w, c = b.block.arguments
        y = b.convolution(
            x, w, strides=(1, 1), padding_low=(1, 1), padding_high=(1, 1), lhs_dilation=(1, 1), rhs_dilation=(1, 1),
            lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
        )  # fmt: skip
        bias = b.broadcast_in_dim(c, shape=(batch, size, size, features), dims=(3,))
        b.ret(b.max(b.add(y, bias), 0.0))
        return b.module, 2 * batch * size * size * 9 * inputs * features

    name = f"conv 3x3 {size}x{size} {inputs}->{features}"
    return Shape(name, build, {"direct": {"exact_conv": True}, "chosen": {}})


def product(rows: int, inner: int, columns: int) -> Shape:
    """relu(x w + c); the batch multiplies the rows."""

    def build(batch: int) -> tuple[Operation, int]:
        m = rows * batch
        b = GraphBuilder.function("main", [TensorType(s, t.f32) for s in ((m, inner), (inner, columns), (columns,))])
        x, w, c = b.block.arguments
        y = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
        b.ret(b.max(b.add(y, b.broadcast_in_dim(c, shape=(m, columns), dims=(1,))), 0.0))
        return b.module, 2 * m * inner * columns

    return Shape(f"dense {rows}x{inner} {inner}x{columns}", build, {"chosen": {}})


SHAPES = [
    *[convolution(size, c, c) for size, c in ((56, 64), (28, 128), (14, 256), (7, 512))],  # ResNet50
    *[convolution(size, c, c) for size, c in ((128, 16), (64, 32), (32, 64), (16, 128))],  # a U-Net
    convolution(24, 32, 32),
    *[
        product(m, k, n)
        for m, c in ((3136, 64), (784, 128), (196, 256), (49, 512))
        for k, n in ((c, 4 * c), (4 * c, c))
    ],
    *[product(*sizes) for sizes in ((128, 256, 1024), (128, 1024, 256), (4096, 256, 768))],  # a transformer
    *[product(m, 784, 512) for m in (1, 8, 32)],  # a perceptron
    *[product(m, 256, 256) for m in (1, 8, 32, 128)],
    *[product(m, 1024, 1024) for m in (1, 8, 32, 128)],
]


def fixed_shape(kind: Type) -> tuple[int, ...]:
    """The shape of a tensor whose sizes are all numbers."""
    assert isinstance(kind, TensorType)
    return tuple(int(size) for size in kind.shape if isinstance(size, int))


def compiled(module: Operation, options: dict[str, Any]) -> tuple[CompiledFunction, np.ndarray[Any, Any]]:
    """The function with random weights frozen, and an input for it."""
    rng = np.random.default_rng(0)
    main = next(op for op in module.walk() if op.name == "func.func")
    types = [a.type for a in main.body.arguments]
    arrays = [rng.standard_normal(fixed_shape(x)).astype(np.float32) for x in types]
    arguments = []
    for i, (kind, array) in enumerate(zip(types, arrays, strict=True)):
        assert isinstance(kind, TensorType)
        arguments.append(ArgumentSpec("weight" if i else "input", f"a{i}", kind, Weights(array) if i else None))
    main["arg_attrs"] = tuple({"kernel.role": a.role, "kernel.name": a.name} for a in arguments)
    main["res_attrs"] = ({"kernel.name": "y"},)
    result = main.body.terminator.operands[0].type
    assert isinstance(result, TensorType)
    traced = TracedFunction(module, arguments, [ResultSpec("y", result)])
    return CompiledFunction(traced, Options.of(freeze=True, threads=1, **options)), arrays[0]


def least_times(shape: Shape, batch: int, seconds: float) -> tuple[dict[str, float], int, float]:
    """Seconds of every variant, the flops, and the flops a second that multiply-adds alone reach meanwhile."""
    functions = {}
    flops = 0
    for name, options in shape.variants.items():
        module, flops = shape.build(batch)
        functions[name] = compiled(module, options)
    for function, x in functions.values():
        function(x)  # compiles it
    with compiled_loop() as (run, flops_of_round):
        calls: list[Callable[[], object]] = [
            *(partial(function, x) for function, x in functions.values()),
            partial(run, ROUNDS),
        ]
        *best, peak = in_turns(calls, seconds=seconds)
    return dict(zip(functions, best, strict=True)), flops, flops_of_round * ROUNDS / peak


def operand_bytes(shape: Shape, batch: int) -> int:
    """Bytes of the operands and the result."""
    main = next(op for op in shape.build(batch)[0].walk() if op.name == "func.func")
    values = (*main.body.arguments, *main.body.terminator.operands)
    return 4 * sum(prod(fixed_shape(value.type)) for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="", help="only shapes whose name holds this")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    wanted = parser.parse_args()
    print(f"batch {wanted.batch}, one thread\n")
    print("| kernel | variant | us | GF/s | peak GF/s | % of peak | GB/s |\n|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        if wanted.name in shape.name:
            times, flops, peak = least_times(shape, wanted.batch, wanted.seconds)
            for name, seconds in times.items():
                reached, share = flops / seconds / 1e9, 100 * flops / seconds / peak
                rate = operand_bytes(shape, wanted.batch) / seconds / 1e9
                row = (f"{seconds * 1e6:.1f}", f"{reached:.0f}", f"{peak / 1e9:.0f}", f"{share:.0f}", f"{rate:.0f}")
                print(f"| {shape.name} | {name} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
