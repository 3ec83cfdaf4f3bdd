"""Kernels that memory bounds, on one thread: bytes of operands and results a second, each moved once, beside a copy
(`numpy.copyto`) and a read (`numpy.dot(x, x)`) of the same array in the same turns.

    python tools/bench/bandwidth.py                     arrays that fit L3, then arrays that fit no cache
    python tools/bench/bandwidth.py softmax --mib 8     names that hold "softmax", an input of 8 MiB

A case is a function of one float32 input; where it takes several kernels, their times are added. The share is of what a
copy moves a second or, where the result is small, of what a read does. The least time counts: other work on the machine
then disturbs all of them alike.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import kcompile
from kcompile.codegen.kernels import compile_kernels
from kcompile.codegen.timing import example_arrays, in_turns
from kcompile.ir.core import module_functions
from kcompile.keras import layers, ops
from kcompile.keras.models import Model
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction

SECONDS = 0.5  # for a case
MIB = (4.0, 128.0)  # of the input: in L3 with its result and the copy's, in no cache


@dataclass(frozen=True)
class Case:
    """`make(x)` of an input whose rows have `row`'s shape, as many rows as the size wants."""

    name: str
    row: tuple[int, ...]
    make: Callable[[Any], Any]


CASES = [
    Case("relu(x)", (1024,), ops.relu),
    Case("0.5 x + 1", (1024,), lambda x: 0.5 * x + 1.0),
    Case("sigmoid(x)", (1024,), ops.sigmoid),
    Case("tanh(x)", (1024,), ops.tanh),
    Case("gelu(x)", (1024,), ops.gelu),
    Case("transpose, 512 x 512", (512, 512), lambda x: ops.transpose(x, (0, 2, 1))),
    Case("transpose, heads of 64", (128, 8, 64), lambda x: ops.transpose(x, (0, 2, 1, 3))),
    Case("softmax of 128", (64, 128), ops.softmax),
    Case("softmax of 1000", (1000,), ops.softmax),
    Case("layer norm of 256", (128, 256), layers.LayerNormalization()),
    Case("sum of rows of 1024", (1024,), lambda x: ops.sum(x, axis=-1)),
    Case("sum of columns, 512 x 512", (512, 512), lambda x: ops.sum(x, axis=1)),
    Case("max pool 2 x 2", (64, 64, 32), layers.MaxPooling2D()),
    Case("global average pool 16 x 16", (16, 16, 128), layers.GlobalAveragePooling2D()),
    Case("upsampling 2 x 2", (32, 32, 32), layers.UpSampling2D()),
    Case("pad by 1", (64, 64, 32), layers.ZeroPadding2D()),
    Case("concatenate with itself", (64, 128), lambda x: ops.concatenate([x, x], axis=-1)),
]


def calls_of(case: Case, rows: int) -> tuple[list[Callable[[], object]], int]:
    """A call of every kernel of the case on arrays of its own, and the bytes of its input and output."""
    x = layers.Input(case.row)
    model = Model(inputs=x, outputs=case.make(x))
    function = CompiledFunction(kcompile.compile(model).traced, Options.of(threads=1))
    module = function.compiled
    sizes = dict.fromkeys(module.symbols, rows)
    plan = module.module("plan")
    kernels = compile_kernels(plan, module.targets[0])
    calls: list[Callable[[], object]] = []
    for body in module_functions(plan):
        if body["sym_name"] in kernels:
            arrays, symbols = example_arrays(body, sizes), [sizes[s] for s in body.get("kernel.symbols", ())]
            calls.append(partial(kernels[body["sym_name"]], arrays, *symbols, 0, 1))
    moved = sum(rows * math.prod(n for n in shape if n) for shape in (x.shape, model.outputs[0].shape))
    return calls, 4 * moved


def line(case: Case, mib: float, seconds: float) -> str:
    """The row of the table."""
    rows = max(1, int(mib * 2**18) // math.prod(case.row))
    calls, moved = calls_of(case, rows)
    x = np.ones(rows * math.prod(case.row), np.float32)
    y = np.ones_like(x)
    *ours, copy, read = in_turns([*calls, partial(np.copyto, y, x), partial(np.dot, x, x)], seconds=seconds)
    copied, is_read = 2 * x.nbytes / copy, x.nbytes / read
    rate, ceiling = moved / sum(ours), copied if moved > 1.2 * x.nbytes else is_read
    figures = (len(ours), f"{sum(ours) * 1e6:.0f}", *(f"{r / 1e9:.1f}" for r in (rate, copied, is_read)))
    return " | ".join([f"| {case.name}", *map(str, figures), f"{100 * rate / ceiling:.0f} |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="", help="only cases whose name holds this")
    parser.add_argument("--mib", type=float, help="MiB of the input; two sizes unless given")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    wanted = parser.parse_args()
    for mib in MIB if wanted.mib is None else (wanted.mib,):
        print(f"\nan input of {mib:g} MiB, one thread\n")
        print("| case | kernels | us | GB/s | copy GB/s | read GB/s | % |\n|---|---|---|---|---|---|---|")
        for case in CASES:
            if wanted.name in case.name:
                print(line(case, mib, wanted.seconds), flush=True)


if __name__ == "__main__":
    main()
