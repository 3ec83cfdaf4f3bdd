"""mlir-opt verifies our loops and structured modules: their names, attributes and types are upstream's."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from kcompile.codegen.jit import load_object
from kcompile.codegen.target import Target
from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.dialects.upstream import linalg, tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import dims_map, identity_map
from kcompile.ir.core import Operation
from kcompile.ir.types import MemRefType, TensorType, VectorType
from kcompile.ir.verifier import verify
from tests.codegen.elementwise_kernels import Compiled, kernel_module, same_bits
from tests.ir.test_mlir_opt import MLIR_OPT, mlir_opt

MLIR_TRANSLATE = shutil.which("mlir-translate-22") or shutil.which("mlir-translate")
pytestmark = [pytest.mark.xcheck, pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed")]


def accepted(module: Operation) -> None:
    verify(module)
    mlir_opt(str(module), "--allow-unregistered-dialect")


@pytest.mark.parametrize("lanes", [1, 8])
def test_scalar_operations(lanes: int) -> None:
    bodies: dict[str, Any] = {}
    for element in (t.f16, t.bf16, t.f32, t.f64):
        for (
            name
        ) in "exp exp2 expm1 log log2 log1p tanh erf sin cos sqrt rsqrt abs floor ceil trunc round_even neg".split():
            bodies[f"{name}_{element}"] = ((element,), element, lambda b, x, n=name: getattr(b, n)(x))
        for name in "pow atan2 rem div add max min maxnum minnum copysign".split():
            bodies[f"{name}_{element}"] = ((element, element), element, lambda b, x, y, n=name: getattr(b, n)(x, y))
        bodies[f"fma_{element}"] = ((element,) * 3, element, lambda b, x, y, z: b.fma(x, y, z))
        bodies[f"special_{element}"] = ((element,), element, lambda b, x: b.select(b.is_finite(x), x, float("nan")))
    for integer in (t.i8, t.i32, t.i64, t.index):
        for name in "add sub mul div rem and_ or_ xor shl shr max min".split():
            bodies[f"{name}_{integer}"] = ((integer, integer), integer, lambda b, x, y, n=name: getattr(b, n)(x, y))
        bodies[f"cmp_{integer}"] = ((integer, integer), integer, lambda b, x, y: b.select(b.cmp("lt", x, y), x, 5))
        bodies[f"cast_{integer}"] = ((integer,), t.f32, lambda b, x: b.cast(b.cast(x, t.i1), t.f32))
    bodies["true"] = ((t.i1,), t.i1, lambda b, x: b.not_(x))
    accepted(kernel_module(bodies, lanes))


def test_vectors_memory_and_control() -> None:
    m = MemRefType((t.DYNAMIC, 32), t.f32)
    b = LoopBuilder.function(
        "f", [m, MemRefType((16,), t.i32), MemRefType((4, 32), t.f32, (64, 1), 8), t.index, t.index, t.index]
    )
    x, where, y, n, tid, team = b.block.arguments
    scratch = b.alloca((4, 32), t.f32)
    low, high = b.partition(n, tid, team, 4)
    zero = b.constant(0.0, VectorType((16,), t.f32))
    with b.for_(low, high, 2, [zero, b.constant(1.0, t.f32)]) as loop:
        b.prefetch(x, [b.add(loop.iv, 1), 0])
        v = b.vload(x, [loop.iv, 0], 16)
        mask = b.mask(b.sub(n, loop.iv), 16)
        v = b.add(v, b.masked_load(x, [loop.iv, 16], mask))
        v = b.fma(v, b.gather(x, [loop.iv, 0], b.vload(where, [0], 16), mask), v)
        b.vstore(v, scratch, [0, 0])
        b.masked_store(v, y, [0, 0], mask)
        b.store(b.load(x, [loop.iv, 1]), y, [1, 1])
        v = b.shuffle(v, v, list(range(31, 15, -1)))
        s = b.reduce("max", v, b.extract(v, 3))
        v = b.insert_element(s, v, loop.iv)
        v = b.add(v, b.cast(b.step(16), t.f32))
        with b.if_(b.cmp("gt", s, 0.0), [t.f32]) as branch:
            branch.yield_([s])
        with branch.else_():
            branch.yield_([b.reduce("add", v)])
        loop.yield_([v, branch.results[0]])
    b.create("memref.dim", [x, b.index(0)])
    b.create("vector.bitcast", [zero], None, [VectorType((32,), t.i16)])
    function = b.ret()
    function["kernel.dims"] = ((4, 32), (16,), (4, 32))
    module = function.parent_op
    assert module is not None
    accepted(module)


def test_structured_operations() -> None:
    g = GraphBuilder.function("f", [TensorType((4, 6), t.f32), TensorType((6, 8), t.f32)])
    x, y = g.block.arguments
    b = LoopBuilder(g.block)
    zero = linalg.fill(b, b.constant(0.0, t.f32), tensor.empty(b, TensorType((4, 8), t.f32)))
    maps = [dims_map(3, [0, 2]), dims_map(3, [2, 1]), dims_map(3, [0, 1])]
    iterators = [linalg.PARALLEL, linalg.PARALLEL, linalg.REDUCTION]
    (product,) = linalg.generic(b, [x, y], [zero], maps, iterators, lambda s, p, q, o: s.add(o, s.mul(p, q)))
    body = lambda s, p, o: s.add(p, s.cast(s.create("linalg.index", (), {"dim": 0}).result, t.f32))
    identity = identity_map(2)
    (shifted,) = linalg.generic(b, [product], [product], [identity, identity], [linalg.PARALLEL] * 2, body)
    padded = tensor.pad(b, shifted, b.constant(0.0, t.f32), [1, 0], [0, 2])
    part = tensor.extract_slice(b, padded, [1, 0], [2, 4], [2, 2])
    whole = tensor.insert_slice(b, part, padded, [0, 0], [1, 1])
    joined = tensor.concat(b, [whole, padded], 1)
    split = tensor.reshape(b, joined, (5, 4, 5))
    g.ret(tensor.reshape(b, split, (20, 5)), b.create("tensor.extract", [part, b.index(0), b.index(1)]).result)
    accepted(g.module)


LOWERING = (
    "builtin.module(expand-strided-metadata,lower-affine,convert-vector-to-scf,convert-scf-to-cf,convert-vector-to-llvm,"
    "convert-math-to-llvm,arith-expand,convert-arith-to-llvm,finalize-memref-to-llvm,convert-index-to-llvm,"
    "convert-func-to-llvm,convert-cf-to-llvm,reconcile-unrealized-casts)"
)


def compiled_by_mlir(module: Operation) -> Any:
    """The kernels of a module, lowered by MLIR's own passes and compiled by LLVM."""
    import llvmlite.binding as llvm

    from kcompile.codegen.object import initialize

    lowered = mlir_opt(str(module), f"--pass-pipeline={LOWERING}")
    done = subprocess.run([str(MLIR_TRANSLATE), "--mlir-to-llvmir"], input=lowered, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    initialize()
    target = Target.host()
    machine = llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc="pic", codemodel="small"
    )
    return load_object(machine.emit_object(llvm.parse_assembly(done.stdout)))


def call_lowered(loaded: Any, name: str, arrays: list[Any], *indices: int) -> None:
    """MLIR passes a memref as pointer, aligned pointer, offset, sizes, strides."""
    arguments: list[Any] = []
    for x in arrays:
        arguments += [ctypes.c_void_p(x.ctypes.data)] * 2
        numbers = [0, *x.shape, *(s // x.itemsize for s in x.strides)]
        arguments += [ctypes.c_int64(n) for n in numbers]
    arguments += [ctypes.c_int64(i) for i in indices]
    ctypes.CFUNCTYPE(None, *[type(a) for a in arguments])(loaded.address(name))(*arguments)


@pytest.mark.skipif(MLIR_TRANSLATE is None, reason="mlir-translate is not installed")
@pytest.mark.parametrize("lanes", [1, 8])
def test_what_mlir_makes_of_our_loops_computes_the_same(lanes: int) -> None:
    """Two code generators, one meaning: every operation on values for which MLIR defines it."""
    bodies: dict[str, Any] = {}
    inputs: dict[str, list[Any]] = {}
    rng = np.random.default_rng(15)
    for element in (t.f32, t.f64):
        dtype = t.to_numpy(element)
        xs = [rng.standard_normal(64).astype(dtype) * 100 for _ in range(2)]
        special = np.array([np.nan, np.inf, -np.inf, 1.5], dtype)
        for x, order in zip(xs, ([0, 1, 2, 3], [3, 0, 1, 2]), strict=True):
            x[:4] = special[order]
        for name in "add sub mul div max min maxnum minnum copysign".split():
            bodies[f"{name}_{element}"] = ((element, element), element, lambda b, x, y, n=name: getattr(b, n)(x, y))
        for name in "neg abs sqrt floor ceil trunc round_even".split():
            bodies[f"{name}_{element}"] = ((element,), element, lambda b, x, n=name: getattr(b, n)(x))
        bodies[f"fma_{element}"] = ((element, element), element, lambda b, x, y: b.fma(x, y, x))
        for direction in "eq ne lt le gt ge".split():
            body = lambda b, x, y, d=direction: b.select(b.cmp(d, x, y), x, 7.0)
            bodies[f"{direction}_{element}"] = ((element, element), element, body)
        for name in bodies:
            inputs.setdefault(name, xs)
    for element in (t.i8, t.i32, t.i64):
        dtype = t.to_numpy(element)
        xs = [rng.integers(-100, 100, 64).astype(dtype), rng.integers(1, 7, 64).astype(dtype)]
        for name in "add sub mul div rem and_ or_ xor shl shr max min".split():
            bodies[f"{name}_{element}"] = ((element, element), element, lambda b, x, y, n=name: getattr(b, n)(x, y))
            if name in ("div", "rem", "shr", "max", "min"):
                body = lambda b, x, y, n=name: getattr(b, n)(x, y, unsigned=True)
                bodies[f"{name}u_{element}"] = ((element, element), element, body)
        for name in ("floordivsi", "ceildivsi", "ceildivui"):
            body = lambda b, x, y, n=name: b.create(f"arith.{n}", [x, y]).result
            bodies[f"{name}_{element}"] = ((element, element), element, body)
        for unsigned in (False, True):
            body = lambda b, x, u=unsigned: b.cast(x, t.f64, unsigned=u)
            bodies[f"float_{element}_{unsigned}"] = ((element,), t.f64, body)
            body = lambda b, x, y, u=unsigned: b.select(b.cmp("lt", x, y, unsigned=u), x, y)
            bodies[f"less_{element}_{unsigned}"] = ((element, element), element, body)
        for name in bodies:
            inputs.setdefault(name, xs)
    if lanes > 1:
        f32 = (t.f32, t.f32)
        bodies["shuffle"] = (f32, t.f32, lambda b, x, y: b.shuffle(x, y, [0, 9, 2, 11, 12, 5, 6, 15]))
        bodies["lane"] = (f32, t.f32, lambda b, x, y: b.insert_element(b.extract(x, 5), y, 2))
        bodies["highest"] = (f32, t.f32, lambda b, x, y: b.broadcast(b.reduce("max", x), 8))
        bodies["step"] = (f32, t.f32, lambda b, x, y: b.add(x, b.cast(b.step(8), t.f32)))
        bodies["masked"] = (f32, t.f32, lambda b, x, y: b.select(b.mask(3, 8), x, y))
        for name in ("shuffle", "lane", "highest", "step", "masked"):
            inputs[name] = [rng.standard_normal(64).astype(np.float32) for _ in range(2)]
    module = kernel_module(bodies, lanes)
    ours, theirs = Compiled(module, "host"), compiled_by_mlir(module)
    for name, (types, output, _) in bodies.items():
        xs = inputs[name][: len(types)]
        made = ours.run(name, xs, types, output)
        expected = np.zeros_like(made)
        call_lowered(theirs, name, [*xs, expected], len(expected))
        assert same_bits(expected, made).all(), name
