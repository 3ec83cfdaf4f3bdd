"""What the runtime cannot do, it says so, before anything runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kcompile.api import CompiledModel
from kcompile.dialects.graph import GraphBuilder
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from tests.end_to_end.traced import traced

B = symbol("b")


def test_bfloat16_does_not_leave_a_model() -> None:
    b = GraphBuilder.function("main", [TensorType((B, 4), t.f32)])
    half = b.convert(b.argument(0), dtype=t.bf16)
    inside = b.convert(b.mul(half, half), dtype=t.f32)
    b.ret(inside)
    options = Options.of(engine="native", target="host", threads=1)
    run = CompiledFunction(traced(b.module, ["input"], [np.zeros(0)], {}), options)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.testing.assert_array_equal(run(x)[0], x * x)

    b = GraphBuilder.function("main", [TensorType((B, 4), t.f32)])
    b.ret(b.convert(b.argument(0), dtype=t.bf16))
    with pytest.raises(UnsupportedError, match="'r0' is bfloat16"):
        CompiledFunction(traced(b.module, ["input"], [np.zeros(0)], {}), options)(x)


def test_a_model_with_state_is_no_artifact(tmp_path: Path) -> None:
    b = GraphBuilder.function("main", [TensorType((B, 4), t.f32), TensorType((), t.f32)])
    x, count = b.block.arguments
    b.ret(b.exp(x), b.add(count, 1.0))
    function = traced(b.module, ["input", "state"], [np.zeros(0), np.zeros((), np.float32)], {1: 1})
    function.outputs = 0
    model = CompiledModel(function, "counting", Options.of(engine="native", target="host", threads=1, freeze=True))
    model(np.zeros((2, 4), np.float32))
    assert function.arguments[1].variable._array == 1
    with pytest.raises(UnsupportedError, match="updates variables"):
        model.save(tmp_path / "counting.kc")
    assert not list(tmp_path.iterdir())
