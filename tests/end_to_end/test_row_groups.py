"""How a batch is taken apart: by rows or together, seen from a host whose one worker does everything."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from kcompile.codegen import entry
from kcompile.codegen.entry_rows import GROUPS
from kcompile.codegen.jit import load_object
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import find_function
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.pipeline import CompiledModule, compile_module
from kcompile.runtime import abi, cpu
from kcompile.runtime.memory import Memory
from kcompile.transforms.plan import choose_rows

BATCHES = (*range(1, 41), 63, 64, 65)
_BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32)
_REGION = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)


def one_more(rows: int, least: int, monkeypatch: pytest.MonkeyPatch) -> CompiledModule:
    """x + 1 -> y, in groups of at most `rows` rows, of at least `least` for each worker."""
    b = GraphBuilder.function("main", [TensorType((symbol("b"), 3), t.f32)])
    b.ret(b.add(b.argument(0), 1.0))
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)
    monkeypatch.setattr(choose_rows, "MOST_ROWS", rows)
    model = compile_module(b.module, "rows", options=Options.of(engine="native", target="host"))
    main = find_function(model.module("plan"), "main")
    assert main["plan.rows"] == rows
    main["plan.least_rows"] = least
    return model


class OneWorker:
    """A host that does each region alone, and keeps which body it was given and the words of its frame."""

    def __init__(self, workers: int):
        self.regions: list[tuple[int, int]] = []
        self.callback = _REGION(self.run)
        self.env = abi.KcEnv(size=ctypes.sizeof(abi.KcEnv), max_workers=workers)
        self.env.cpu[0] = cpu.detect_without_library()
        self.env.run_on_workers = ctypes.cast(self.callback, ctypes.c_void_p)
        self.address = ctypes.addressof(self.env)

    def run(self, pool: int, wanted: int, body: int, frame: int) -> int:
        self.regions.append((body, ctypes.c_int64.from_address(frame + 8 * GROUPS).value))
        _BODY(body)(frame, 0, 1)
        return 1


def groups(model: CompiledModule, workers: int) -> dict[int, int]:
    """For each batch the number of groups; 0 where all work on the whole batch together, -1 where nobody is asked."""
    loaded = load_object(model.object, ("kc_rows_query",))
    host = OneWorker(workers)
    about = abi.query(loaded.address("kc_rows_query"), host)
    context = Memory(about.ctx_bytes)
    assert about._bind(context.address, context.nbytes, host.address, None, 0) == abi.OK
    together = ctypes.c_int64.from_address(context.address + 24).value
    found = {}
    for batch in BATCHES:
        x = np.random.default_rng(batch).standard_normal((batch, 3), np.float32)
        y = np.empty_like(x)
        arena = Memory(about.arena_bytes([batch], workers))
        numbers = [ctypes.c_int64(v) for v in (batch, x.ctypes.data, x.nbytes, y.ctypes.data, y.nbytes)]
        host.regions.clear()
        addresses = map(ctypes.addressof, numbers)
        assert about.run_function(context.address, *addresses, arena.address, arena.nbytes) == abi.OK
        np.testing.assert_array_equal(y, x + 1)
        found[batch] = -1
        for body, count in host.regions:
            found[batch] = 0 if body == together else count
    return found


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize(("rows", "least"), [(1, 1), (3, 3), (7, 2), (64, 4)])
def test_groups_are_alike_and_leave_no_worker_idle(
    workers: int, rows: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for batch, count in groups(one_more(rows, least, monkeypatch), workers).items():
        if batch > rows * workers:
            assert -(-batch // count) <= rows
            assert count % workers == 0 or count == batch  # as many for every worker
            continue
        idle = -(-batch // workers) * workers - batch
        if batch == 1 or batch <= (least - 1) * workers or idle * 8 > batch:
            assert count == 0
        else:
            assert count == min(batch, workers)


def test_one_worker_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(groups(one_more(7, 2, monkeypatch), 1).values()) == {-1}
