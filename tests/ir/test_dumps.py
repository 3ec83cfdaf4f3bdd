"""Every dump of a real model can be read back, exactly; mlir-opt reads those that it should."""

from __future__ import annotations

import functools
import shutil
import subprocess

import pytest

import kcompile
from kcompile import keras
from kcompile.codegen.target import Target
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.verifier import verify
from kcompile.pipeline import PIPELINE
from tests.ir.test_round_trip import assert_same

STAGES = [stage.name for stage in PIPELINE]
MLIR_OPT = shutil.which("mlir-opt-22") or shutil.which("mlir-opt")


@functools.cache
def compiled() -> kcompile.CompiledModel:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, strides=2, padding="same"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return kcompile.compile(model, target="x86-64", cache="off", engine="interpreter")


@pytest.mark.parametrize("stage", STAGES)
def test_dumps_are_read_back_exactly(stage: str) -> None:
    module = compiled()._function.compiled.module(stage)
    text = print_operation(module, resources=True, locations=True)
    read = parse_module(text)
    assert_same(module, read)
    assert print_operation(read, resources=True, locations=True) == text


@pytest.mark.parametrize("stage", STAGES)
def test_dumps_are_well_formed(stage: str) -> None:
    verify(compiled()._function.compiled.module(stage))


@pytest.mark.xcheck
@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")
@pytest.mark.parametrize("stage", STAGES)
def test_mlir_opt_verifies_dumps(stage: str) -> None:
    module = compiled()._function.compiled.module(stage)
    command = [str(MLIR_OPT), "--allow-unregistered-dialect", "-o", "/dev/null"]
    done = subprocess.run(command, input=print_operation(module, locations=True), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_reproducer_names_a_target_that_can_be_found() -> None:
    from kcompile.ir.passes import find_pass, parse_pipeline, pipeline_text

    configured = find_pass("emit-loops").configured(target=Target.get("x86-64-v3"))
    (read,) = parse_pipeline(pipeline_text([configured]))
    assert Target.get(read.options["target"]) == configured.options["target"]
