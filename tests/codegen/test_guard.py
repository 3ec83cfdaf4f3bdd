"""The guard pages themselves: a kernel that goes one element too far must not survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.guard import guarded, run_guarded

ROOT = Path(__file__).parents[2]
_CHILD = """
import sys
import numpy as np
from kcompile.codegen.kernels import compile_kernels
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.types import MemRefType
from tests.guard import run_guarded
first, last = int(sys.argv[1]), int(sys.argv[2])
m = MemRefType((t.DYNAMIC,), t.f32)
b = LoopBuilder.function("f", [m, m])
x, y = b.block.arguments
with b.for_(first, last) as loop:
    b.prefetch(x, [b.add(loop.iv, 1 << 20)])
    b.store(b.load(x, [loop.iv]), y, [loop.iv])
kernel = compile_kernels(b.ret().parent_op)["f"]
run_guarded(kernel, [np.zeros(10, np.float32)], [np.zeros(10, np.float32)])
"""


@pytest.mark.parametrize(("first", "last", "survives"), [(0, 10, True), (0, 11, False), (-1, 10, False)])
def test_one_element_too_far_is_a_signal(first: int, last: int, survives: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(first), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert done.returncode == (0 if survives else -signal.SIGSEGV), done.stderr.decode()[-500:]


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (1024,), (1025,), (4096, 3)])
def test_copies_hold_the_same_values(shape: tuple[int, ...]) -> None:
    x = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    for at_end in (True, False):
        copy = guarded(x, at_end)
        assert np.array_equal(copy, x) and copy.shape == x.shape
        copy[...] = 1
        assert not copy.size or (copy == 1).all()


def test_writing_to_an_input_is_found() -> None:
    def kernel(arrays: list[np.ndarray], *_: int) -> None:
        arrays[0][0] = 5

    with pytest.raises(AssertionError, match="wrote to an input"):
        run_guarded(kernel, [np.zeros(3, np.float32)], [np.zeros(3, np.float32)])
