"""dump, build and run on a small model: from a file and from a function, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kcompile
from kcompile import keras
from kcompile.cli import main
from kcompile.cli.dump import STAGES
from kcompile.pipeline import STAGES as PIPELINE_STAGES


def small_model() -> keras.Model:
    """Two dense layers."""
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])


MODEL = f"{__name__ if __name__.startswith('tests.') else 'tests.cli.test_model_verbs'}:small_model"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    model = small_model()
    path = tmp_path_factory.mktemp("model") / "m.keras"
    model.save(path)
    return model, path


def test_the_stages_are_those_of_the_pipeline() -> None:
    assert STAGES == PIPELINE_STAGES


@pytest.mark.parametrize(
    ("stage", "shows"),
    [
        ("graph", "graph.dot_general"),
        ("kernel", "kernel.call"),
        ("linalg", "linalg.generic"),
        ("loops", "vector"),
        ("plan", "plan."),
        ("llvm", "define"),
        ("asm", ".text"),
    ],
)
def test_dump_prints_each_stage(
    stage: str, shows: str, saved: tuple[keras.Model, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dump", str(saved[1]), "--stage", stage]) == 0
    assert shows in capsys.readouterr().out


def test_a_function_gives_a_model_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", MODEL]) == 0
    assert "graph.dot_general" in capsys.readouterr().out


def test_dump_shows_the_way(
    saved: tuple[keras.Model, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--verify-each", "--interpret-each", "--print-ir-after-change", "--time-passes", "--disable", "cse"]
    stages = tmp_path / "stages"
    assert main(["dump", str(saved[1]), "--stage", "plan", "--dump-stages", str(stages), *flags]) == 0
    errors = capsys.readouterr().err
    assert "// after form-kernels" in errors
    assert "ms" in errors
    assert " cse" not in errors
    assert (stages / "1-kernel" / "00-input.mlir").is_file()
    assert [p.name for p in sorted(stages.iterdir())] == ["0-graph", "1-kernel", "2-linalg", "3-loops", "4-plan"]


def test_build_then_run(saved: tuple[keras.Model, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, path = saved
    artifact = tmp_path / "artifact"
    assert main(["build", str(path), "-o", str(artifact), "--target", "host"]) == 0
    assert "manifest.json" in capsys.readouterr().out
    x = np.linspace(-1, 1, 15, dtype=np.float32).reshape(3, 5)
    np.savez(tmp_path / "x.npz", anything=x)
    assert main(["run", str(artifact), "--inputs", str(tmp_path / "x.npz"), "--outputs", str(tmp_path / "y.npz")]) == 0
    with np.load(tmp_path / "y.npz") as outputs:
        (y,) = (outputs[name] for name in outputs.files)
    np.testing.assert_allclose(y, np.asarray(model(x)), rtol=1e-5, atol=1e-6)
    np.save(tmp_path / "x.npy", x)
    assert main(["run", str(artifact), "--inputs", str(tmp_path / "x.npy")]) == 0
    assert "float32[3, 2]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["dump", "nowhere.keras"], 2, "there is no file nowhere.keras"),
        (["dump", "no_such_module_of_ours:model"], 2, "cannot import no_such_module_of_ours"),
        (["dump", "math:model"], 2, "the module math has no 'model'"),
        (["dump", "math:pi"], 3, "compile takes a kcompile.keras model"),
        (["dump", "MODEL", "--stage", "gaph"], 2, "invalid choice"),
        (["dump", "MODEL", "--target", "z80"], 3, "z80"),
        (["build", "MODEL"], 2, "-o/--output"),
        (["run", "nowhere", "--inputs", "nowhere.npz"], 2, "cannot read nowhere.npz"),
    ],
)
def test_what_is_refused(
    arguments: list[str], code: int, message: str, saved: tuple[keras.Model, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(saved[1]) if a == "MODEL" else a for a in arguments]) == code
    assert message in capsys.readouterr().err


def test_an_artifact_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    assert main(["run", str(tmp_path), "--inputs", str(tmp_path / "x.npy")]) == 3
    assert "ArtifactError" in capsys.readouterr().err


def test_a_damaged_model_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.keras").write_bytes(b"PK no zip")
    assert main(["dump", str(tmp_path / "m.keras")]) == 3
    assert "FormatError" in capsys.readouterr().err


def test_inputs_that_do_not_fit_are_refused(
    saved: tuple[keras.Model, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(saved[1]), "-o", str(tmp_path / "a"), "--target", "host"]) == 0
    for arrays, code, message in (
        ([np.ones((2, 4), np.float32)], 3, "ShapeError"),
        ([np.ones((2, 5), np.float32)] * 2, 2, "takes 1 inputs"),
    ):
        np.savez(tmp_path / "x.npz", *arrays)
        assert main(["run", str(tmp_path / "a"), "--inputs", str(tmp_path / "x.npz")]) == code
        assert message in capsys.readouterr().err


def test_explain_lists_kernels_and_what_stayed_apart(
    saved: tuple[keras.Model, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(saved[1]), "--batch", "3", "--measure"]) == 0
    shown = capsys.readouterr().out
    head, first, *_ = shown.splitlines()
    assert "GFLOP/s" in head
    assert "contraction" in first and "3x4" in first
    assert "2 kernels, 2 calls" in shown
    assert "both dot_general and dot_general need loops of their own" in shown
    assert main(["explain", str(saved[1]), "--batch", "0"]) == 2
    assert "Received: 0" in capsys.readouterr().err


def test_kernel_figures_are_exact(saved: tuple[keras.Model, Path]) -> None:
    """Of dense layers of 5 x 4 and 4 x 2 on 3 rows: multiply-adds and bias; inputs, weights and result."""
    first, second = kcompile.compile(saved[0]).kernels(3)
    assert second.flops == 3 * 2 * (2 * 4 + 1)
    assert first.bytes == 4 * (3 * 5 + 5 * 4 + 4 + 3 * 4)
    assert (second.calls, second.result, second.seconds) == (1, "3x2", None)


def test_bench_times_every_batch_and_team(
    saved: tuple[keras.Model, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(saved[1]), "-o", str(tmp_path / "m.kc")]) == 0
    for model in (str(saved[1]), str(tmp_path / "m.kc")):
        capsys.readouterr()
        assert main(["bench", model, "--batch", "1,3", "--threads", "1,2", "--seconds", "0"]) == 0
        head, *rows = capsys.readouterr().out.splitlines()
        assert "rows a second" in head
        assert [row.split()[:2] for row in rows] == [["1", "1"], ["1", "3"], ["2", "1"], ["2", "3"]]


@pytest.mark.parametrize("flags", [["--batch", "0"], ["--batch", "1,x"], ["--threads", "-1"]])
def test_bench_refuses_counts_below_one(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", MODEL, *flags]) == 2
    assert f"{flags[0]} takes counts from 1" in capsys.readouterr().err
