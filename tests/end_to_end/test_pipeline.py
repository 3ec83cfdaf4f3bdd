"""The pipeline as a whole: every pass is in it, options reach it, modules given to it stay as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir.passes import load_all_passes
from kcompile.ir.printer import print_operation
from kcompile.options import Options
from kcompile.pipeline import PIPELINE, STAGES, compile_module, identifier
from tests.transforms import models


def options(**changed: object) -> Options:
    return Options.of(**{"engine": "native", "target": "host", "threads": 1, **changed})


def test_every_registered_pass_has_its_place() -> None:
    used = {name for stage in PIPELINE for name in stage.passes}
    assert {p.name for p in load_all_passes()} == used


def test_levels_follow_one_another() -> None:
    by_name = {p.name: p for p in load_all_passes()}
    level = "graph"
    order = ["graph", "kernel", "linalg", "loops", "plan"]
    for stage in PIPELINE:
        for name in stage.passes:
            found = by_name[name]
            assert order.index(found.reads) <= order.index(level), name
            level = order[max(order.index(level), order.index(found.writes))]
        assert level == stage.name


def test_the_given_module_stays_as_it_is() -> None:
    module = models.mlp_step()
    before = print_operation(module)
    compile_module(module, options=options()).llvm  # noqa: B018
    assert print_operation(module) == before


def test_the_same_module_gives_the_same_text() -> None:
    first, second = (compile_module(models.cnn_step(), options=options()).llvm for _ in range(2))
    assert first == second


def test_dumps(tmp_path: Path) -> None:
    compiled = compile_module(models.mlp_step(), options=options(dump=str(tmp_path)))
    compiled.module("plan")
    assert [p.name for p in sorted(tmp_path.iterdir())] == [f"{i}-{s}" for i, s in enumerate(STAGES[:5])]
    assert (tmp_path / "3-loops" / "01-emit-loops.mlir").exists()


def test_a_pass_can_be_left_out() -> None:
    compiled = compile_module(models.mlp_step(), options=options(disable="fuse-epilogues, dedupe-kernels"))
    compiled.module("kernel")
    names = [name.partition("{")[0] for name, _, _ in compiled.times]
    assert "fuse-elementwise" in names
    assert "fuse-epilogues" not in names
    assert "dedupe-kernels" not in names


def test_several_targets_in_one_object_are_sorted_best_first() -> None:
    compiled = compile_module(models.mlp_step(), "m", ["x86-64", "x86-64-v4", "x86-64-v3", "x86-64"], options())
    assert [t.name for t in compiled.targets] == ["x86-64-v4", "x86-64-v3", "x86-64"]
    assert all(f"@m_body_{i}" in compiled.llvm for i in range(3))
    with pytest.raises(UnsupportedError, match="one architecture"):
        compile_module(models.mlp_step(), "m", ["x86-64", "aarch64"], options())


def test_stages_that_do_not_exist() -> None:
    compiled = compile_module(models.mlp_step(), options=options())
    for ask in (compiled.module, compiled.text):
        with pytest.raises(KcompileError, match="no stage 'magic'"):
            ask("magic")


@pytest.mark.parametrize(
    ("name", "made"), [("digits", "digits"), ("my model/2", "my_model_2"), ("2d", "m2d"), ("", "model"), ("ü", "_")]
)
def test_identifiers(name: str, made: str) -> None:
    assert identifier(name) == made


def test_weights_in_the_block_are_where_the_plan_says() -> None:
    from kcompile.ir.core import find_function

    module = models.mlp_step()
    main = find_function(module, "main")
    count = len(main.body.arguments)
    main["arg_attrs"] = tuple(
        {"kernel.role": "weight" if i < 4 else "input", "kernel.name": f"a{i}"} for i in range(count)
    )
    compiled = compile_module(module, options=options(freeze=True))
    weights = models.random_arguments(module, {"b": 1})[:4]
    block = compiled.prepared_weights(weights)
    places = find_function(compiled.module("plan"), "main")["plan.weights"]
    raw = [np.ascontiguousarray(w).tobytes() for w in weights]
    held = [bytes(block[p["offset"] : p["offset"] + p["bytes"]]) for p in places]
    assert sum(data in raw for data in held) >= 2, "weights that need no preparation are kept as they are"
