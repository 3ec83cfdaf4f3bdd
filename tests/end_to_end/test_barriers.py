"""Barriers of teams of every kind: few workers with flags, many that count themselves, more than there are CPUs."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.codegen import entry, entry_text
from kcompile.codegen.interface import Interface
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
