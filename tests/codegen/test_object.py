"""Objects: freestanding, reproducible, for every target; their cache; loading; what assembly says of spills."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile.codegen import cache
from kcompile.codegen.elf import read_symbols, undefined_symbols
from kcompile.codegen.jit import load_object
from kcompile.codegen.kernels import compile_kernels
from kcompile.codegen.llvm import LLVMModule, print_kernels, print_llvm
from kcompile.codegen.object import compile_object, emit_assembly, spills
from kcompile.codegen.support import FMOD, MEMORY_FUNCTIONS
from kcompile.codegen.target import Target
from kcompile.codegen.text import symbol_name
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import FormatError, KcompileError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.types import MemRefType, VectorType
from tests.codegen.elementwise_kernels import kernel_module

NAMES = ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64"]
FUNCTIONS = "exp exp2 expm1 log log2 log1p tanh erf sin cos sqrt rsqrt abs floor ceil trunc round_even".split()


def twice(name: str = "twice", lanes: int = 4) -> Operation:
    body = lambda b, x: b.add(x, x)
    return kernel_module({name: ((t.f32,), t.f32, body)}, lanes)


def everything(lanes: int) -> Operation:
    """A module that uses each operation with code of its own, in each float type."""
    bodies: dict[str, Any] = {}
    for element in (t.f16, t.bf16, t.f32, t.f64):
        for name in FUNCTIONS:
            bodies[f"{name}_{element}"] = ((element,), element, lambda b, x, n=name: getattr(b, n)(x))
        for name in ("pow", "atan2", "rem", "div", "max", "minnum", "copysign"):
            bodies[f"{name}_{element}"] = ((element, element), element, lambda b, x, y, n=name: getattr(b, n)(x, y))
        bodies[f"fma_{element}"] = ((element,) * 3, element, lambda b, x, y, z: b.fma(x, y, z))
        for integer in (t.i8, t.i32, t.i64):
            bodies[f"to_{element}_{integer}"] = ((integer,), element, lambda b, x, e=element: b.cast(x, e))
            bodies[f"un_{element}_{integer}"] = (
                (integer,),
                element,
                lambda b, x, e=element: b.cast(x, e, unsigned=True),
            )
            bodies[f"from_{element}_{integer}"] = ((element,), integer, lambda b, x, e=integer: b.cast(x, e))
            unsigned = t.IntegerType(integer.width, True)
            bodies[f"ufrom_{element}_{integer}"] = ((element,), integer, lambda b, x, e=unsigned: b.cast(x, e))
    for integer in (t.i1, t.i8, t.i16, t.i32, t.i64, t.index):
        for name in ("add", "mul", "and_", "xor", "div", "rem", "shl", "shr", "max", "min"):
            if integer is not t.i1 or name in ("add", "and_", "xor"):
                bodies[f"{name}_{integer}"] = ((integer, integer), integer, lambda b, x, y, n=name: getattr(b, n)(x, y))
    module = kernel_module(bodies, lanes)
    for element in (t.i1, t.i8, t.f16, t.bf16, t.f32, t.f64, t.i64):
        m = MemRefType((t.DYNAMIC,), element)
        b = LoopBuilder.function(f"masked_{element}", [m, MemRefType((t.DYNAMIC,), t.i32), m, t.index], module)
        x, where, y, n = b.block.arguments
        mask = b.mask(n, max(lanes, 2))
        b.masked_store(b.masked_load(x, [n], mask), y, [n], mask)
        b.masked_store(b.gather(x, [n], b.vload(where, [n], max(lanes, 2)), mask), y, [n], mask)
        if element is not t.i1:
            b.store(b.reduce("max", b.vload(x, [n], max(lanes, 2))), y, [n])
        b.ret()
    return module


# compiled in a child process, as LLVM ends the process over what it cannot select
_CHILD = """
import sys
from kcompile.codegen.llvm import print_llvm
from kcompile.codegen.object import compile_object
from kcompile.codegen.target import Target
from tests.codegen.test_object import everything
target = Target.get(sys.argv[1])
for lanes in map(int, sys.argv[2:]):
    print(lanes, len(compile_object(print_llvm(everything(lanes), target), target)))
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_compiles_and_needs_nothing_from_outside(name: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, name, "1", "16"], capture_output=True, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "16"]


def test_an_object_that_is_not_freestanding_is_refused() -> None:
    text = "declare double @sin(double)\ndefine double @f(double %x) {\n  %y = call double @sin(double %x)\n"
    text += "  ret double %y\n}\n"
    with pytest.raises(KcompileError, match="sin"):
        compile_object(text, Target.get("x86-64"))


def test_text_that_llvm_refuses_is_an_error() -> None:
    with pytest.raises(KcompileError, match="refuses"):
        compile_object("define void @f() { ret i32 0 }", Target.get("x86-64"))


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_reproducible(name: str) -> None:
    target = Target.get(name)
    first, second = (compile_object(print_llvm(twice(), target), target) for _ in range(2))
    assert first == second
    assert [s.name for s in read_symbols(first) if s.is_global and s.section] == ["kc.twice"]


def test_several_targets_share_one_object() -> None:
    """Each version is compiled for its own target: the wide one uses registers that the narrow one has not."""
    base, wide = Target.get("x86-64"), Target.get("x86-64-v4")
    out = LLVMModule(base)
    module = twice(lanes=16)
    names = print_kernels(module, base, out, linkage="") + print_kernels(module, wide, out, suffix="_v4", linkage="")
    assert names == ["kc.twice", "kc.twice_v4"]
    assembly = emit_assembly(str(out), base)
    versions = {n: assembly[assembly.index(f"\n{n}:") :].partition(".Lfunc_end")[0] for n in names}
    assert "zmm" not in versions["kc.twice"] and "zmm" in versions["kc.twice_v4"]


def test_the_memory_functions_bind_and_copy() -> None:
    text = (
        MEMORY_FUNCTIONS
        + """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
define void @copy(ptr %to, ptr %from, i64 %n) {
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
  ret void
}
define void @move(ptr %to, ptr %from, i64 %n) {
  call void @llvm.memmove.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
  ret void
}
define void @fill(ptr %to, i64 %n) {
  call void @llvm.memset.p0.i64(ptr %to, i8 7, i64 %n, i1 false)
  ret void
}
"""
    )
    import ctypes

    for name in ("x86-64", "x86-64-v3", "aarch64"):
        target = Target.get(name)
        data = compile_object(text, target)
        if not target.runs_here():
            continue
        loaded = load_object(data)
        three = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        two = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        for n in (0, 1, 31, 32, 33, 100):
            x, y = np.arange(n, dtype=np.uint8), np.zeros(n + 1, np.uint8)
            three(loaded.address("copy"))(y.ctypes.data, x.ctypes.data, n)
            assert np.array_equal(y[:n], x) and y[n] == 0
            two(loaded.address("fill"))(y.ctypes.data, n)
            assert (y[:n] == 7).all() and y[n] == 0
            for shift in (3, -3):
                z = np.arange(n + 6, dtype=np.uint8)
                expected = z.copy()
                expected[3 + shift : 3 + shift + n] = z[3 : 3 + n]
                three(loaded.address("move"))(z.ctypes.data + 3 + shift, z.ctypes.data + 3, n)
                assert np.array_equal(z, expected)


def test_names_of_users_never_reach_llvm() -> None:
    assert symbol_name('a"b\n}', "_v3") == "kc.a.22.b.a..7d._v3"
    assert symbol_name("a.b") != symbol_name("a_b")
    module = twice(name='x" }\ndefine void @evil() {')
    module.body.first["kernel.strategy"] = "a\n}"  # type: ignore[index]
    compile_kernels(module)
    with pytest.raises(KcompileError, match="x86-64-v9"):
        Target.get("x86-64-v9")


def test_spills_are_counted() -> None:
    """Forty live vectors do not fit thirty-two registers; eight do."""
    counts = []
    for many in (8, 40):
        m = MemRefType((16 * many,), t.f32)
        b = LoopBuilder.function("f", [m, m, t.index])
        x, y, n = b.block.arguments
        inits = [b.vload(x, [16 * i], 16) for i in range(many)]
        with b.for_(0, n, 1, inits) as loop:
            loop.yield_([b.fma(v, w, 1.0) for v, w in zip(loop.args, [*loop.args[1:], loop.args[0]], strict=True)])
        for i, v in enumerate(loop.results):
            b.vstore(v, y, [16 * i])
        module = b.ret().parent_op
        assert module is not None
        counts.append(
            spills(emit_assembly(print_llvm(module, Target.get("x86-64-v4")), Target.get("x86-64-v4")), "kc.f")
        )
    assert counts[0] == 0 and counts[1] > 0
    with pytest.raises(KcompileError, match="no function"):
        spills("", "kc.f")


def test_damaged_elf_files_are_refused() -> None:
    caller = "define double @f(double %x) {\n  %y = call double @kc.fmod(double %x, double 3.0)\n  ret double %y\n}\n"
    data = compile_object(FMOD + caller, Target.get("x86-64"))
    assert undefined_symbols(data) == set()
    for broken in (b"", b"\x7fELF", data[:100], data[: len(data) // 2]):
        with pytest.raises(FormatError):
            read_symbols(broken)


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KCOMPILE_CACHE", str(tmp_path))
    cache.forget()
    monkeypatch.setattr(cache, "counts", cache.Counts())
    return tmp_path


def test_the_cache_returns_what_was_compiled(fresh_cache: Path) -> None:
    target = Target.get("x86-64")
    text = print_llvm(twice(), target)
    first = cache.get_or_compile(text, target)
    assert cache.get_or_compile(text, target) is first
    cache.forget()
    assert cache.get_or_compile(text, target) == first
    assert (cache.counts.misses, cache.counts.hits, cache.counts.damaged) == (1, 2, 0)
    other = cache.get_or_compile(text, Target.get("x86-64-v3"))
    assert cache.counts.misses == 2 and len(list(fresh_cache.rglob("*.o"))) == 2
    assert other[:4] == b"\x7fELF" and not list(fresh_cache.rglob(".new-*"))


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "header"])
def test_a_damaged_file_is_compiled_again_and_replaced(fresh_cache: Path, damage: str) -> None:
    target = Target.get("x86-64")
    text = print_llvm(twice(), target)
    good = cache.get_or_compile(text, target)
    (path,) = fresh_cache.rglob("*.o")
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes(
        {"truncate": bytes(data[:-5]), "empty": b"", "header": b"X" + bytes(data[1:])}.get(damage, bytes(data))
    )
    cache.forget()
    assert cache.get_or_compile(text, target) == good
    assert cache.counts.damaged == 1 and cache.counts.misses == 2
    cache.forget()
    assert cache.get_or_compile(text, target) == good and cache.counts.damaged == 1


def test_without_a_writable_directory_it_works_all_the_same(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = fresh_cache / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("KCOMPILE_CACHE", str(blocked))
    target = Target.get("x86-64")
    assert cache.get_or_compile(print_llvm(twice(), target), target)[:4] == b"\x7fELF"
    assert cache.counts.unwritable == 1
    monkeypatch.setenv("KCOMPILE_CACHE", "off")
    assert cache.directory() is None
    assert cache.get_or_compile(print_llvm(twice(), target), target)[:4] == b"\x7fELF"


def test_a_setting_goes_before_the_variable(fresh_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target, other = Target.get("x86-64"), tmp_path_factory.mktemp("other")
    text = print_llvm(twice(), target)
    assert cache.get_or_compile(text, target, "off") == cache.get_or_compile(text, target, str(other))
    assert cache.counts.misses == 2 and not list(fresh_cache.rglob("*.o")) and len(list(other.rglob("*.o"))) == 1


def test_the_files_used_least_recently_go_first(fresh_cache: Path) -> None:
    objects = {f"{i:02d}.model": bytes([i]) * 100_000 for i in range(12)}
    where = fresh_cache / "objects"

    def names() -> list[str]:
        return sorted(path.name for path in where.rglob("*.model"))

    for i, (name, data) in enumerate(objects.items()):
        assert cache.get_or_make(name, lambda data=data: data, limit_mib=0) == data
        os.utime(where / name[:2] / name, (i, i))
    cache.forget()
    assert cache.get_or_make("03.model", lambda: b"not used") == objects["03.model"]  # now the newest
    leftover, writing = where / "00" / ".new-old", where / "00" / ".new-now"
    for path in (leftover, writing):
        path.write_bytes(b"half")
    os.utime(leftover, (0, 0))
    assert len(names()) == 12
    assert (
        cache.trim(where, 600_000) == 8 and names() == ["03.model", "08.model", "09.model", "10.model", "11.model"][-5:]
    )
    assert not leftover.exists() and writing.exists()
    assert cache.trim(where, 600_000) == 0
    cache.forget()
    assert cache.get_or_make("00.model", lambda: objects["00.model"]) == objects["00.model"]


def test_a_write_keeps_the_cache_to_its_limit(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_UNTRIMMED", {})
    for i in range(30):
        cache.get_or_make(f"{i:02d}.model", lambda i=i: bytes([i]) * 100_000, limit_mib=1)
        sizes = [path.stat().st_size for path in fresh_cache.rglob("*.model")]
        assert sum(sizes) <= (1 << 20) + 100_100
    assert cache.counts.dropped > 15 and (fresh_cache / "objects" / "29" / "29.model").is_file()


def test_processes_may_trim_and_read_at_the_same_time(fresh_cache: Path) -> None:
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for i in range(40):
            data = bytes([i]) * 2000
            cache.forget()
            if cache.get_or_make(f"{i % 10:02d}-{i}.model", lambda data=data: data, limit_mib=0) != data:
                wrong.append(i)
            cache.trim(fresh_cache / "objects", 20_000)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_many_threads_compile_and_load_at_once(fresh_cache: Path) -> None:
    target = Target.host()
    wrong: list[Any] = []

    def work(i: int) -> None:
        try:
            module = twice(name=f"k{i % 3}")
            loaded = load_object(cache.get_or_compile(print_llvm(module, target), target))
            assert loaded.address(f"kc.k{i % 3}")
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_loaded_objects_name_what_they_lack() -> None:
    target = Target.host()
    loaded = load_object(compile_object(print_llvm(twice(), target), target))
    assert loaded.address("kc.twice") == loaded.address("kc.twice")
    with pytest.raises(KcompileError, match=r"kc\.thrice"):
        loaded.address("kc.thrice")


def test_lanes_follow_the_registers() -> None:
    assert [Target.get(n).lanes(t.f32) for n in NAMES] == [4, 8, 16, 4]
    assert Target.get("x86-64-v4").lanes(t.bf16) == 32 and Target.get("aarch64").lanes(t.f64) == 2
    assert VectorType((Target.host().lanes(t.f32),), t.f32)
    assert Target.host().runs_here()
    assert Target.get("aarch64").runs_here() == (Target.host().architecture == "aarch64")


def test_a_select_of_what_is_loaded_waits_for_no_mask() -> None:
    """A masked load waits for its mask, and memory is then asked too late."""

    def body(b: Any, x: Any, y: Any) -> Any:
        zero = b.constant(0.0, x.type)
        return b.select(b.cmp("le", x, zero), zero, y)

    module = kernel_module({"gated": ((t.f32, t.f32), t.f32, body)}, 16)
    target = Target.get("x86-64-v4")
    assembly = emit_assembly(print_llvm(module, target), target)
    loads = [line for line in assembly.splitlines() if "{z}" in line and "(" in line]
    assert "{z}" in assembly
    assert loads == []
