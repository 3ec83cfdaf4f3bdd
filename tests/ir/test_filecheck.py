"""The matcher of golden tests: each directive holds where it should, and fails where it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import golden
from tests.filecheck import CheckError, check

TEXT = """\
define @f
  a = load x
  b = load   y
  c = add a, b

define @g
  d = mul a, a
  store d
"""

HOLDS = [
    ["CHECK: load x"],
    ["CHECK: @f", "CHECK-NEXT: load x", "CHECK-NEXT: load y", "CHECK-NEXT: add"],
    ["CHECK: b =", "CHECK-SAME: load y"],  # blanks match blanks
    ["CHECK: a = {{l.*d}} x"],
    ["CHECK: [[A:[a-z]]] = load x", "CHECK: [[B:[a-z]]] = load", "CHECK: add [[A]], [[B]]"],
    ["CHECK: mul [[A:[a-z]]], [[A]]"],
    ["CHECK-DAG: load y", "CHECK-DAG: load x"],
    ["CHECK-DAG: load", "CHECK-DAG: load", "CHECK: add"],
    ["CHECK-DAG: load y", "CHECK-DAG: load x", "CHECK-NOT: load", "CHECK: add"],
    ["CHECK-LABEL: @f", "CHECK-NOT: mul", "CHECK: add", "CHECK-NOT: mul", "CHECK-LABEL: @g", "CHECK: mul"],
    ["CHECK: add", "CHECK-EMPTY:", "CHECK-NEXT: @g"],
    ["CHECK-COUNT-2: load", "CHECK-NOT: load"],
    ["CHECK-NOT: div"],
    ["CHECK: store d", "CHECK-NOT: {{.}}"],
]
FAILS = [
    (["CHECK: div"], "is not found"),
    (["CHECK: add", "CHECK: load"], "is not found"),  # in order
    (["CHECK: @f", "CHECK-NEXT: add"], "is not on the next line but 3 lines on"),
    (["CHECK: @f", "CHECK-SAME: load"], "is not on the same line"),
    (["CHECK: mul [[A:[a-z]]], b"], "is not found"),
    (["CHECK: [[A:[a-z]]] = load x", "CHECK: add [[A]], [[A]]"], "is not found"),
    (["CHECK-NOT: mul"], "is there, and should not be"),
    (["CHECK: @f", "CHECK-NOT: load y", "CHECK: add"], "is there, and should not be"),
    (["CHECK-LABEL: @f", "CHECK: mul", "CHECK-LABEL: @g"], "is not found"),  # it is in the next section
    (["CHECK-DAG: load", "CHECK-DAG: load", "CHECK-DAG: load"], "is not found"),
    (["CHECK-DAG: load x", "CHECK-DAG: load y", "CHECK-NOT: add", "CHECK: @g"], "is there, and should not be"),
    (["CHECK: a", "CHECK-EMPTY:"], "is not on the next line"),
    (["CHECK-COUNT-3: load"], "is not found"),
    (["CHECK: [[X]]"], "the variable X is not defined"),
    (["CHECK:"], "has no pattern"),
    ([], "there is no CHECK line"),
    (["CHECKED: nonsense"], "there is no CHECK line"),
]


@pytest.mark.parametrize("lines", HOLDS, ids=" ; ".join)
def test_checks_that_hold(lines: list[str]) -> None:
    check(TEXT, "\n".join(f"// {line}" for line in lines))


@pytest.mark.parametrize(("lines", "message"), FAILS, ids=[" ; ".join(lines) for lines, _ in FAILS])
def test_checks_that_fail(lines: list[str], message: str) -> None:
    with pytest.raises(CheckError) as caught:
        check(TEXT, "\n".join(f"// {line}" for line in lines))
    assert message in str(caught.value)


def test_other_prefixes_are_other_checks() -> None:
    checks = "// FOO: load x\n// CHECK: nothing of the kind"
    check(TEXT, checks, "FOO")
    with pytest.raises(CheckError):
        check(TEXT, checks)


def test_nothing_is_not_what_was_wanted() -> None:
    with pytest.raises(CheckError, match="the output is empty"):
        check("", "// CHECK-NOT: div")


MODULE = """\
"func.func"() <{sym_name = "f", function_type = (tensor<2xf32>) -> tensor<2xf32>}> ({
^bb0(%x: tensor<2xf32>):
  %0 = "graph.exp"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = "graph.constant"() {value = dense<[[1.0, 2.0]]> : tensor<1x2xf32>} : () -> tensor<1x2xf32>
  "func.return"(%0) : (tensor<2xf32>) -> ()
}) : () -> ()
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.mlir"
    path.write_text(text)
    return path


def test_generated_checks_hold_and_are_stable(tmp_path: Path) -> None:
    head = "// RUN: kcompile opt %s\n// CHECKS: generated\n// Why this test is.\n"
    path = write(tmp_path, head + "// CHECK: out of date\n" + MODULE + "// -----\n" + MODULE)
    with pytest.raises(CheckError):
        golden.run_line(path, "kcompile opt %s")
    golden.update_checks(path)
    golden.run_line(path, "kcompile opt %s")
    text = path.read_text()
    assert "out of date" not in text
    assert text.count("// CHECK-LABEL") == 2
    assert "// Why this test is." in text
    golden.update_checks(path)
    assert path.read_text() == text
    path.write_text(text.replace('  %0 = "graph.exp"', '  %0 = "graph.log"'))
    with pytest.raises(CheckError):
        golden.run_line(path, "kcompile opt %s")


def test_expected_errors(tmp_path: Path) -> None:
    wrong = MODULE.replace("graph.exp", "graph.is_finite")
    line = "kcompile opt %s"
    good = f"// RUN: {line}\n{MODULE}// -----\n// expected-error {{{{by its rule}}}}\n{wrong}"
    golden.run_line(write(tmp_path, good), line)
    for text in (
        good.replace("by its rule", "something else"),
        good.replace("graph.is_finite", "graph.exp"),
        good.replace("graph.exp", "graph.is_finite"),
    ):
        with pytest.raises(CheckError):
            golden.run_line(write(tmp_path, text), line)


def test_validate_runs_before_and_after(tmp_path: Path) -> None:
    golden.validate(write(tmp_path, f"// RUN: kcompile opt %s -p dce\n// VALIDATE exact\n{MODULE}"))
