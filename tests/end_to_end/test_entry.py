"""The generated entry refuses what kc.h says it refuses, each with its own status, and never touches memory then."""

from __future__ import annotations

import ctypes
from ctypes import c_int64
from typing import Any

import numpy as np
import pytest

from kcompile.codegen import entry
from kcompile.codegen.interface import Interface, Port
from kcompile.codegen.jit import load_object
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.pipeline import compile_module
from kcompile.runtime import abi, host
from kcompile.runtime.memory import Memory
from tests.end_to_end.traced import traced

B = symbol("b")


class Call:
    """Everything that `run` of x[b, 8] + w[8] -> y[b, 8], w' = 2 w wants, to be changed before `status`."""

    def __init__(self, batch: int = 5, threads: int = 1):
        b = GraphBuilder.function("main", [TensorType((B, 8), t.f32), TensorType((8,), t.f32)])
        x, w = b.block.arguments
        b.ret(b.add(x, b.broadcast_in_dim(w, shape=(B, 8), dims=(1,))), b.mul(w, 2.0))
        function = traced(b.module, ["input", "state"], [np.zeros(0), np.zeros(8)], {1: 1})
        compiled = compile_module(function.module, "entry", options=Options.of(engine="native", target="host"))
        self.loaded = load_object(compiled.object, ("kc_entry_query",))
        self.address = self.loaded.address("kc_entry_query")
        self.env = host.environment(threads=threads)
        self.model = abi.query(self.address, self.env)
        self.context = Memory(self.model.ctx_bytes)
        self.x = np.arange(batch * 8, dtype=np.float32).reshape(batch, 8)
        self.w = np.ones(8, np.float32)
        self.y = np.full((batch, 8), -1, np.float32)
        self.sizes = [batch]
        self.arena = Memory(1 << 16)
        self.arena_address, self.arena_nbytes = self.arena.address, self.arena.nbytes
        self.pointers = [self.x.ctypes.data, self.w.ctypes.data, self.y.ctypes.data, self.w.ctypes.data]
        self.counts = [self.x.nbytes, self.w.nbytes, self.y.nbytes, self.w.nbytes]

    def bind(
        self, context: int | None = None, nbytes: int | None = None, env: Any = 0, weights: Any = (None, 0)
    ) -> int:
        status: int = self.model._bind(
            self.context.address if context is None else context,
            self.context.nbytes if nbytes is None else nbytes,
            self.env.address if env == 0 else env,
            *weights,
        )
        return status

    def status(self, context: int | None = None) -> int:
        tables = [(c_int64 * 2)(*v) for v in (self.pointers[:2], self.counts[:2], self.pointers[2:], self.counts[2:])]
        sizes = (c_int64 * 1)(*self.sizes)
        status: int = self.model.run_function(
            self.context.address if context is None else context, ctypes.addressof(sizes),
            *(ctypes.addressof(table) for table in tables), self.arena_address, self.arena_nbytes,
        )  # fmt: skip
        return status


@pytest.fixture
def call() -> Call:
    made = Call()
    assert made.bind() == abi.OK
    return made


def refused(call: Call, status: int) -> None:
    assert call.status() == status
    assert (call.y == -1).all(), "a refused call wrote its output"
    assert (call.w == 1).all(), "a refused call wrote its state"


def test_a_good_call(call: Call) -> None:
    assert call.status() == abi.OK
    np.testing.assert_array_equal(call.y, call.x + 1)
    np.testing.assert_array_equal(call.w, np.full(8, 2))


@pytest.mark.parametrize(
    ("size", "status"), [(-1, abi.ESHAPE), (-(2**63), abi.ESHAPE), (2**62, abi.EOVERFLOW), (4, abi.ESHAPE)]
)
def test_sizes(call: Call, size: int, status: int) -> None:
    call.sizes = [size]
    refused(call, status)


@pytest.mark.parametrize("size", [-1, 2**62, 2**63 - 1])
def test_arena_bytes_refuses_sizes(call: Call, size: int) -> None:
    with pytest.raises(Exception, match="KC_ESHAPE|KC_EOVERFLOW"):
        call.model.arena_bytes([size], 1)


def test_an_empty_batch_writes_nothing(call: Call) -> None:
    call.sizes = [0]
    refused(call, abi.OK)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("change", [-4, 4, -1])
def test_byte_counts(call: Call, index: int, change: int) -> None:
    call.counts[index] += change
    refused(call, abi.ESHAPE)


@pytest.mark.parametrize("index", range(4))
def test_null_pointers(call: Call, index: int) -> None:
    call.pointers[index] = 0
    refused(call, abi.EARG)


@pytest.mark.parametrize("index", range(3))
def test_alignment(call: Call, index: int) -> None:
    call.pointers[index] += 2
    if index == 1:
        call.pointers[3] += 2
    refused(call, abi.EALIGN)


def test_an_output_may_overlap_nothing(call: Call) -> None:
    whole = np.full(200, -1, np.float32)
    call.y = whole
    for place in (call.pointers[0], call.pointers[0] + 4 * 39, call.pointers[1] - 4 * 39, call.arena_address + 64):
        call.pointers[2] = place
        refused(call, abi.EARG)


def test_side_by_side_is_no_overlap(call: Call) -> None:
    whole = np.zeros(80, np.float32)
    call.pointers[0], call.pointers[2] = whole.ctypes.data, whole.ctypes.data + 4 * 40
    assert call.status() == abi.OK
    np.testing.assert_array_equal(whole[40:], np.ones(40))


def test_an_input_may_not_be_state_as_well(call: Call) -> None:
    call.pointers[0] = call.pointers[1]
    refused(call, abi.EARG)


def test_a_donated_result_is_its_state(call: Call) -> None:
    other = np.zeros(8, np.float32)
    call.pointers[3] = other.ctypes.data
    refused(call, abi.EARG)


def test_the_arena(call: Call) -> None:
    call.arena_nbytes = call.model.arena_bytes([5], 1) - 1
    refused(call, abi.EARENA)
    call.arena_nbytes = -1
    refused(call, abi.EARENA)
    call.arena_nbytes, call.arena_address = 1 << 15, call.arena.address + 8
    refused(call, abi.EALIGN)
    call.arena_address = 0
    refused(call, abi.EARG)


def test_a_context_that_was_not_bound() -> None:
    call = Call()
    refused(call, abi.EARG)
    assert call.status(context=0) == abi.EARG
    assert call.status(context=call.context.address + 8) == abi.EALIGN


def test_bind() -> None:
    call = Call()
    small = abi.KcEnv()
    small.size = 64
    assert call.bind(context=0) == abi.EARG
    assert call.bind(context=call.context.address + 8, nbytes=call.context.nbytes) == abi.EALIGN
    assert call.bind(nbytes=call.context.nbytes - 1) == abi.EARENA
    assert call.bind(env=None) == abi.EARG
    assert call.bind(env=ctypes.addressof(small)) == abi.EABI
    assert call.bind(weights=(call.arena.address, 64)) == abi.EWEIGHTS


def test_a_cpu_that_lacks_the_level() -> None:
    call = Call()
    from kcompile.codegen.target import Target

    if not entry.required_bits(Target.host()):
        pytest.skip("this machine has the lowest level")
    old = abi.KcEnv()
    old.size, old.max_workers = ctypes.sizeof(abi.KcEnv), 1
    old.cpu[0] = 1
    assert call.bind(env=ctypes.addressof(old)) == abi.ECPU


def test_query_of_an_older_interface() -> None:
    call = Call()
    query = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)(call.address)
    assert query(0, None) is None
    assert query(abi.ABI, None)
    assert query(abi.ABI + 7, None) == query(abi.ABI, None)


def test_what_the_model_says_about_itself(call: Call) -> None:
    model = call.model
    assert model.name == "entry"
    assert model.size_names == ("b",)
    assert [(s.name, s.dtype, s.shape, s.row_bytes) for s in model.inputs] == [
        ("a0", "float32", ("b", 8), 32),
        ("a1", "float32", (8,), 32),
    ]
    assert [s.name for s in model.outputs] == ["r0", "r1"]
    assert len(model.uid) == 32
    assert model.uid != "0" * 32


def test_the_size_limit_keeps_every_byte_count_in_64_bits() -> None:
    for dims in ((B, 8), (B, 1 << 40), (B, symbol("s"), 100)):
        kind = TensorType(dims, t.f64)
        names = ("b", "s") if symbol("s") in dims else ("b",)
        interface = Interface(names, (Port("x", kind),), (Port("y", kind),), 0, 64 * B, 1000 * B)
        limit = interface.size_limit()
        from kcompile.ir.dims import evaluate

        assert evaluate(interface.inputs[0].bytes, dict.fromkeys(names, limit)) < 1 << 62
        assert limit >= 1 << 18
