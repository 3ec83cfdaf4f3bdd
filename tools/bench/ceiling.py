"""What a core can do at most: multiply-adds of f32 a second, by a loop of independent chains in registers.

python tools/bench/ceiling.py         # GFLOP/s of one thread and of all
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import llvmlite.binding as llvm

CHAINS = 12  # more than latency x units of any core here, fewer than its registers
ROUNDS = 200_000


def loop(lanes: int) -> str:
    """LLVM IR of @multiply_add(rounds) -> a value that depends on every chain."""
    vector = f"<{lanes} x float>"
    fma = f"@llvm.fma.v{lanes}f32"
    start = [f"insertelement ({vector} zeroinitializer, float 0x3FF{c:x}000000000000, i32 0)" for c in range(CHAINS)]
    phis = [f"  %a{c} = phi {vector} [ {s}, %entry ], [ %b{c}, %loop ]" for c, s in enumerate(start)]
    steps = [f"  %b{c} = call {vector} {fma}({vector} %a{c}, {vector} %m, {vector} %m)" for c in range(CHAINS)]
    sums = [f"  %s{c} = fadd {vector} %{'b0' if c == 1 else f's{c - 1}'}, %b{c}" for c in range(1, CHAINS)]
    return "\n".join([
        f"declare {vector} {fma}({vector}, {vector}, {vector})",
        "define float @multiply_add(i64 %rounds) {",
        "entry:",
        f"  %first = insertelement {vector} zeroinitializer, float 0.5, i32 0",  # the chains stay near 1
        f"  %m = shufflevector {vector} %first, {vector} poison, <{lanes} x i32> zeroinitializer",
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]",
        *phis, *steps,
        "  %next = add i64 %i, 1",
        "  %more = icmp ult i64 %next, %rounds",
        "  br i1 %more, label %loop, label %end",
        "end:",
        *sums,
        f"  %value = extractelement {vector} %s{CHAINS - 1}, i32 0",
        "  ret float %value",
        "}",
    ])  # fmt: skip


@contextmanager
def compiled_loop() -> Iterator[tuple[Callable[[int], float], int]]:
    """The loop as a function of its rounds, and the flops of a round: two a multiply-add."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 16 if features.get("avx512f") else 8 if features.get("fma") else 4
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2
    )
    with llvm.create_mcjit_compiler(llvm.parse_assembly(loop(lanes)), target) as engine:
        engine.finalize_object()
        address = engine.get_function_address("multiply_add")
        yield ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64)(address), 2 * CHAINS * lanes


def multiply_adds(threads: int = 1, seconds: float = 0.5) -> float:
    """GFLOP/s that `threads` threads reach together in slices of about a millisecond."""
    with compiled_loop() as (run, flops):
        best = [0.0] * threads

        def work(number: int) -> None:
            end = time.perf_counter() + seconds
            while (start := time.perf_counter()) < end:
                run(ROUNDS)  # the lock of the interpreter is free meanwhile
                best[number] = max(best[number], flops * ROUNDS / (time.perf_counter() - start) / 1e9)

        team = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        for member in team:
            member.start()
        for member in team:
            member.join()
    return sum(best)


if __name__ == "__main__":
    for count in sorted({1, len(os.sched_getaffinity(0))}):
        print(f"{count} threads: {multiply_adds(count):.0f} GFLOP/s")
