"""C programs that link artifacts: two models side by side, with warnings as errors, under the address sanitizer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.artifact.models import compiled, rows

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def build(program: Path, source: Path, artifacts: list[Path], *flags: str) -> None:
    assert COMPILER is not None
    includes = [f"-I{a / 'include'}" for a in artifacts]
    objects = [str(o) for a in artifacts for o in a.glob("lib/*/*.o")]
    command = [COMPILER, "-std=c11", "-Wall", "-Wextra", "-Werror", *flags, *includes, str(source), *objects]
    subprocess.run([*command, "-o", str(program)], check=True, timeout=120)


@pytest.mark.parametrize("flags", [("-O1",), ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")])
def test_two_models_in_one_program(tmp_path: Path, flags: tuple[str, ...]) -> None:
    models = [compiled("first"), compiled("second", scale=0.5)]
    artifacts = [m.save(tmp_path / f"{m.name}.kc") for m in models]
    try:
        build(tmp_path / "two", Path(__file__).with_name("two_models.c"), artifacts, *flags)
    except subprocess.CalledProcessError:
        if "-g" not in flags:
            raise
        pytest.skip("the C compiler has no sanitizers")
    x = rows(31)
    x.tofile(tmp_path / "rows.bin")
    subprocess.run([tmp_path / "two", tmp_path / "rows.bin", tmp_path / "out.bin"], check=True, timeout=60)
    answers = np.fromfile(tmp_path / "out.bin", np.float32).reshape(2, 31, 4)
    for model, answer in zip(models, answers, strict=True):
        # the program runs the baseline code, which has no fused multiply-add
        np.testing.assert_allclose(answer, model(x), rtol=1e-5, atol=1e-6)


def test_the_headers_are_c_and_cpp(tmp_path: Path) -> None:
    artifact = compiled("first").save(tmp_path / "first.kc")
    for language, standard in (("c", "c99"), ("c++", "c++11")):
        source = tmp_path / f"check.{language}"
        source.write_text('#include "first.h"\nconst kc_model *f(void) { return kc_first_query(KC_ABI, 0); }\n')
        assert COMPILER is not None
        command = [COMPILER, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        done = subprocess.run(
            [*command, f"-I{artifact / 'include'}", str(source)], capture_output=True, text=True, timeout=60
        )
        if language == "c++" and "cc1plus" in done.stderr:
            continue  # a compiler without C++
        assert done.returncode == 0, done.stderr
