"""team_stress.c in every build: plain with refused threads, and under the sanitizers; with futex and with condvar."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kcompile.runtime.native import source_directory

STRESS = Path(__file__).parent / "team_stress.c"
SOURCES = [str(STRESS), *(str(source_directory() / name) for name in ("kc_host.c", "kc_machine.c"))]
BUILDS = {
    "threads-refused": ("500", ["-DREFUSE_THREADS", "-Wl,--wrap=pthread_create"]),
    "address-undefined": ("500", ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
    "thread": ("300", ["-fsanitize=thread", "-DNO_FORK"]),  # its runtime does not follow a fork
}
WAITING = {"futex": [], "condvar": ["-DKC_HOST_PORTABLE_WAIT"]}


def can_link(build, tmp_path: Path, flags: list[str]) -> bool:
    empty = tmp_path / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    try:
        program = build(f"empty-{abs(hash(tuple(flags)))}", *flags, str(empty))
    except AssertionError:  # this compiler came without the sanitizer's library
        return False
    return subprocess.run([program], timeout=60).returncode == 0


@pytest.mark.parametrize("waiting", WAITING)
@pytest.mark.parametrize("kind", BUILDS)
def test_the_team_keeps_its_promises(build, tmp_path: Path, kind: str, waiting: str) -> None:
    regions, flags = BUILDS[kind]
    if not can_link(build, tmp_path, flags if "-DREFUSE_THREADS" not in flags else []):
        pytest.skip(f"this compiler cannot build with {' '.join(flags)}")
    program = build(f"stress-{kind}-{waiting}", *flags, *WAITING[waiting], *SOURCES)
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_leaks=1"}
    done = subprocess.run([program, regions], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "kept\n"), done.stderr
