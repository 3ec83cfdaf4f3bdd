"""Loads, stores, masks, loops and addresses: machine code under guard pages = the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.addresses import LARGE_LOOP
from kcompile.codegen.kernels import compile_kernels, run_kernel
from kcompile.codegen.llvm import print_llvm
from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import IRError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import DYNAMIC, MemRefType, Type, VectorType
from tests.codegen.elementwise_kernels import TARGETS
from tests.guard import run_guarded

Array = np.ndarray[Any, Any]


def module_of(function: Operation) -> Operation:
    module = function.parent_op
    assert module is not None
    return module


def check(
    module: Operation, name: str, inputs: list[Array], outputs: list[Array], *indices: int, target: str = "host"
) -> list[Array]:
    """The outputs of the compiled kernel, which are those of the interpreter."""
    expected = [x.copy() for x in outputs]
    interpret(module, name, [*inputs, *expected, *indices])
    made = run_guarded(compile_kernels(module, Target.get(target))[name], inputs, outputs, *indices)
    for a, b in zip(expected, made, strict=True):
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return made


def masked_copy(element: Type, lanes: int) -> Operation:
    """out[:] = in[:], a masked vector at the end."""
    m = MemRefType((DYNAMIC,), element)
    b = LoopBuilder.function("copy", [m, m, t.index])
    x, y, n = b.block.arguments
    whole = b.mul(b.floordiv(n, lanes), lanes)
    with b.for_(0, whole, lanes) as loop:
        b.vstore(b.vload(x, [loop.iv], lanes), y, [loop.iv])
    mask = b.mask(b.sub(n, whole), lanes)
    b.masked_store(b.masked_load(x, [whole], mask, 1), y, [whole], mask)
    return module_of(b.ret())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.f32, t.f64, t.f16, t.i8, t.i32, t.i64], ids=str)
def test_masked_tails_touch_nothing_else(element: Type, target: str) -> None:
    lanes = 64 * 8 // t.bitwidth(element)
    module = masked_copy(element, lanes)
    kernel = compile_kernels(module, Target.get(target))["copy"]
    rng = np.random.default_rng(10)
    for n in (0, 1, 2, lanes - 1, lanes, lanes + 1, 2 * lanes + 3, 3 * lanes - 1):
        x = rng.integers(0, 100, n).astype(t.to_numpy(element))
        (made,) = run_guarded(kernel, [x], [np.zeros_like(x)], n)
        assert np.array_equal(made, x)


@settings(max_examples=25)
@given(n=st.integers(0, 40), count=st.integers(-3, 20), pass_through=st.floats(width=32))
def test_masked_load_and_store_as_interpreted(n: int, count: int, pass_through: float) -> None:
    m = MemRefType((DYNAMIC,), t.f32)
    b = LoopBuilder.function("f", [m, m, t.index, t.index])
    x, y, start, live = b.block.arguments
    mask = b.mask(live, 16)
    v = b.masked_load(x, [start], mask, pass_through)
    b.vstore(b.add(v, b.constant(0.0, v.type)), y, [0])
    b.masked_store(v, y, [16], mask)
    module = module_of(b.ret())
    data = np.arange(max(n, 0) + max(count, 0), dtype=np.float32)
    check(
        module, "f", [data], [np.full(32, -5, np.float32)], n, min(count, 16) if n + min(count, 16) <= len(data) else 0
    )


@pytest.mark.parametrize("target", TARGETS)
def test_constant_masks(target: str) -> None:
    m = MemRefType((40,), t.f32)
    b = LoopBuilder.function("f", [m, m])
    x, y = b.block.arguments
    for count, at in ((0, 0), (16, 8), (5, 30), (20, 24), (-1, 0)):
        mask = b.mask(count, 16)
        b.masked_store(b.masked_load(x, [at], mask, 7.0), y, [at], mask)
    module = module_of(b.ret())
    check(module, "f", [np.arange(40, dtype=np.float32)], [np.zeros(40, np.float32)], target=target)


@pytest.mark.parametrize("target", TARGETS)
def test_gather_reads_only_where_the_mask_holds(target: str) -> None:
    m = MemRefType((DYNAMIC,), t.f32)
    b = LoopBuilder.function("f", [m, MemRefType((16,), t.i32), MemRefType((16,), t.f32), t.index])
    x, where, y, live = b.block.arguments
    v = b.gather(x, [2], b.vload(where, [0], 16), b.mask(live, 16), -1.0)
    b.vstore(v, y, [0])
    module = module_of(b.ret())
    data = np.arange(10, dtype=np.float32)
    index = np.array([0, 7, -2, 3, 3, 1, 1 << 30, -(1 << 30), *range(8)], np.int32)
    for live in (0, 1, 6):
        check(module, "f", [data, index], [np.zeros(16, np.float32)], live, target=target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.i1, t.bf16], ids=str)
def test_i1_is_a_byte_and_bf16_two(element: Type, target: str) -> None:
    m = MemRefType((20,), element)
    b = LoopBuilder.function("f", [m, m])
    x, y = b.block.arguments
    b.vstore(b.vload(x, [0], 16), y, [0])
    mask = b.mask(3, 4)
    b.masked_store(b.masked_load(x, [16], mask, True if element is t.i1 else 1.0), y, [16], mask)
    b.store(b.load(x, [19]), y, [19])
    module = module_of(b.ret())
    stored = np.uint8 if element is t.i1 else np.uint16
    data = np.random.default_rng(11).integers(0, 2, 20).astype(stored) * (1 if element is t.i1 else 0x3F80)
    (made,) = run_guarded(compile_kernels(module, Target.get(target))["f"], [data], [np.zeros_like(data)])
    assert np.array_equal(made, data)


KINDS = {t.f32: "add mul max min", t.f64: "add max", t.i32: "add mul max min and or xor", t.i8: "add max"}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", list(KINDS), ids=str)
def test_reductions_have_one_order(element: Type, target: str) -> None:
    """Bitwise the interpreter's, with and without an accumulator, on every target."""
    data = (np.random.default_rng(12).standard_normal(16) * 50).astype(t.to_numpy(element))
    for kind in KINDS[element].split():
        for lanes in (1, 2, 8, 16):
            b = LoopBuilder.function("f", [MemRefType((16,), element), MemRefType((2,), element)])
            x, y = b.block.arguments
            v = b.vload(x, [0], lanes)
            b.store(b.reduce(kind, v), y, [0])
            b.store(b.reduce(kind, v, b.load(x, [15])), y, [1])
            (made,) = check(module_of(b.ret()), "f", [data], [np.zeros(2, data.dtype)], target=target)
            assert made[0] == data[0] or lanes > 1


def test_maximum_of_lanes_is_nan_where_one_is() -> None:
    data = np.arange(16, dtype=np.float32)
    for place in (0, 7, 15):
        data[place] = np.nan
        b = LoopBuilder.function("f", [MemRefType((16,), t.f32), MemRefType((1,), t.f32)])
        x, y = b.block.arguments
        b.store(b.reduce("max", b.vload(x, [0], 16)), y, [0])
        (made,) = check(module_of(b.ret()), "f", [data], [np.zeros(1, np.float32)])
        assert np.isnan(made[0])
        data[place] = 0


@pytest.mark.parametrize("target", TARGETS)
def test_shuffles_and_lanes(target: str) -> None:
    b = LoopBuilder.function("f", [MemRefType((12,), t.f32), MemRefType((40,), t.f32), t.index])
    x, y, lane = b.block.arguments
    wide, short = b.vload(x, [0], 8), b.vload(x, [8], 4)
    b.vstore(b.shuffle(wide, wide, [7, 6, 5, 4, 3, 2, 1, 0]), y, [0])
    b.vstore(b.shuffle(wide, short, [0, 8, 1, 9, 2, 10, 3, 11]), y, [8])
    b.vstore(b.shuffle(short, wide, [0, 4, 1, 5]), y, [16])
    b.vstore(b.insert_element(b.extract(wide, 3), short, 1), y, [20])
    b.vstore(b.insert_element(b.extract(wide, lane), short, lane), y, [24])
    b.vstore(b.cast(b.cast(b.step(8), t.i32), t.f32), y, [28])
    check(module_of(b.ret()), "f", [np.arange(12, dtype=np.float32)], [np.zeros(40, np.float32)], 2, target=target)


def test_loops_carry_values_and_may_run_no_turn() -> None:
    b = LoopBuilder.function("f", [MemRefType((DYNAMIC,), t.f32), MemRefType((6,), t.f32), t.index])
    x, y, n = b.block.arguments
    zero = b.constant(0.0, t.f32)
    with b.for_(0, n, 1, [zero, b.constant(1.0, t.f32)]) as loop:
        v = b.load(x, [loop.iv])
        loop.yield_([b.add(loop.args[0], v), b.mul(loop.args[1], v)])
    b.store(loop.results[0], y, [0])
    b.store(loop.results[1], y, [1])
    for i, (lower, upper, step) in enumerate(((3, 3, 1), (0, 5, 2), (2, 3, 7), (4, 1, 1))):  # 0, 3, 1 and 0 turns
        with b.for_(lower, upper, step, [zero]) as fixed:
            fixed.yield_([b.add(fixed.args[0], b.cast(fixed.iv, t.f32))])
        b.store(fixed.results[0], y, [2 + i])
    module = module_of(b.ret())
    for count in (0, 1, 5):
        (made,) = check(module, "f", [np.arange(5, dtype=np.float32)], [np.zeros(6, np.float32)], count)
        assert made[2:].tolist() == [0, 6, 2, 0]


def test_branches_give_values_and_nest() -> None:
    b = LoopBuilder.function("f", [MemRefType((DYNAMIC,), t.f32), MemRefType((DYNAMIC,), t.f32), t.index])
    x, y, n = b.block.arguments
    with b.for_(0, n) as loop:
        v = b.load(x, [loop.iv])
        with b.if_(b.cmp("gt", v, 0.0), [t.f32, t.index]) as outer:
            with b.if_(b.cmp("gt", v, 2.0), [t.f32]) as inner:
                inner.yield_([b.mul(v, 2.0)])
            with inner.else_():
                inner.yield_([v])
            outer.yield_([inner.results[0], loop.iv])
        with outer.else_():
            outer.yield_([b.neg(v), b.index(0)])
        b.store(outer.results[0], y, [loop.iv])
        with b.if_(b.cmp("eq", outer.results[1], 0)):
            b.store(v, y, [0])
    module = module_of(b.ret())
    check(module, "f", [np.array([3, -1, 1, 5, 0], np.float32)], [np.zeros(5, np.float32)], 5)


def loop_nest(sizes: tuple[int, ...], weights: list[int], constant: int) -> Operation:
    """out[i, j, k] = in[i*w0 + j*w1 + k*w2 + c], the index as a sum that is built in each loop."""
    length = sum(w * (s - 1) for w, s in zip(weights, sizes, strict=True)) + constant + 1
    b = LoopBuilder.function("f", [MemRefType((length,), t.i32), MemRefType(sizes, t.i32), t.index])
    x, y, limit = b.block.arguments
    with b.for_(0, sizes[0]) as i:
        first = b.add(b.mul(i.iv, weights[0]), constant)
        with b.for_(0, b.min(limit, sizes[1])) as j:
            second = b.add(first, b.mul(weights[1], j.iv))
            with b.for_(0, sizes[2]) as k:
                place = b.sub(b.add(second, b.mul(k.iv, weights[2])), 0)
                with b.if_(b.cmp("ge", place, 0)):
                    b.store(b.load(x, [place]), y, [i.iv, j.iv, k.iv])
    return module_of(b.ret())


@settings(max_examples=30)
@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    weights=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    constant=st.integers(0, 7),
    limit=st.integers(0, 5),
)
def test_addresses_are_sums_hoisted_out_of_loops(sizes: Any, weights: list[int], constant: int, limit: int) -> None:
    module = loop_nest(sizes, weights, constant)
    length = sum(w * (s - 1) for w, s in zip(weights, sizes, strict=True)) + constant + 1
    data = np.random.default_rng(13).integers(0, 1000, length).astype(np.int32)
    check(module, "f", [data], [np.zeros(sizes, np.int32)], limit)


@pytest.mark.parametrize("turns", [10, LARGE_LOOP])
def test_indices_of_large_loops_are_hidden_from_strength_reduction(turns: int) -> None:
    m = MemRefType((DYNAMIC,), t.f32)
    b = LoopBuilder.function("k", [m, m, t.index])
    x, y, n = b.block.arguments
    with b.for_(0, n, turns) as loop:
        for i in range(turns):
            b.store(b.load(x, [b.add(loop.iv, i)]), y, [b.add(loop.iv, i)])
    module = module_of(b.ret())
    assert ("freeze" in print_llvm(module, Target.get("x86-64"))) == (turns == LARGE_LOOP)
    values = np.arange(3 * turns, dtype=np.float32)
    check(module, "k", [values], [np.zeros_like(values)], 3 * turns)


def test_inner_loops_hold_no_multiplication() -> None:
    text = print_llvm(loop_nest((4, 4, 64), [64, 256, 1], 3), Target.get("x86-64-v3"))
    inner = text[text.rindex("phi i64") :]
    assert "mul" not in inner


@settings(max_examples=20)
@given(rows=st.integers(0, 5), columns=st.integers(1, 6), height=st.integers(1, 3))
def test_strides_of_symbolic_dims(rows: int, columns: int, height: int) -> None:
    """out[i, j, k] = in[j, k, i + 1] with all sizes known only at run time."""
    a, c, e = symbol("a"), symbol("c"), symbol("e")
    b = LoopBuilder.function("f", [MemRefType((DYNAMIC,) * 3, t.f32)] * 2 + [t.index] * 3)
    x, y, na, nc, ne = b.block.arguments
    with b.for_(0, na) as i, b.for_(0, nc) as j, b.for_(0, ne) as k:
        v = b.load(x, [j.iv, k.iv, b.add(i.iv, 1)])
        b.store(b.add(v, b.cast(b.create("memref.dim", [y, b.index(1)]).result, t.f32)), y, [i.iv, j.iv, k.iv])
    function = b.ret()
    function["kernel.dims"] = ((c, e, 2 * a + 1), (a, c, e))
    function["kernel.symbols"] = ("a", "c", "e")
    data = np.random.default_rng(14).standard_normal((columns, height, 2 * rows + 1)).astype(np.float32)
    module = module_of(function)
    out = np.zeros((rows, columns, height), np.float32)
    (made,) = check(module, "f", [data], [out], rows, columns, height)
    assert np.array_equal(made, data.transpose(2, 0, 1)[1 : rows + 1] + np.float32(columns))
    again = np.zeros_like(out)
    run_kernel(module, "f", [data, again], {"a": rows, "c": columns, "e": height})
    assert np.array_equal(again, made)


def test_scratch_memory_and_strided_buffers() -> None:
    strided = MemRefType((3, 4), t.f32, (8, 1), 2)
    b = LoopBuilder.function("f", [strided, MemRefType((3, 4), t.f32)])
    x, y = b.block.arguments
    scratch = b.alloca((3, 4), t.f32)
    with b.for_(0, 3) as i:
        b.vstore(b.vload(x, [i.iv, 0], 4), scratch, [i.iv, 0])
    with b.for_(0, 3) as i:
        b.vstore(b.vload(scratch, [b.sub(2, i.iv), 0], 4), y, [i.iv, 0])
    data = np.arange(2 + 2 * 8 + 4, dtype=np.float32)
    kernel = compile_kernels(module_of(b.ret()))["f"]
    view = data[2:]
    out = np.zeros((3, 4), np.float32)
    padded = np.zeros((3, 8), np.float32)
    padded.reshape(-1)[: len(data)] = data
    kernel([padded, out])
    expected = np.stack([view[8 * i : 8 * i + 4] for i in range(3)])[::-1]
    assert np.array_equal(out, expected)


def test_workers_share_the_rows() -> None:
    m = MemRefType((DYNAMIC,), t.f32)
    b = LoopBuilder.function("f", [m, m, t.index, t.index, t.index])
    x, y, n, tid, team = b.block.arguments
    low, high = b.partition(n, tid, team, grain=4)
    with b.for_(low, high) as loop:
        b.store(b.add(b.load(y, [loop.iv]), b.load(x, [loop.iv])), y, [loop.iv])
    kernel = compile_kernels(module_of(b.ret()))["f"]
    data = np.arange(23, dtype=np.float32)
    for team in (1, 2, 3, 7, 40):
        (made,) = run_guarded(kernel, [data], [np.zeros_like(data)], 23, team=team)
        assert np.array_equal(made, data)


def test_read_only_buffers_are_said_so_and_aliased_ones_are_not() -> None:
    module = masked_copy(t.f32, 8)
    text = print_llvm(module, Target.get("x86-64"))
    assert "ptr noalias readonly align 4 %a0, ptr noalias align 4 %a1" in text
    next(iter(module.body.ops))["kernel.aliased"] = (0, 1)
    assert "noalias" not in print_llvm(module, Target.get("x86-64")).partition("\n}")[0]


def test_what_cannot_be_printed_is_refused() -> None:
    b = LoopBuilder.function("f", [MemRefType((2, DYNAMIC), t.f32)])
    b.store(b.constant(0.0, t.f32), b.argument(0), [0, 0])
    with pytest.raises(IRError, match=r"kernel\.dims"):
        print_llvm(module_of(b.ret()), Target.get("x86-64"))
    b = LoopBuilder.function("f", [MemRefType((2,), t.f32)])
    b.create("made.up", [], None, [VectorType((4,), t.f32)])
    with pytest.raises(UnsupportedError, match="made.up"):
        print_llvm(module_of(b.ret()), Target.get("x86-64"))
