"""Variables whose initial values wait for weights from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.keras.initializers import GlorotUniform, Zeros
from kcompile.keras.variable import Variable, weights_follow


class Counted(GlorotUniform):
    """How often it has drawn."""

    drawn = 0

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        self.drawn += 1
        return super().__call__(shape, dtype)


def test_what_nothing_is_assigned_to_is_drawn_at_the_end() -> None:
    expected = GlorotUniform(seed=3)((4, 5)).numpy()
    with weights_follow():
        waiting = Variable(GlorotUniform(seed=3), (4, 5), "float32")
        array = waiting._array
    np.testing.assert_array_equal(waiting.numpy(), expected)
    assert waiting._array is array  # compiled code may hold its address


@pytest.mark.parametrize("read", [np.asarray, Variable.numpy, lambda v: v.value.numpy(), lambda v: (v + 0.0).numpy()])
def test_who_reads_before_the_end_finds_the_initial_value(read: Any) -> None:
    with weights_follow():
        waiting = Variable(GlorotUniform(seed=3), (4, 5), "float32")
        np.testing.assert_array_equal(read(waiting), GlorotUniform(seed=3)((4, 5)).numpy())


def test_an_assigned_variable_never_draws() -> None:
    initializer = Counted(seed=1)
    with weights_follow():
        waiting = Variable(initializer, (2, 3), "float16")
        other = Variable(Zeros(), (2,), "int32")
        waiting.assign(np.full((2, 3), 7.0))
    assert initializer.drawn == 0
    assert waiting.dtype == "float16" and (waiting.numpy() == 7).all() and (other.numpy() == 0).all()
    with weights_follow():
        waiting = Variable(initializer, (2, 3), "float16")
        waiting.assign_add(np.ones((2, 3), np.float16))  # reads first
    assert initializer.drawn == 1
    np.testing.assert_array_equal(waiting.numpy(), GlorotUniform(seed=1)((2, 3), dtype="float16").numpy() + 1)


def test_outside_nothing_waits() -> None:
    initializer = Counted(seed=1)
    with pytest.raises(ZeroDivisionError), weights_follow():
        raise ZeroDivisionError
    Variable(initializer, (2, 3))
    assert initializer.drawn == 1


def test_a_loaded_model_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    monkeypatch.setattr(GlorotUniform, "__call__", lambda *_: pytest.fail("weights of a file were drawn first"))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for mine, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
