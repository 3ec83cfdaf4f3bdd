"""What the IR costs: µs per operation to create, print, parse, verify, clone, rewrite and interpret.

    python tools/bench/ir.py [--operations 2000]

The budget: 15 µs to create an operation with its type rule (a ResNet-50 train step has some 10 000 of them).
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable

import numpy as np

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import symbol
from kcompile.ir.garbage import no_collection
from kcompile.ir.interpreter import interpret
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.rewriting import RewriteDriver, capture, op, rule
from kcompile.ir.types import TensorType, f32
from kcompile.ir.verifier import verify


def build(count: int) -> Operation:
    """A chain of `count` operations: adds, maxima with a broadcast, transposes."""
    b = GraphBuilder.function("main", [TensorType((symbol("b"), 16), f32), TensorType((16,), f32)])
    x, row = b.argument(0), b.argument(1)
    for _ in range(count // 5):
        wide = b.broadcast_in_dim(row, shape=(symbol("b"), 16), dims=(1,))
        x = b.neg(b.transpose(b.transpose(b.add(x, wide), permutation=(1, 0)), permutation=(1, 0)))
    b.ret(x)
    return b.module


RULES = [rule("turn", op("graph.neg", capture("x")), lambda b, m: b.sub(m["x"], m["x"]))]


def measure(work: Callable[[], object], count: int, repeat: int = 5) -> float:
    """µs per operation, the best of `repeat` runs in CPU time."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=2000)
    count = parser.parse_args().operations
    module = build(count)
    text = print_operation(module)
    arrays = [np.ones((2, 16), np.float32), np.ones(16, np.float32)]
    rows: list[tuple[str, Callable[[], object]]] = [
        ("create", lambda: build(count)),
        ("print", lambda: print_operation(module)),
        ("print with locations", lambda: print_operation(module, locations=True)),
        ("parse", lambda: parse_module(text)),
        ("verify", lambda: verify(module)),
        ("clone", lambda: module.clone()),
        ("clone, rewrite one in five", lambda: RewriteDriver("bench", RULES)(module.clone())),
        ("interpret", lambda: interpret(module, "main", arrays)),
    ]
    for name, work in rows:
        with no_collection():  # as in a compile
            print(f"{name:28} {measure(work, count):7.1f} µs per operation")
        gc.collect()


if __name__ == "__main__":
    main()
