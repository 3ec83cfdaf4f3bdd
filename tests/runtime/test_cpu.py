"""CPU features: the C host, /proc/cpuinfo and the level names agree."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.runtime import cpu

X86_WORDS = sorted({word for _, words, _ in cpu._X86_FEATURES for word in words.split()})
X86_LEVELS = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"]

x86_features = st.sets(st.sampled_from(X86_WORDS))


def test_host_library_sees_what_the_system_lists(team: ctypes.CDLL) -> None:
    found = (ctypes.c_uint64 * 8)(*[7] * 8)
    team.kc_host_cpu(ctypes.addressof(found))
    assert found[0] == cpu.detect_without_library()
    assert list(found[1:]) == [0] * 7
    assert found[0] & cpu.DETECTED


@given(x86_features, x86_features)
def test_more_features_never_lower_the_level(some: set[str], more: set[str]) -> None:
    few = cpu.bits_from_features(" ".join(some), "x86_64")
    many = cpu.bits_from_features(" ".join(some | more), "x86_64")
    assert few & many == few
    assert X86_LEVELS.index(cpu.level_of(few, "x86_64")) <= X86_LEVELS.index(cpu.level_of(many, "x86_64"))


@given(x86_features)
def test_a_bit_needs_all_features_of_its_own_and_of_the_levels_below(present: set[str]) -> None:
    bits = cpu.bits_from_features(" ".join(present), "x86_64")
    for bit, words, needed in cpu._X86_FEATURES:
        if bits & bit:
            assert present >= set(words.split())
            assert bits & needed


@given(x86_features)
def test_restricting_to_a_level_gives_that_level(present: set[str]) -> None:
    bits = cpu.bits_from_features(" ".join(present), "x86_64")
    levels = cpu.levels_up_to(bits, "x86_64")
    assert levels[0] == cpu.level_of(bits, "x86_64")
    assert levels[-1] == "x86-64"
    for level in levels:
        restricted = cpu.restrict(bits, level)
        assert restricted & bits == restricted
        assert cpu.level_of(restricted, "x86_64") == level


def test_arm_features() -> None:
    bits = cpu.bits_from_features("fp asimd asimddp i8mm sve", "aarch64")
    assert bits == cpu.DETECTED | cpu.ARM_NEON | cpu.ARM_DOTPROD | cpu.ARM_I8MM | cpu.ARM_SVE
    assert cpu.level_of(bits, "aarch64") == "aarch64"
    assert cpu.levels_up_to(bits, "aarch64") == ["aarch64"]


def test_unknown_machines_run_baseline_code() -> None:
    assert cpu.bits_from_features("whatever", "s390x") == 0
    assert cpu.level_of(0, "s390x") == "s390x"
    assert cpu.level_of(0, "x86_64") == "x86-64"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"processor: 0\n"])
def test_a_missing_or_odd_cpuinfo_is_no_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cpuinfo"
    if content is not None:
        path.write_bytes(content)
    assert cpu.detect_without_library(str(path)) == 0


def test_header_and_python_name_the_same_bits() -> None:
    from kcompile.runtime.native import header

    defined = {}
    for line in header().splitlines():
        words = line.split()
        if len(words) > 3 and words[0] == "#define" and "UINT64_C(1)" in line and "<<" in line:
            defined[words[1]] = 1 << int(words[4].rstrip(")"))
    assert defined == {
        ("KC_CPU_DETECTED" if name == "DETECTED" else f"KC_{name}"): getattr(cpu, name)
        for name in dir(cpu)
        if name == "DETECTED" or name.startswith(("X86_", "ARM_"))
    }
