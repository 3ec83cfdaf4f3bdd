"""kcompile opt and the command around it: what is printed where, and the exit codes."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from kcompile.cli import main
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import load_all_passes

MODULE = """\
"func.func"() <{sym_name = "f", function_type = (tensor<2xf32>) -> tensor<2xf32>}> ({
^bb0(%x: tensor<2xf32>):
  %dead = "graph.exp"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %y = "graph.neg"(%x) : (tensor<2xf32>) -> tensor<2xf32> loc("layer")
  "func.return"(%y) : (tensor<2xf32>) -> ()
}) : () -> ()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "f.mlir"
    file.write_text(MODULE)
    return str(file)


def test_a_pipeline_is_run_and_the_result_printed(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["opt", path, "-p", "dce"]) == 0
    out = capsys.readouterr().out
    assert "graph.neg" in out
    assert "graph.exp" not in out
    assert str(parse_module(out)) + "\n" == out


def test_modules_between_separators_are_run_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "f.mlir"
    file.write_text(MODULE + "// ----- another\n" + MODULE.replace('"f"', '"g"'))
    assert main(["opt", str(file), "-p", "dce"]) == 0
    first, second = capsys.readouterr().out.split("// -----\n")
    assert '"f"' in first
    assert '"g"' in second


def test_standard_input_and_an_output_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(MODULE))
    assert main(["opt", "-", "-o", str(tmp_path / "out.mlir"), "--locations"]) == 0
    assert 'loc("layer")' in (tmp_path / "out.mlir").read_text()
    assert capsys.readouterr().out == ""


def test_dumps_times_and_changes(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--verify-each", "--interpret-each", "--print-ir-after-change", "--time-passes"]
    assert main(["opt", path, "-p", "dce,cse", "--dump-stages", str(tmp_path / "d"), *flags]) == 0
    errors = capsys.readouterr().err
    assert "// after dce" in errors
    assert "// after cse" not in errors
    assert "ms" in errors
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == ["00-input.mlir", "01-dce.mlir"]


def test_a_reproducer_is_run_by_its_first_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r.mlir"
    file.write_text("// RUN: kcompile opt --run-reproducer %s -p 'dce' --verify-each\n// Error: x\n" + MODULE)
    assert main(["opt", "--run-reproducer", str(file)]) == 0
    assert "graph.exp" not in capsys.readouterr().out
    file.write_text(MODULE)
    assert main(["opt", "--run-reproducer", str(file)]) == 2
    assert "is no reproducer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "usage: kcompile"),
        (["optimise"], 2, "invalid choice"),
        (["opt"], 2, "the following arguments are required: file"),
        (["opt", "/does/not/exist.mlir"], 2, "kcompile opt: cannot read /does/not/exist.mlir"),
        (["opt", "FILE", "-p", "dcee"], 3, "kcompile.IRError: there is no pass 'dcee'; did you mean dce?"),
        (["opt", "FILE", "--fast"], 2, "unrecognized arguments: --fast"),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, message: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([path if a == "FILE" else a for a in arguments]) == code
    assert message in capsys.readouterr().err


def test_a_text_that_breaks_a_rule_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.mlir"
    file.write_text(MODULE.replace("(%y)", "(%z)"))
    assert main(["opt", str(file)]) == 3
    errors = capsys.readouterr().err
    assert "%z is not defined" in errors
    assert f"{file}:5:" in errors


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    assert main(["opt", "--help"]) == 0
    out = capsys.readouterr().out
    assert "kcompile 0." in out
    assert "run passes on an IR text" in out
    assert "--interpret-each" in out


def test_all_passes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [p.name for p in load_all_passes()]


def test_the_command_starts_without_the_heavy_packages(path: str) -> None:
    code = (
        "import sys; from kcompile.cli import main; main(sys.argv[1:]); "
        "print(sorted(set(sys.modules) & {'llvmlite', 'h5py', 'cffi'}))"
    )
    done = subprocess.run([sys.executable, "-c", code, "opt", path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
