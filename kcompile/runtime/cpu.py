"""What the CPU can do, as the bits of `kc_env.cpu[0]` (kc.h), and the level names that code is generated for.

Standard library only. The C host detects the bits itself; this is the way without it: Linux shows in /proc/cpuinfo
exactly the features that the processor has and whose registers the system saves.
"""

from __future__ import annotations

import platform
from pathlib import Path

DETECTED = 1 << 0
X86_V2 = 1 << 1
X86_V3 = 1 << 2
X86_V4 = 1 << 3
X86_VNNI = 1 << 4
X86_BF16 = 1 << 5
X86_FP16 = 1 << 6
X86_AVX_VNNI = 1 << 7
ARM_NEON = 1 << 32
ARM_DOTPROD = 1 << 33
ARM_FP16 = 1 << 34
ARM_I8MM = 1 << 35
ARM_BF16 = 1 << 36
ARM_SVE = 1 << 37
ARM_SVE2 = 1 << 38

# (bit, the features it stands for in /proc/cpuinfo's words, the bit that must hold before it)
_X86_FEATURES = (
    (X86_V2, "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm", DETECTED),
    (X86_V3, "avx avx2 fma f16c bmi1 bmi2 abm movbe xsave", X86_V2),
    (X86_AVX_VNNI, "avx_vnni", X86_V3),
    (X86_V4, "avx512f avx512bw avx512cd avx512dq avx512vl", X86_V3),
    (X86_VNNI, "avx512_vnni", X86_V4),
    (X86_BF16, "avx512_bf16", X86_V4),
    (X86_FP16, "avx512_fp16", X86_V4),
)
_ARM_FEATURES = (
    (ARM_NEON, "asimd", DETECTED),
    (ARM_FP16, "asimdhp", ARM_NEON),
    (ARM_DOTPROD, "asimddp", ARM_NEON),
    (ARM_I8MM, "i8mm", ARM_NEON),
    (ARM_BF16, "bf16", ARM_NEON),
    (ARM_SVE, "sve", ARM_NEON),
    (ARM_SVE2, "sve2", ARM_SVE),
)

# The levels of x86-64, best first, with the bits that each may use.
_X86_LEVELS = (
    ("x86-64-v4", X86_V4, DETECTED | X86_V2 | X86_V3 | X86_V4 | X86_VNNI | X86_BF16 | X86_FP16 | X86_AVX_VNNI),
    ("x86-64-v3", X86_V3, DETECTED | X86_V2 | X86_V3 | X86_AVX_VNNI),
    ("x86-64-v2", X86_V2, DETECTED | X86_V2),
    ("x86-64", 0, DETECTED),
)


def machine() -> str:
    """The instruction set of this process: `x86_64`, `aarch64`, or the name that the system gives to another one."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def bits_from_features(features: str, machine_name: str) -> int:
    """The bits that a `flags` (x86) or `Features` (Arm) line of /proc/cpuinfo stands for.

    >>> bin(bits_from_features("fpu pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm", "x86_64"))
    '0b11'
    """
    present = set(features.split())
    table = {"x86_64": _X86_FEATURES, "aarch64": _ARM_FEATURES}.get(machine_name)
    if table is None or not present:
        return 0
    bits = DETECTED
    for bit, words, needed in table:
        if bits & needed and present.issuperset(words.split()):
            bits |= bit
    return bits


def detect_without_library(cpuinfo: str = "/proc/cpuinfo") -> int:
    """The bits of this CPU from the system's own list; 0 (= use baseline code) where there is no such list."""
    try:
        text = Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return bits_from_features(value, machine())
    return 0


def level_of(bits: int, machine_name: str | None = None) -> str:
    """The name of the best level that these bits allow: `x86-64` to `x86-64-v4`, `aarch64`, or the machine's name.

    >>> level_of(DETECTED | X86_V2 | X86_V3, "x86_64")
    'x86-64-v3'
    """
    machine_name = machine_name or machine()
    if machine_name != "x86_64":
        return machine_name
    return next(name for name, needed, _ in _X86_LEVELS if bits & needed == needed)


def levels_up_to(bits: int, machine_name: str | None = None) -> list[str]:
    """All levels that run with these bits, best first; the last one is the baseline."""
    machine_name = machine_name or machine()
    if machine_name != "x86_64":
        return [machine_name]
    return [name for name, needed, _ in _X86_LEVELS if bits & needed == needed]


def restrict(bits: int, level: str) -> int:
    """These bits without what is above `level`. The level must be one of `levels_up_to(bits)`."""
    for name, _, allowed in _X86_LEVELS:
        if name == level:
            return bits & allowed
    return bits
