"""A small digits network, to predict and to train: every stage prints, reads back exactly, and is MLIR to mlir-opt."""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.interpreter import interpret
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.verifier import verify
from kcompile.keras import layers
from kcompile.options import Options
from kcompile.pipeline import PIPELINE, STAGES, CompiledModule, compile_module
from kcompile.tracing.trace import TracedFunction

MLIR_OPT = shutil.which("mlir-opt-22") or shutil.which("mlir-opt")
KINDS = ("predict", "train", "train words")
MODULES = [stage.name for stage in PIPELINE]
UNREGISTERED = ("graph", "kernel", "plan")  # the dialects of our own


def network() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(7, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def words() -> Any:
    """Gathers and scatters, a loop over steps and one back, slices of a symbolic batch."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(9, 24, mask_zero=True),
            layers.LSTM(17),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@functools.cache
def traced(kind: str) -> TracedFunction:
    """The step as the trainer traced it."""
    model = words() if kind.endswith("words") else network()
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (4, 5), np.int32) if kind.endswith("words") else rng.random((4, 8, 8, 1), np.float32)
    model.run_eagerly = True  # traced, but not compiled here
    if kind == "predict":
        model.predict_on_batch(x)
    else:
        model.train_on_batch(x, np.array([0, 1, 2, 1]))
    (step,) = model._steps._compiled.values()
    return step.traced


@functools.cache
def compiled(kind: str) -> CompiledModule:
    return compile_module(traced(kind).module, "digits", "x86-64-v3", Options.of(cache="off"))


def stage(kind: str, name: str) -> Operation:
    return compiled(kind).module(name)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_prints(kind: str, name: str) -> None:
    text = compiled(kind).text(name)
    landmark = {
        "graph": "graph.dot_general", "kernel": "kernel.root", "linalg": "linalg.generic", "loops": "vector.fma",
        "plan": "plan.call", "llvm": "define ", "asm": "vfmadd",
    }  # fmt: skip
    assert landmark[name] in text


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_module_reads_back_exactly(kind: str, name: str) -> None:
    text = print_operation(stage(kind, name), resources=True, locations=True)
    read = parse_module(text)
    verify(read)
    assert print_operation(read, resources=True, locations=True) == text


@pytest.mark.parametrize("name", ["graph", "kernel", "linalg"])
def test_what_was_read_back_computes_the_same(name: str) -> None:
    """Not only the text is whole: the constants, attributes and maps behind it are too."""
    module = stage("predict", name)
    rng = np.random.default_rng(1)
    shapes = [(3, 8, 8, 1) if a.variable is None else a.variable._array.shape for a in traced("predict").arguments]
    arrays = [rng.random(shape, np.float32) for shape in shapes]
    read = parse_module(print_operation(module, resources=True))
    for before, after in zip(interpret(module, "main", arrays), interpret(read, "main", arrays), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("kind", KINDS)
def test_graph_level_text_compiles_to_the_same_machine_code(kind: str) -> None:
    """Nothing that the compiler needs is lost on the way through text."""
    read = parse_module(print_operation(traced(kind).module, resources=True, locations=True))
    again = compile_module(read, "digits", "x86-64-v3", Options.of(cache="off"))
    assert again.llvm == compiled(kind).llvm


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_are_in_upstream_dialects(kind: str) -> None:
    """At the loops level nothing in a kernel is an operation of ours; at the linalg level only what linalg lacks."""
    for name, ours in (("linalg", {"graph.reduce_window_grad", "graph.scatter", "kernel.size"}), ("loops", set())):
        for function in module_functions(stage(kind, name)):
            if "kernel.root" in function.attributes or "kernel.outputs" in function.attributes:
                assert {op.name for op in function.walk() if op.dialect in UNREGISTERED} <= ours


@pytest.mark.xcheck
@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")
@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("kind", KINDS)
def test_mlir_opt_accepts_every_module(kind: str, name: str) -> None:
    text = print_operation(stage(kind, name), locations=True)
    command = [str(MLIR_OPT), "--allow-unregistered-dialect", "-o", "/dev/null"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.xcheck
@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_mlir_opt_knows_every_operation_of_the_loops(kind: str) -> None:
    """Without leave for dialects that it does not know: names, attributes and types of the kernels are upstream's."""
    module = stage(kind, "loops").clone()
    for function in list(module_functions(module)):
        if "kernel.outputs" not in function.attributes:
            function.detach()
        for key in [k for k in function.attributes if k.startswith("kernel.")]:
            del function.attributes[key]
    done = subprocess.run([str(MLIR_OPT), "-o", "/dev/null"], input=str(module), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
