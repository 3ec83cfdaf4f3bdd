"""The table of summary(): Keras's layout, sign for sign, for models whose tables are known."""

from __future__ import annotations

from typing import Any

import pytest

from kcompile import keras
from kcompile.errors import ArgumentError
from kcompile.keras import layers

CHAIN = """\
Model: "chain"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ first (Dense)                   │ (None, 2000)           │     4,002,000 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ a_really_long_layer_name_for_t… │ (None, 3)              │         6,003 │
│ (Dense)                         │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 4,008,003 (15.29 MB)
 Trainable params: 4,008,003 (15.29 MB)
 Non-trainable params: 0 (0.00 B)"""

GRAPH = """\
Model: "graph"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ i (InputLayer)      │ (None, 4)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ a (Dense)           │ (None, 2)         │         10 │ i[0][0]           │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ b (Dense)           │ (None, 2)         │         10 │ i[0][0]           │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ sum (Add)           │ (None, 2)         │          0 │ a[0][0],          │
│                     │                   │            │ b[0][0]           │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
 Total params: 20 (80.00 B)
 Trainable params: 20 (80.00 B)
 Non-trainable params: 0 (0.00 B)"""

NESTED = """\
Model: "outer"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)                ┃ Output Shape          ┃    Param # ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ inner (Sequential)          │ (None, 2)             │         10 │   N   │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
│    └ frozen (Dense)         │ (None, 2)             │         10 │   N   │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
│ flat (Flatten)              │ (None, 2)             │          0 │   -   │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
│ head (Dense)                │ (None, 1)             │          3 │   Y   │
└─────────────────────────────┴───────────────────────┴────────────┴───────┘
 Total params: 13 (52.00 B)
 Trainable params: 3 (12.00 B)
 Non-trainable params: 10 (40.00 B)"""


def table(model: Any, **arguments: Any) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append, **arguments)
    return "\n".join(lines)


def graph() -> Any:
    x = keras.Input((4,), name="i")
    a, b = layers.Dense(2, name="a")(x), layers.Dense(2, name="b")(x)
    return keras.Model(x, layers.Add(name="sum")([a, b]), name="graph")


def test_a_chain() -> None:
    names = ("first", "a_really_long_layer_name_for_this_table_indeed")
    model = keras.Sequential(
        [keras.Input((2000,)), layers.Dense(2000, name=names[0]), layers.Dense(3, name=names[1])], name="chain"
    )
    assert table(model) == CHAIN


def test_a_graph_shows_its_connections() -> None:
    assert table(graph()) == GRAPH


def test_nested_and_trainable() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="frozen")], name="inner")
    inner.trainable = False
    model = keras.Sequential(
        [keras.Input((4,)), inner, layers.Flatten(name="flat"), layers.Dense(1, name="head")], name="outer"
    )
    assert table(model, expand_nested=True, show_trainable=True) == NESTED


def test_without_weights_yet() -> None:
    text = table(keras.Sequential([layers.Dense(3, name="d")], name="s"))
    assert "│ d (Dense)                       │ ?                      │   0 (unbuilt) │" in text
    assert "Total params: 0 (0.00 B)" in text


def test_the_optimizer_counts_once_it_has_state() -> None:
    model = graph()
    model.compile("adam", "mse")
    assert "Optimizer" not in table(model)
    model.optimizer.build(model.trainable_variables)
    assert " Optimizer params: 42 (168.00 B)" in table(model) and " Total params: 62 (248.00 B)" in table(model)


@pytest.mark.parametrize("length", [60, 80, 113])
def test_width(length: int) -> None:
    lines = table(graph(), line_length=length, show_trainable=True).splitlines()
    assert {len(line) for line in lines[1:-3]} == {length}


def test_a_range_of_layers() -> None:
    rows = [
        line for line in table(graph(), layer_range=["a", "b"]).splitlines() if "(" in line and line.startswith("│")
    ]
    assert [r.split()[1] for r in rows] == ["a", "b"]
    with pytest.raises(ArgumentError, match="'zzz'"):
        table(graph(), layer_range=["a", "zzz"])


def test_prints_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    graph().summary()
    assert capsys.readouterr().out.startswith('Model: "graph"\n┏━')
