"""Targets: what a machine can do, and how LLVM is told.

>>> Target.get("x86-64-v3").lanes(f32)
8

Only the CPU names and features of this file, and those that LLVM itself found on this machine, ever reach LLVM: it ends
the process when it meets a name that it does not know.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from functools import cache

from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.types import Type

LINE = 64  # bytes of a line of the cache, on all of them
X86, AARCH64 = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"

# what kernels may rely on, beyond arithmetic: an instruction of its own instead of a sequence of ours
FMA, ROUND, HALF, GATHER = "fma", "round", "half", "gather"


@dataclass(frozen=True, slots=True)
class Target:
    """A machine.

    name          "x86-64-v3", "aarch64", "host:znver4"
    cpu           LLVM's name of the CPU
    features      LLVM's feature string, such as "+avx2,-avx512f"
    vector_bits   of the registers that kernels should use
    registers     how many of them there are
    instructions  out of "fma", "round", "half" (f16 <-> f32), "gather"
    l1, l2, l3    bytes of cache that one core may fill
    """

    name: str
    triple: str
    cpu: str
    features: str
    vector_bits: int
    registers: int
    instructions: frozenset[str]
    l1: int = 32 << 10
    l2: int = 512 << 10
    l3: int = 8 << 20
    level: int = field(default=0, compare=False)  # of the x86-64 levels; 0 elsewhere

    def lanes(self, element: Type) -> int:
        """How many `element`s a vector register holds."""
        return max(1, self.vector_bits // max(8, t.bitwidth(element)))

    def has(self, instruction: str) -> bool:
        return instruction in self.instructions

    @property
    def architecture(self) -> str:
        """ "x86_64" or "aarch64"."""
        return self.triple.partition("-")[0]

    @property
    def attributes(self) -> str:
        """The attributes of a function compiled for this target, as LLVM text."""
        parts = [f'"target-cpu"="{self.cpu}"']
        if self.features:
            parts.append(f'"target-features"="{self.features}"')
        if self.architecture == "x86_64":
            # without it LLVM splits 512-bit vectors on CPUs whose tuning prefers 256 bits
            parts.append(f'"prefer-vector-width"="{self.vector_bits}"')
        return " ".join(parts)

    @property
    def key(self) -> str:
        """What must agree for machine code to be shared."""
        return f"{self.triple} {self.cpu} {self.features} {self.vector_bits}"

    @staticmethod
    def get(name: str) -> Target:
        """A target by name: "host", "x86-64", "x86-64-v3", "x86-64-v4" or "aarch64"."""
        if name == "host":
            return Target.host()
        if name not in _TARGETS:
            known = ", ".join(["host", *_TARGETS])
            raise UnsupportedError(f"no code is generated for the target {name!r}; known are {known}")
        return _TARGETS[name]

    @staticmethod
    def host() -> Target:
        """This machine."""
        return _host()

    def runs_here(self) -> bool:
        """Whether this machine can run the target's code."""
        host = Target.host()
        return host.architecture == self.architecture and (self.level <= host.level or self == host)


_V3 = frozenset({FMA, ROUND, HALF, GATHER})
_TARGETS = {
    "x86-64": Target("x86-64", X86, "x86-64", "", 128, 16, frozenset(), level=1),
    "x86-64-v3": Target("x86-64-v3", X86, "x86-64-v3", "", 256, 16, _V3, level=3),
    "x86-64-v4": Target("x86-64-v4", X86, "x86-64-v4", "", 512, 32, _V3, l2=1 << 20, level=4),
    "aarch64": Target("aarch64", AARCH64, "generic", "+neon", 128, 32, frozenset({FMA, ROUND, HALF})),
}

# the x86-64 levels, by the features that each adds (the psABI's list)
_LEVEL_3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "sse4.1", "sse4.2", "ssse3", "popcnt")
_LEVEL_4 = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")


@cache
def _host() -> Target:
    import llvmlite.binding as llvm

    machine = platform.machine().lower()
    if machine in ("aarch64", "arm64"):
        base = _TARGETS["aarch64"]
        return Target("host", AARCH64, "generic", "+neon", 128, 32, base.instructions, *_caches(base))
    if machine not in ("x86_64", "amd64"):
        raise UnsupportedError(f"no code is generated for a {machine} machine; use the engine 'interpreter'")
    features = llvm.get_host_cpu_features()
    has = {name for name, on in features.items() if on}
    level = 1 if not has.issuperset(_LEVEL_3) else 4 if has.issuperset(_LEVEL_4) else 3
    base = _TARGETS[{1: "x86-64", 3: "x86-64-v3", 4: "x86-64-v4"}[level]]
    flags = ",".join(("+" if on else "-") + name for name, on in sorted(features.items()))
    cpu = llvm.get_host_cpu_name()
    return Target(
        f"host:{cpu}", X86, cpu, flags, base.vector_bits, base.registers, base.instructions, *_caches(base), level=level
    )


def _caches(base: Target) -> tuple[int, int, int]:
    """The data caches of the first core, as Linux tells them; the defaults of `base` elsewhere."""
    sizes = {1: base.l1, 2: base.l2, 3: base.l3}
    root = "/sys/devices/system/cpu/cpu0/cache"
    try:
        for entry in sorted(os.listdir(root)):
            if not entry.startswith("index"):
                continue
            facts = {}
            for name in ("level", "type", "size"):
                with open(f"{root}/{entry}/{name}") as file:
                    facts[name] = file.read().strip()
            if facts["type"] != "Instruction" and facts["size"].endswith("K"):
                sizes[int(facts["level"])] = int(facts["size"][:-1]) << 10
    except (OSError, ValueError, KeyError):
        pass  # a container may hide them
    return sizes[1], sizes[2], sizes[3]
