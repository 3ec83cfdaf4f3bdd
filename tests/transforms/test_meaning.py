"""Every pass keeps what a module computes: bit for bit, where only the order of operations stays the same."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcompile.errors import UnsupportedError
from kcompile.ir.core import Operation, find_function
from kcompile.ir.interpreter import interpret
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import run_pipeline
from kcompile.ir.printer import print_operation
from kcompile.ir.verifier import verify
from kcompile.transforms.kernel.kinds import is_alias
from tests.properties.graphs import Graph, graphs
from tests.transforms import models
from tests.transforms.pipelines import ALL, FUSION, GRAPH, LINALG, OUTLINE, ROUNDING

# sums of at most a few hundred terms near 1, in another order: 1e-4 is some 800 ulp, wide of what they can lose
CLOSE = {"rtol": 1e-4, "atol": 1e-4, "equal_nan": True}


def assert_same(expected: list[np.ndarray], received: list[np.ndarray], exact: bool, what: str) -> None:
    assert len(expected) == len(received)
    for x, y in zip(expected, received, strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape, what
        if exact:
            np.testing.assert_array_equal(x, y, what)
        else:
            np.testing.assert_allclose(y.astype(np.float64), x.astype(np.float64), err_msg=what, **CLOSE)


def turns_a_symbolic_axis(module: Operation) -> bool:
    """The one thing in random graphs that kernels refuse (with a message): a reverse along b."""
    reverses = (op for op in module.walk() if op.name == "graph.reverse")
    return any(not isinstance(op.operands[0].type.shape[a], int) for op in reverses for a in op["axes"])


@settings(max_examples=60)
@given(graphs(max_ops=30, smooth=True), st.integers(0, 1000))
def test_every_pass_keeps_the_meaning_of_random_graphs(graph: Graph, seed: int) -> None:
    assume(not turns_a_symbolic_axis(graph.module))
    arrays = graph.arrays(seed)
    expected = interpret(graph.module, "main", arrays)
    for name in ALL:
        run_pipeline(graph.module, name, verify_each=True)
        received = interpret(graph.module, "main", arrays)
        assert_same(expected, received, name not in ROUNDING, name)
        expected = received


@settings(max_examples=60)
@given(graphs(max_ops=30), st.permutations(FUSION[1:]), st.integers(0, len(FUSION)))
def test_fusion_passes_keep_the_meaning_in_any_order(graph: Graph, order: list[str], count: int) -> None:
    """Also with some left out: nothing but the speed depends on which of them run."""
    arrays = graph.arrays()
    expected = interpret(graph.module, "main", arrays)
    run_pipeline(graph.module, ",".join(["form-kernels", *order[:count]]), verify_each=True)
    assert_same(expected, interpret(graph.module, "main", arrays), True, str(order[:count]))


@pytest.mark.parametrize("left_out", FUSION[1:])
@pytest.mark.parametrize("name", models.MODELS)
def test_any_fusion_pass_can_be_left_out(name: str, left_out: str) -> None:
    module = models.MODELS[name]()
    arrays = models.random_arguments(module, {"b": 3})
    expected = interpret(module, "main", arrays)
    run_pipeline(module, ",".join(["cse", *(p for p in FUSION if p != left_out)]), verify_each=True)
    assert_same(expected, interpret(module, "main", arrays), True, left_out)


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("name", models.MODELS)
def test_every_pass_keeps_the_meaning_of_train_steps(name: str, batch: int) -> None:
    module = models.MODELS[name]()
    arrays = models.random_arguments(module, {"b": batch}, seed=batch)
    expected = interpret(module, "main", arrays)
    for current in ALL:
        run_pipeline(module, current, verify_each=True)
        received = interpret(module, "main", arrays)
        assert_same(expected, received, current not in ROUNDING, current)
        expected = received


@settings(max_examples=25)
@given(graphs(max_ops=20))
def test_the_text_of_every_stage_reads_back(graph: Graph) -> None:
    assume(not turns_a_symbolic_axis(graph.module))
    for stage in (GRAPH, FUSION, OUTLINE, LINALG):
        run_pipeline(graph.module, ",".join(stage))
        text = print_operation(graph.module, resources=True)
        parsed = parse_module(text)
        verify(parsed)
        assert print_operation(parsed, resources=True) == text


@settings(max_examples=40)
@given(graphs(max_ops=30))
def test_after_forming_main_holds_dispatches_and_aliases_only(graph: Graph) -> None:
    run_pipeline(graph.module, ",".join((*GRAPH, *FUSION)), verify_each=True)
    for op in find_function(graph.module, "main").body.ops:
        assert op.name in ("kernel.dispatch", "func.return") or is_alias(op)
        if op.name == "kernel.dispatch":
            roots = [o.name for o in op.body.ops if not o.has_trait("elementwise") and not o.has_trait("movement")]
            named = [n for n in roots if n not in ("kernel.yield", "graph.constant", "graph.iota", "graph.rng_bits")]
            if op["kernel.root"] == "elementwise":
                assert not named
            elif op["kernel.root"] == "row_chain":
                assert set(named) == {"graph.reduce"}
            elif named:
                assert named == [op["kernel.root"]]


@settings(max_examples=25)
@given(graphs(max_ops=25))
def test_passes_come_to_rest(graph: Graph) -> None:
    """A pass run a second time right after itself finds nothing to do."""
    for name in (*GRAPH, *FUSION):
        run_pipeline(graph.module, name)
        if name not in ("split-reductions{least=8}", "fuse-elementwise", "form-kernels"):
            assert not run_pipeline(graph.module, name), name


def test_a_reverse_of_a_symbolic_axis_is_refused_with_a_way_out() -> None:
    from kcompile.dialects.graph import GraphBuilder
    from kcompile.ir import types as t

    b = GraphBuilder.function("main", [t.TensorType((models.B, 3), t.f32)])
    b.ret(b.reverse(b.argument(0), axes=(0,)))
    with pytest.raises(UnsupportedError, match="fixed size"):
        run_pipeline(b.module, ",".join(ALL))


MLIR_OPT = shutil.which("mlir-opt-22") or shutil.which("mlir-opt")


@pytest.mark.xcheck
@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")
@pytest.mark.parametrize("name", models.MODELS)
def test_mlir_opt_accepts_the_linalg_stage(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "B", 4)  # with a symbol, upstream wants the sizes of tensor.empty as operands
    module = models.MODELS[name]()
    run_pipeline(module, ",".join(ALL))
    command = [MLIR_OPT or "", "--allow-unregistered-dialect", "-o", "/dev/null"]
    done = subprocess.run(command, input=str(module), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
