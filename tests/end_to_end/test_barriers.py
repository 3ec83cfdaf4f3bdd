"""Barriers of teams of every kind: few workers with flags, many that count themselves, more than there are CPUs."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from kcompile.codegen import entry, entry_text
from kcompile.codegen.entry_text import Text
from kcompile.codegen.interface import Interface
from kcompile.codegen.jit import load_object
from kcompile.codegen.object import compile_object
from kcompile.codegen.target import Target
from kcompile.codegen.text import LLVMModule
from kcompile.ir.dims import evaluate, symbol
from kcompile.ir.interpreter import interpret
from kcompile.options import Options
from kcompile.runtime.executable import CompiledFunction
from tests.end_to_end.test_scan import last_and_all, traced
from tests.properties.compiled import traced as as_function

STEPS, FEATURES = 40, 48
B = symbol("b")


@pytest.mark.parametrize("patience", [entry_text.SPIN_ROUNDS, 0], ids=["spinning", "sleeping at once"])
@pytest.mark.parametrize("team", [2, 3, entry_text.FLAGS, entry_text.FLAGS + 1, 2 * entry_text.FLAGS])
def test_each_step_sees_the_whole_step_before(monkeypatch: pytest.MonkeyPatch, team: int, patience: int) -> None:
    monkeypatch.setattr(entry, "team_cost", lambda interface: 0)
    monkeypatch.setattr(entry_text, "SPIN_ROUNDS", patience)
    module = traced(last_and_all, (1, STEPS, FEATURES))
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float32) for s in ((1, STEPS, FEATURES), (FEATURES, FEATURES))]
    arrays[1] *= np.float32(0.1)
    alone = CompiledFunction(as_function(module), Options.of(cache="off", threads=1))(*arrays)
    np.testing.assert_allclose(alone[1], interpret(module, "main", arrays)[1], rtol=1e-4, atol=1e-5)
    together = CompiledFunction(as_function(module), Options.of(cache="off", threads=team))
    for _ in range(5):
        for found, expected in zip(together(*arrays), alone, strict=True):
            assert found.tobytes() == expected.tobytes()


def test_a_team_must_have_more_work_for_more_barriers() -> None:
    few = Interface(("b",), (), (), 0, 0, 1000 * B, barriers=2)
    many = Interface(("b",), (), (), 0, 0, 1000 * B, barriers=2 + 3 * B)
    assert entry.team_cost(few) < entry.team_cost(Interface(("b",), (), (), 0, 0, 1000 * B, barriers=12))
    assert evaluate(entry.team_cost(few), {"b": 8}) < evaluate(entry.team_cost(many), {"b": 8})


def test_barriers_that_only_an_uneven_team_meets_cost_only_that_team() -> None:
    """5 of them where the team does not divide 3 b / 2, two where it does not divide b."""
    uneven = ((5, ((3 * B,), (2,))), (2, ((B,), (1,))))
    interface = Interface(("b",), (), (), 0, 0, 0, barriers=1, uneven_barriers=uneven)
    text = Text("define i64 @cost(i64 %b, i64 %team) {")
    text.symbols["b"] = "%b"
    text.line(f"ret i64 {entry.cost_of_team(text, interface, '%team')}")
    out = LLVMModule(Target.host())
    out.functions.append(text.finish(Target.host().attributes))
    loaded = load_object(compile_object(str(out), Target.host()))
    cost = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(loaded.address("cost"))
    for b, team, barriers in ((8, 2, 1), (6, 2, 6), (5, 2, 8), (8, 4, 1), (12, 3, 1), (1, 1, 6)):
        assert cost(b, team) == entry.team_cost(interface) + (barriers - 1) * entry.BARRIER_COST
