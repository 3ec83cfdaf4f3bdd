"""Between two barriers the workers of a team may run in any order: native kernels, one worker after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
import pytest

from kcompile.codegen.entry_text import COPY_GRAIN
from kcompile.codegen.kernels import Kernel, compile_kernels
from kcompile.codegen.target import Target
from kcompile.dialects.plan import one_dim
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim, evaluate
from kcompile.ir.interpreter import interpret
from kcompile.options import Options
from kcompile.pipeline import compile_module
from tests.transforms import models

SIZES = {"b": 9}


class Team:
    """The memory of a plan, and what each worker does with it. What nobody has written is NaN."""

    def __init__(
        self,
        plan: Operation,
        kernels: dict[str, Kernel],
        arrays: Sequence[np.ndarray],
        results: Sequence[np.ndarray],
    ):
        self.plan, self.main, self.kernels = plan, find_function(plan, "main"), kernels
        self.inputs = [np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in arrays]
        self.outputs = [np.full(r.nbytes, 0xFF, np.uint8) for r in results]
        self.arena = np.full(self.size(one_dim(self.main["plan.arena"])) + 64, 0xFF, np.uint8)

    def size(self, dim: Dim) -> int:
        return evaluate(dim, SIZES)

    def bytes(self, buffer: Value) -> np.ndarray:
        """The memory from where a buffer starts."""
        op = buffer.defining_op
        assert op is not None
        if op.name == "plan.view":
            return self.bytes(op.operands[0])
        if op.name == "plan.arena":
            return self.arena[self.size(one_dim(op["offset"])) :]
        if op.name == "plan.constant":
            return np.ascontiguousarray(op["value"]).reshape(-1).view(np.uint8)
        return {"plan.input": self.inputs, "plan.output": self.outputs}[op.name][op["index"]]

    def call(self, op: Operation, tid: int, team: int) -> None:
        if op.name == "plan.copy":
            source, target = map(self.bytes, op.operands)
            count = self.size(one_dim(op["bytes"]))
            pages = -(-count // COPY_GRAIN)
            share = -(-pages // team) * COPY_GRAIN
            part = slice(tid * share, min(count, (tid + 1) * share))
            target[part] = source[part]
            return
        kernel, function = self.kernels[op["callee"]], find_function(self.plan, op["callee"])
        arrays = []
        private = function.get("kernel.scratch", 0)
        for value, dims in zip(op.operands[: len(op.operands) - private], function["kernel.dims"], strict=False):
            shape, dtype = [self.size(d) for d in dims], t.to_numpy(t.element_of(value.type))
            count = int(np.prod(shape)) * dtype.itemsize
            arrays.append(self.bytes(value)[:count].view(dtype).reshape(shape))
        kernel(arrays, *[SIZES[s] for s in function["kernel.symbols"]], tid, team)

    def meets(self, barrier: Operation, team: int) -> bool:
        """Whether a run of so many workers meets a barrier."""
        numbers = zip(barrier.get("unless", ()), barrier.get("over", ()), strict=True)
        return "unless" not in barrier.attributes or any(self.size(n) % (team * over) for n, over in numbers)

    def run(self, order: Sequence[int], without: int | None = None) -> list[np.ndarray]:
        """Every worker up to the next barrier, in this order; `without` one of the barriers."""
        ops = [op for op in self.main.body.ops if op.name in ("plan.call", "plan.copy", "plan.barrier")]
        segments: list[list[Operation]] = [[]]
        for number, op in enumerate(ops):
            if op.name != "plan.barrier":
                segments[-1].append(op)
            elif number != without and self.meets(op, len(order)):
                segments.append([])
        for segment in segments:
            for tid in order:
                for op in segment:
                    self.call(op, tid, len(order))
        return self.outputs


@functools.cache
def team_of(name: str) -> Callable[[], Team]:
    module = models.MODELS[name]()
    arrays = models.random_arguments(module, SIZES)
    results = interpret(module, "main", arrays)
    plan = compile_module(module, name, options=Options.of(engine="native", target="host")).module("plan")
    kernels = compile_kernels(plan, Target.host())
    return lambda: Team(plan, kernels, arrays, results)


@pytest.mark.parametrize("name", models.MODELS)
def test_any_order_gives_the_same_bits(name: str) -> None:
    make = team_of(name)
    expected = make().run([0])
    for team in (2, 3):
        for order in permutations(range(team)):
            for mine, wanted in zip(make().run(order), expected, strict=True):
                np.testing.assert_array_equal(mine, wanted)


@pytest.mark.parametrize("name", models.MODELS)
def test_a_barrier_that_is_left_out_shows(name: str) -> None:
    """Of most of them; what a tiny kernel reads may all be of one worker."""
    make = team_of(name)
    expected = make().run([0])
    ops = [op.name for op in make().main.body.ops if op.name in ("plan.call", "plan.copy", "plan.barrier")]
    barriers = [i for i, op in enumerate(ops) if op == "plan.barrier"]
    shown = 0
    for number in barriers:
        found = [make().run(order, without=number) for order in ([0, 1], [1, 0])]
        shown += any(not np.array_equal(a, b) for outputs in found for a, b in zip(outputs, expected, strict=True))
    assert shown * 2 > len(barriers)
