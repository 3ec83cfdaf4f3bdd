"""The progress line: what it says, how often, and on what kind of output."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kcompile.keras.trainer import progress
from kcompile.keras.trainer.progress import Progbar
from tests.keras.trainer.small_models import blobs, classifier


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that moves when told."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(progress, "time", fake)
    return fake


def test_a_terminal_shows_one_moving_line(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    bar = Progbar(4)
    for step in range(1, 5):
        clock.now += 0.1
        bar.update(step, {"loss": 0.5}, finalize=step == 4)
    text = screen.getvalue()
    assert text.count("\r") == 4 and text.count("\n") == 1 and text.endswith("\n")
    last = progress._plain(text.rsplit("\r", 1)[1])
    assert last.strip() == "4/4 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - loss: 0.5000"
    assert "\x1b[32m━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━━\x1b[0m" in text


def test_redraws_are_rare(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    screen, asked = Terminal(), []
    monkeypatch.setattr("sys.stdout", screen)
    bar = Progbar(1000)

    def values() -> dict[str, float]:
        asked.append(1)
        return {"loss": 1.0}

    for step in range(1, 1001):
        clock.now += 0.001
        bar.update(step, values)
    assert 10 <= len(asked) <= 25, "figures are computed only for the lines that are drawn"


def test_a_file_gets_one_plain_line(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stdout", file)
    bar = Progbar(3)
    for step in range(1, 4):
        clock.now += 75.0
        bar.update(step, {"loss": 1e-5}, finalize=step == 3)
    assert file.getvalue() == "3/3 ━━━━━━━━━━━━━━━━━━━━ 3:45 75s/step - loss: 1.0000e-05\n"


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 4), (2, 4)])
def test_fit_prints_by_verbosity(capsys: pytest.CaptureFixture[str], verbose: int, lines: int) -> None:
    x, y = blobs(20)
    classifier().fit(x, y, epochs=2, verbose=verbose, validation_split=0.5)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == lines
    if lines:
        assert out[0] == "Epoch 1/2" and out[2] == "Epoch 2/2"
        for name in ("accuracy", "loss", "val_accuracy", "val_loss"):
            assert f" - {name}: " in out[1]
        assert out[1].startswith("1/1 ━" if verbose == 1 else "1/1 - ")


def test_evaluate_and_predict_print_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = blobs(70)
    model = classifier()
    model.evaluate(x, y)
    model.predict(x)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("3/3 ━") and "loss: " in first
    assert second.startswith("3/3 ━") and second.endswith("/step")


def test_a_generator_counts_up(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    bar: Any = Progbar(None)
    clock.now += 1
    bar.update(7)
    assert "7/Unknown" in progress._plain(screen.getvalue())
