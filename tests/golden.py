"""Golden tests: every .mlir file with a RUN line is a test, run in this process.

    // RUN: kcompile opt %s -p fuse-epilogues      (several are allowed; `| filecheck NAME` takes the lines NAME:)
    // VALIDATE                                    (the interpreter gives the same before and after; `exact`: bitwise)
    // CHECK-LABEL: sym_name = "f"
    // expected-error {{part of the message}}      (the module between `// -----` lines has to be refused)

`pytest --update-checks` rewrites the CHECK lines of files that say `// CHECKS: generated`.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompile.cli import main
from kcompile.cli.opt import split_input
from kcompile.errors import KcompileError
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import parse_pipeline, run_pipeline
from kcompile.ir.validation import compare_modules
from kcompile.ir.verifier import verify
from tests import filecheck

_RUN = re.compile(r"^// RUN:\s*(.*)$", re.MULTILINE)
_VALIDATE = re.compile(r"^// VALIDATE\s*(exact)?\s*$", re.MULTILINE)
_EXPECTED_ERROR = re.compile(r"//\s*expected-error\s*\{\{(.*?)\}\}")
_GENERATED = re.compile(r"^// CHECKS: generated\s*$", re.MULTILINE)


class GoldenFile(pytest.File):
    """A .mlir file; each RUN line is a test, and so is VALIDATE."""

    def collect(self) -> Iterator[pytest.Item]:
        text = self.path.read_text()
        for number, line in enumerate(_RUN.findall(text)):
            yield GoldenTest.from_parent(
                self, name=f"run{number}" if number else "run", action=lambda p, c=line: run_line(p, c)
            )
        if _VALIDATE.search(text):
            yield GoldenTest.from_parent(self, name="validate", action=validate)


class GoldenTest(pytest.Item):
    def __init__(self, *, action: Any, **rest: Any):
        super().__init__(**rest)
        self.action = action

    def runtest(self) -> None:
        if self.config.getoption("--update-checks") and _GENERATED.search(self.path.read_text()):
            update_checks(self.path)
        self.action(self.path)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, filecheck.CheckError | KcompileError):
            return f"{self.path}\n{excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}::{self.name}"


def run_line(path: Path, line: str) -> None:
    """Run one RUN line and check what it prints."""
    text = path.read_text()
    command, _, checker = line.partition(" | filecheck")
    words = shlex.split(command.replace("%s", shlex.quote(str(path))))
    if words[:1] != ["kcompile"]:
        raise filecheck.CheckError(f"a RUN line starts with kcompile. Received: {line}")
    if _EXPECTED_ERROR.search(text):
        expect_errors(path, text, words)
        return
    output, errors, code = run_command(words[1:])
    if code:
        raise filecheck.CheckError(f"exit code {code} of {line}\n{errors}")
    filecheck.check(output, text, checker.strip() or "CHECK")


def run_command(words: list[str]) -> tuple[str, str, int]:
    """Standard output, standard error and exit code of a kcompile command, run in this process."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main(words)
    return output.getvalue(), errors.getvalue(), code


def expect_errors(path: Path, text: str, words: list[str]) -> None:
    """Every module of the file is refused with the message it announces; those that announce none pass."""
    passes = parse_pipeline(words[words.index("-p") + 1]) if "-p" in words else []
    for chunk, first_line in split_input(text):
        expected = _EXPECTED_ERROR.findall(chunk)
        try:
            module = parse_module("\n" * first_line + chunk, path.name)
            verify(module)
            run_pipeline(module, passes, verify_each=True)
        except KcompileError as error:
            for part in expected or ["(no error)"]:
                if part not in str(error):
                    raise filecheck.CheckError(
                        f"line {first_line + 1}: expected an error with '{part}'. Received: {error}"
                    ) from None
        else:
            if expected:
                raise filecheck.CheckError(
                    f"line {first_line + 1}: expected an error with '{expected[0]}', there was none"
                )


def validate(path: Path) -> None:
    """The pipeline of the first RUN line leaves what each module computes as it was."""
    text = path.read_text()
    words = shlex.split(_RUN.findall(text)[0].partition("|")[0])
    passes = parse_pipeline(words[words.index("-p") + 1])
    mode = _VALIDATE.search(text)
    exact = mode is not None and mode[1] == "exact"
    for chunk, first_line in split_input(text):
        before = parse_module("\n" * first_line + chunk, path.name)
        after = before.clone()
        run_pipeline(after, passes, verify_each=True)
        for seed in range(3):
            difference = compare_modules(before, after, exact=exact, seed=seed)
            if difference is not None:
                raise filecheck.CheckError(f"the module at line {first_line + 1} computes something else: {difference}")


_CHECK_LINE = re.compile(r"^// CHECK[^\n]*\n", re.MULTILINE)
_VALUE = re.compile(r"%[\w$.-]+")


def update_checks(path: Path) -> None:
    """Write the CHECK lines of a file anew from what its first RUN line prints, one block in front of each module."""
    text = path.read_text()
    words = shlex.split(_RUN.findall(text)[0].partition("|")[0].replace("%s", shlex.quote(str(path))))
    output, errors, code = run_command(words[1:])
    if code:
        raise filecheck.CheckError(errors)
    printed = [chunk for chunk, _ in split_input(output)]
    chunks = []
    for (chunk, _), result in zip(split_input(text), printed, strict=True):
        kept = _CHECK_LINE.sub("", chunk)
        module_at = re.search(r'^(?=["#!])', kept, re.MULTILINE)
        at = module_at.start() if module_at is not None else 0
        chunks.append(kept[:at] + generated_checks(result) + kept[at:])
    path.write_text("// -----\n".join(chunks))


def generated_checks(printed: str) -> str:
    """CHECK lines for each operation of a printed module, its values as variables."""
    lines = []
    names: dict[str, str] = {}

    def variable(match: re.Match[str]) -> str:
        name = match[0]
        if name in names:
            return f"[[{names[name]}]]"
        names[name] = "V_" + re.sub(r"\W", "_", name[1:])
        return f"[[{names[name]}:%[^ :,()]+]]"

    for line in printed.splitlines():
        label = re.search(r'"func\.func"\(\) <\{(sym_name = "[^"]*")', line)
        if label is not None:
            names.clear()
            lines.append(f"// CHECK-LABEL: {label[1]}\n")
        elif line.strip().startswith(("%", "^", '"')) and '"builtin.module"' not in line:
            head = re.sub(r"[{\[]{2,}", lambda m: f"{{{{{re.escape(m[0])}}}}}", line.strip())
            lines.append(f"// CHECK-NEXT: {_VALUE.sub(variable, head)}\n")
    return "".join(lines)
