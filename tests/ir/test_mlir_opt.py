"""mlir-opt as a second opinion: it reads what we print, and we read what it prints."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import Phase, given, settings

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.ir.core import Operation
from kcompile.ir.dims import symbol
from kcompile.ir.location import UNKNOWN, Location
from kcompile.ir.parser import parse_module
from kcompile.ir.printer import print_operation
from kcompile.ir.types import TensorType, f32
from tests.ir.generated import modules
from tests.ir.test_round_trip import assert_same

MLIR_OPT = shutil.which("mlir-opt-22") or shutil.which("mlir-opt")
pytestmark = [pytest.mark.xcheck, pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")]


def mlir_opt(text: str, *flags: str) -> str:
    """What mlir-opt prints in generic form; its complaint is the test's failure."""
    command = [str(MLIR_OPT), "--mlir-print-op-generic", "--mlir-print-debuginfo", *flags]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout


@given(modules(fewest=1))  # mlir-opt refuses some empty blocks
@settings(max_examples=20, phases=[Phase.generate])  # a process each: too slow to shrink
def test_modules_of_unknown_dialects_survive_a_trip_through_mlir_opt(module: Operation) -> None:
    text = print_operation(module, resources=True, locations=True)
    read = parse_module(mlir_opt(text, "--allow-unregistered-dialect"))
    for op in read.walk():
        if op.location.file == "<stdin>":  # where mlir-opt found an operation that has no location
            op.location = UNKNOWN
    assert_same(module, read)


def test_a_graph_module_survives_with_names_and_symbols() -> None:
    g = GraphBuilder.function("main", [TensorType((symbol("b"), 3), f32)])
    with g.located(Location("model/dense", "train.py", 3)):
        g.ret(g.add(g.exp(g.argument(0)), 1.5))
    text = print_operation(g.module, locations=True)
    read = parse_module(mlir_opt(text, "--allow-unregistered-dialect"))
    assert print_operation(read) == print_operation(g.module)
