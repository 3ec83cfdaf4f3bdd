"""Objects side by side in one process: each keeps its own code, data and helpers for as long as it lives."""

from __future__ import annotations

import ctypes
import gc
import mmap
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kcompile.codegen.jit import load_object
from kcompile.codegen.object import compile_object
from kcompile.codegen.target import Target
from kcompile.errors import KcompileError
from kcompile.runtime.executable import CompiledFunction
from kcompile.tracing import TensorSpec, trace_function
from kcompile.tracing.tensor import Tensor

COUNT = 300
# A table of constants and a function of its own: the object has sections whose relocations must reach one another.
TEXT = """
target triple = "{triple}"
@table = private constant [4096 x i64] [{table}]
define private i64 @helper(i64 %x) noinline {{
  %place = getelementptr [4096 x i64], ptr @table, i64 0, i64 %x
  %found = load i64, ptr %place
  ret i64 %found
}}
define i64 @entry(i64 %x) {{
  %found = call i64 @helper(i64 %x)
  %sum = add i64 %found, {number}
  ret i64 %sum
}}
"""


def test_hundreds_of_objects_are_called_while_all_are_alive() -> None:
    """All export the same name; memory is mapped between them, as in a long run."""
    target = Target.host()
    loaded, between = [], []
    table = ", ".join(f"i64 {3 * i}" for i in range(4096))
    for number in range(COUNT):
        text = TEXT.format(triple=target.triple, number=number, table=table if number % 50 == 0 else _zeros())
        object_ = load_object(compile_object(text, target), ("entry",))
        loaded.append((number, object_, ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(object_.address("entry"))))
        between.append(mmap.mmap(-1, 1 << 20))
    for number, _, entry in reversed(loaded):
        assert entry(4095) == number + (3 * 4095 if number % 50 == 0 else 0)
    del loaded[::2]
    gc.collect()
    for number, _, entry in loaded:  # the others went without these
        assert entry(7) == number + (21 if number % 50 == 0 else 0)
    assert len({object_.address("entry") for _, object_, _ in loaded}) == len(loaded)


def _zeros() -> str:
    return ", ".join(["i64 0"] * 4096)


SCATTERED = """
import ctypes, sys
from kcompile.codegen.jit import load_object

objects = [open(path, "rb").read() for path in sys.argv[1:]]
load_object(objects[0], ("entry",))
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
reserve = lambda nbytes: libc.mmap(None, nbytes, 0, 0x4022, -1, 0)  # private, anonymous, no memory behind it
far = 3 << 30
base = reserve(12 * far)
while reserve(16 << 10) > base:  # the holes that are there already
    pass
for i in range(12):  # new ones, too far from each other for 32 bits: those of table size and those of code size in turn
    libc.munmap(base + i * far + far // 2, 64 << 10 if i % 2 else 8 << 10)
alive = [load_object(data, ("entry",)) for data in objects[1:]]
print(*(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(one.address("entry"))(5) for one in alive))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="holes are made by Linux's mmap")
def test_an_object_stays_together_where_free_memory_is_scattered(tmp_path: Path) -> None:
    """The linker that maps each section by itself puts code and table 3 GiB apart here, and LLVM aborts."""
    target = Target.host()
    paths = []
    for number in range(8):
        table = ", ".join(f"i64 {i + number}" for i in range(4096))
        paths.append(tmp_path / f"{number}.o")
        paths[-1].write_bytes(compile_object(TEXT.format(triple=target.triple, number=number, table=table), target))
    result = subprocess.run([sys.executable, "-c", SCATTERED, *map(str, paths)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-500:]
    assert list(map(int, result.stdout.split())) == [5 + 2 * number for number in range(1, 8)]


def test_compiled_functions_do_not_mix() -> None:
    x = np.arange(6, dtype=np.float32)
    functions = []
    for number in range(24):

        def scaled(v: Tensor, number: int = number) -> Tensor:
            return v * float(number) + 1.0

        functions.append(CompiledFunction(trace_function(scaled, [TensorSpec((6,), "float32")])))
        functions[-1](x)
    for number, function in reversed(list(enumerate(functions))):
        np.testing.assert_array_equal(function(x)[0], x * number + 1)


def test_a_symbol_that_is_not_exported_is_named() -> None:
    target = Target.host()
    text = TEXT.format(triple=target.triple, number=1, table=_zeros())
    loaded = load_object(compile_object(text, target), ("entry",))
    with pytest.raises(KcompileError, match="no symbol nothing"):
        loaded.address("nothing")
