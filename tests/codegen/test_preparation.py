"""@prepare in parts: the same arrays as the interpreter gives, and nothing kept or computed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen import preparation
from kcompile.codegen.preparation import evaluate, parts_of
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import find_function
from kcompile.ir.definition import lookup
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import TensorType

Array = np.ndarray[Any, Any]


def weights(data: st.DataObject, shapes: list[tuple[int, ...]]) -> list[Array]:
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shared=st.sampled_from([0, 1 << 16]))
def test_parts_give_what_the_whole_gives(data: st.DataObject, shared: int) -> None:
    """shared: parts that share anything are one, or all are computed apart."""
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    b = GraphBuilder.function("prepare", [TensorType((rows, columns), t.f32)] * 3)
    made = list(b.block.arguments)
    for _ in range(data.draw(st.integers(1, 12))):
        x, y = (data.draw(st.sampled_from(made)) for _ in range(2))
        back = b.transpose(b.transpose(x, permutation=(1, 0)), permutation=(1, 0))
        row = b.reduce(y, axes=(0,), kind="add")
        spread = b.broadcast_in_dim(row, shape=(rows, columns), dims=(1,))
        flipped = b.reshape(b.transpose(x, permutation=(1, 0)), shape=(rows, columns))
        rounded = b.convert(b.convert(x, dtype=t.bf16), dtype=t.f32)
        made.append(data.draw(st.sampled_from([back, spread, flipped, rounded, b.mul(x, spread), b.add(x, y)])))
    results = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=6))
    b.ret(*results)
    arrays = weights(data, [(rows, columns)] * 3)
    before = [a.copy() for a in arrays]
    expected = interpret(b.module, "prepare", arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "_SHARED", shared)
        parts = parts_of(find_function(b.module, "prepare"))
    seen = {i: value for part in parts for i, value in evaluate(part, arrays).items()}
    assert sorted(seen) == list(range(len(expected)))
    for i, value in enumerate(expected):
        np.testing.assert_array_equal(seen[i], value)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("columns", [1, preparation._STRIP, 2 * preparation._STRIP + 3])
@pytest.mark.parametrize("kept", ["", "wide", "product"])
def test_products_in_f64_go_by_strips(columns: int, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless something else reads what is between them. Whole numbers: every order of additions gives the same."""
    b = GraphBuilder.function("prepare", [TensorType((3, 1, columns), t.f32)])
    left = b.constant(np.arange(12).reshape(4, 3), t.f64)
    wide = b.convert(b.block.arguments[0], dtype=t.f64)
    right = b.reshape(wide, shape=(3, columns))
    product = b.dot_general(left, right, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    others = {"wide": [wide], "product": [product]}.get(kept, [])
    b.ret(b.convert(product, dtype=t.f32), *others)
    array = np.random.default_rng(0).integers(-9, 9, (3, 1, columns)).astype(np.float32)
    definition = lookup("graph.dot_general")
    assert definition is not None and definition.reference is not None
    reference, whole = definition.reference, []

    def counted(*arrays: Array, **attributes: Any) -> Array:
        whole.append(1)
        return reference(*arrays, **attributes)

    monkeypatch.setattr(definition, "reference", counted)
    monkeypatch.setattr(preparation, "_SHARED", 0)
    (part,) = parts_of(find_function(b.module, "prepare"))
    made = evaluate(part, [array])
    assert bool(whole) == bool(kept)
    monkeypatch.undo()
    for i, value in enumerate(interpret(b.module, "prepare", [array])):
        assert made[i].dtype == value.dtype
        np.testing.assert_array_equal(made[i], value)


def test_what_two_results_need_is_computed_once_where_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    b = GraphBuilder.function("prepare", [TensorType((300, 300), t.f32)])
    large = b.exp(b.block.arguments[0])
    b.ret(b.neg(large), b.abs(large))
    (part,) = parts_of(find_function(b.module, "prepare"))
    assert len(part.ops) == 3 and sorted(part.results) == [0, 1]
    monkeypatch.setattr(preparation, "_SHARED", 300 * 300)
    assert [len(part.ops) for part in parts_of(find_function(b.module, "prepare"))] == [2, 2]
