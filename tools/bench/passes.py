"""What a compile costs in Python: µs per graph operation in each stage, and the slowest passes.

    python tools/bench/passes.py

The budget: 100 µs per tensor operation over all Python passes of a compile.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from typing import Any, cast

import numpy as np

from kcompile import keras
from kcompile.codegen.target import Target
from kcompile.ir.core import Operation
from kcompile.keras.trainer import steps
from kcompile.options import Options
from kcompile.pipeline import PIPELINE, run_stages
from kcompile.tracing.model import trace_predict


def digits() -> keras.Model:
    """The two-convolution network of examples/digits_cnn.py."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train_step(model: keras.Model) -> Operation:
    """The module of one train step with Adam."""
    traced: list[Any] = []

    def keep(made: Any, model: Any) -> Any:
        traced.append(made)
        raise StopIteration  # it is traced; do not compile and run it

    original, steps.compile_step = steps.compile_step, keep
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with contextlib.suppress(StopIteration):
        model.train_on_batch(np.zeros((2, 28, 28, 1), np.float32), np.zeros(2, np.int64))
    steps.compile_step = original
    return cast(Operation, traced[0].module)


def report(title: str, module: Operation, options: Options) -> None:
    graph_ops = sum(op.dialect == "graph" for op in module.walk())
    print(f"{title}: {graph_ops} graph operations")
    by_pass: dict[str, float] = defaultdict(float)
    total = 0.0
    for stage in PIPELINE:
        start = time.process_time()
        for name, seconds, _ in run_stages(module, [stage], options, Target.host()):
            by_pass[name.partition("{")[0]] += seconds
        spent = time.process_time() - start
        total += spent
        print(f"  {stage.name:8} {spent * 1e3:8.1f} ms {spent / graph_ops * 1e6:8.0f} µs per graph operation")
    print(f"  {'all':8} {total * 1e3:8.1f} ms {total / graph_ops * 1e6:8.0f} µs per graph operation")
    for name, seconds in sorted(by_pass.items(), key=lambda item: -item[1])[:8]:
        print(f"    {name:28} {seconds * 1e3:8.1f} ms")


def main() -> None:
    inference = trace_predict(digits()).module
    frozen = Options.of(freeze=True)
    run_stages(inference.clone(), PIPELINE, frozen, Target.host())  # imports the passes
    report("digits, inference", inference, frozen)
    report("digits, train step", train_step(digits()), Options.of())


if __name__ == "__main__":
    main()
