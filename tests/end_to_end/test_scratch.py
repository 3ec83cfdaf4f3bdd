"""Scratch memory: every worker has its own, in every way a model runs, and it lies inside the arena."""

from __future__ import annotations

import ctypes
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kcompile.codegen import entry
from kcompile.codegen.interface import Interface
from kcompile.codegen.jit import load_object
from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import DimsAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, find_function
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify
from kcompile.options import Options
from kcompile.pipeline import compile_module
from kcompile.runtime import abi, host
from kcompile.runtime.memory import Memory
from kcompile.strategies import select
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Kernel
from tests.end_to_end.traced import traced
from tests.guard import guarded

WIDTH = 1 << 15  # 128 KiB a row: more than the stack may be asked for
B = symbol("b")


def emit(kernel: Kernel, parameters: Any, target: Any) -> Operation:
    """Every row through scratch memory, last element first; the second buffer, of bytes, takes the row's number."""
    frame = Frame(kernel)
    b = frame.b
    row, number = frame.scratch((WIDTH,), t.f32), frame.scratch((3,), t.i1)
    with frame.parallel([kernel.outputs[0].type.shape[0]]) as (at,):  # type: ignore[attr-defined]
        points = Points(frame, 1)
        with b.for_(0, WIDTH) as loop:
            value = points.in_branch().value(kernel.outputs[0], [LaneIndex(at), LaneIndex(loop.iv)])
            b.store(value, row, [b.sub(WIDTH - 1, loop.iv)])
        b.store(b.constant(1, t.i8), number, [2])
        with b.for_(0, WIDTH) as loop:
            one = b.cast(b.load(number, [2]), t.f32)
            b.store(b.mul(one, b.load(row, [loop.iv])), frame.outputs[0], [at, loop.iv])
    return frame.finish("through_scratch{}")


@pytest.fixture
def through_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = SimpleNamespace(match=lambda kernel, target: SimpleNamespace(), emit=emit)
    monkeypatch.setattr(select, "STRATEGIES", {"through_scratch": strategy})
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)


def compiled(by_rows: bool) -> Any:
    b = GraphBuilder.function("main", [TensorType((B, WIDTH), t.f32), TensorType((1, WIDTH), t.f32)])
    x, w = b.block.arguments
    y = b.add(x, b.broadcast_in_dim(w, shape=(B, WIDTH), dims=(0, 1)))
    b.ret(y, b.mul(x, 2.0)) if by_rows else b.ret(y, b.mul(x, 2.0), b.add(w, 1.0))
    roles, donates = (["input", "weight"], {}) if by_rows else (["input", "state"], {2: 1})
    function = traced(b.module, roles, [np.zeros(0), np.ones((1, WIDTH))], donates)
    options = Options.of(engine="native", target="host", disable="fuse-siblings,collapse-dimensions")
    return compile_module(function.module, "entry", options=options)


@pytest.mark.usefixtures("through_scratch")
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_workers_do_not_meet(by_rows: bool, threads: int) -> None:
    model = compiled(by_rows)
    plan = model.module("plan")
    verify(plan)
    interface = Interface.of(find_function(plan, "main"))
    assert interface.scratch == WIDTH * 4 + 64
    assert bool(interface.rows) == by_rows
    loaded = load_object(model.object, ("kc_entry_query",))
    env = host.environment(threads=threads)
    about = abi.query(loaded.address("kc_entry_query"), env)
    context = Memory(about.ctx_bytes)
    assert about._bind(context.address, context.nbytes, env.address, None, 0) == abi.OK
    for batch in (1, 2, 40):
        x = np.random.default_rng(batch).standard_normal((batch, WIDTH)).astype(np.float32)
        w, y, z = np.ones((1, WIDTH), np.float32), np.empty_like(x), np.empty_like(x)
        need = about.arena_bytes([batch], threads)
        arena = guarded(np.full(need, 0x7F, np.uint8), alignment=64)
        inputs, outputs = [x, w], [y, z] if by_rows else [y, z, w]
        tables: list[Any] = []
        for arrays in (inputs, outputs):
            tables.append((ctypes.c_int64 * len(arrays))(*[a.ctypes.data for a in arrays]))
            tables.append((ctypes.c_int64 * len(arrays))(*[a.nbytes for a in arrays]))
        sizes = (ctypes.c_int64 * 1)(batch)
        addresses = [ctypes.addressof(table) for table in tables]
        run = (context.address, ctypes.addressof(sizes), *addresses, arena.ctypes.data)
        assert about.run_function(*run, need - 1) == abi.EARENA
        assert about.run_function(*run, need) == abi.OK
        np.testing.assert_array_equal(y, (x + 1)[:, ::-1])
        np.testing.assert_array_equal(z, (x * 2)[:, ::-1])
        np.testing.assert_array_equal(w, 1 if by_rows else 2)


@pytest.mark.usefixtures("through_scratch")
def test_the_interpreter_gives_each_worker_its_own() -> None:
    module = compiled(by_rows=True).module("loops")
    x, w = np.random.default_rng(1).standard_normal((2, WIDTH)).astype(np.float32), np.ones((1, WIDTH), np.float32)
    y, z = interpret(module, "main", [x, w])
    np.testing.assert_array_equal(y, (x + 1)[:, ::-1])
    np.testing.assert_array_equal(z, (x * 2)[:, ::-1])


@pytest.mark.usefixtures("through_scratch")
def test_kernels_share_the_memory_and_the_verifier_knows_it() -> None:
    plan = compiled(by_rows=True).module("plan")
    calls = [op for op in plan.walk() if op.name == "plan.call"]
    assert len(calls) == 2 and calls[0].operands[-2:] == calls[1].operands[-2:]
    assert not any(op.name == "plan.barrier" for op in plan.walk())
    place = len(calls[0].operands) - 2
    attributes = {"offset": DimsAttr((0,)), "bytes": DimsAttr((WIDTH * 4,))}
    shared = Builder.before_op(calls[0]).create("plan.arena", (), attributes, [calls[0].operands[place].type])
    calls[0].set_operand(place, shared.result)
    with pytest.raises(IRError, match=re.escape("2 buffers of plan.scratch, as the last ones. Received: 1 of")):
        verify(plan)
