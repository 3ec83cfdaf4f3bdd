"""find-row-parallel: rows that meet are found, whatever form that takes; rows that do not, run in groups."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import create_scan
from kcompile.ir import types as t
from kcompile.ir.core import Block, Value, find_function
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from kcompile.pipeline import compile_module
from kcompile.transforms.plan import choose_rows
from tests.transforms import models

B = symbol("b")
Build = Callable[[GraphBuilder, Value, Value], Value]


def convolve(b: GraphBuilder, x: Value, w: Value) -> Value:
    image = b.reshape(x, shape=(B, 4, 4, 2))
    kernel = b.slice(b.reshape(w, shape=(2, 2, 8, 32)), start=(0, 0, 0, 0), limit=(2, 2, 2, 3), strides=(1, 1, 1, 1))
    return models.pool(b, models.conv2d(b, image, kernel, same=True))


def scan(over: Callable[[GraphBuilder, Value], Value]) -> Build:
    """h' = tanh(h . w + x) over the steps that `over` makes of x, each with a last axis of 8."""

    def build(b: GraphBuilder, x: Value, w: Value) -> Value:
        steps = over(b, x)
        square = b.slice(w, start=(0, 0), limit=(8, 8), strides=(1, 1))
        length, *rest = t.shape_of(steps.type)
        kind = TensorType(tuple(rest), t.f32)
        body = Block([kind, kind, square.type])
        inner = GraphBuilder(body)
        h, step, weights = body.arguments
        last = len(rest) - 1
        product = inner.dot_general(h, weights, lhs_batch=(), rhs_batch=(), lhs_contract=(last,), rhs_contract=(0,))
        after = inner.tanh(inner.add(product, step))
        inner.create("graph.yield", [after, after], None, ())
        made = create_scan(b, body, [b.full(0.0, kind)], [steps], [square], length)
        if t.shape_of(made.results[1].type)[0] is B:
            return made.results[1]
        return b.add(b.transpose(made.results[1], permutation=(1, 0, 2)), b.expand(made.results[0], (1,), (B, 4, 8)))

    return build


def picked(b: GraphBuilder, x: Value, table: Value) -> Value:
    """Rows of a table, by the first number of each row of x."""
    places = b.slice(b.convert(x, dtype=t.i32), start=(0, 0), limit=(B, 1), strides=(1, 1))
    return b.gather(table, places, axes=(0,))


APART: dict[str, Build] = {
    "rows of a table": picked,
    "elements picked in each row": lambda b, x, w: b.gather(
        x, b.expand(b.convert(x, dtype=t.i32), (2,), (B, 32, 1)), axes=(1,), batch_axes=(0,)
    ),
    "a recurrence": scan(lambda b, x: b.transpose(b.reshape(x, shape=(B, 4, 8)), permutation=(1, 0, 2))),
    "pointwise": lambda b, x, w: b.exp(x),
    "dense": lambda b, x, w: b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,)),
    "softmax": lambda b, x, w: models.softmax(b, x),
    "convolution and pooling": convolve,
    "padding of features": lambda b, x, w: b.pad(x, b.constant(0.0, t.f32), low=(0, 1), high=(0, 2), interior=(0, 1)),
    "features reversed": lambda b, x, w: b.reverse(x, axes=(1,)),
    "features joined": lambda b, x, w: b.concatenate(x, b.neg(x), axis=1),
    "number of the feature": lambda b, x, w: b.add(x, b.iota(shape=(B, 32), axis=1, dtype=t.f32)),
}
MEETING: dict[str, Build] = {
    "rows picked by rows": lambda b, x, w: picked(b, x, x),
    "sums of rows": lambda b, x, w: picked(
        b, x, b.scatter(w, b.full(1, TensorType((B, 1), t.i32)), x, axes=(0,), kind="add")
    ),
    "a recurrence over the batch": scan(lambda b, x: b.reshape(x, shape=(B, 4, 8))),
    "mean of the batch": lambda b, x, w: b.sub(x, b.expand(b.reduce(x, axes=(0,), kind="add"), (0,), (B, 32))),
    "a sum as the result": lambda b, x, w: b.reduce(x, axes=(0,), kind="add"),
    "number of the row": lambda b, x, w: b.add(x, b.iota(shape=(B, 32), axis=0, dtype=t.f32)),
    "rows with rows": lambda b, x, w: b.dot_general(
        x, b.exp(x), lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(1,)
    ),
    "transposed": lambda b, x, w: b.transpose(b.exp(x), permutation=(1, 0)),
    "rows padded": lambda b, x, w: b.pad(x, b.constant(0.0, t.f32), low=(1, 0), high=(0, 0), interior=(0, 0)),
    "rows joined": lambda b, x, w: b.concatenate(x, b.neg(x), axis=0),
    "batch folded away": lambda b, x, w: b.exp(b.reshape(x, shape=(B * 2, 16))),
    "a result without a batch": lambda b, x, w: b.exp(w),
}


def rows_of(build: Build) -> int | None:
    b = GraphBuilder.function("main", [TensorType((B, 32), t.f32), TensorType((32, 32), t.f32)])
    b.ret(build(b, *b.block.arguments))
    module = compile_module(b.module, options=Options.of(engine="native", target="host")).module("plan")
    found: int | None = find_function(module, "main").get("plan.rows")
    return found


@pytest.mark.parametrize("name", APART)
def test_rows_apart(name: str) -> None:
    rows = rows_of(APART[name])
    assert rows is not None
    assert rows >= 1


@pytest.mark.parametrize("name", MEETING)
def test_rows_that_meet(name: str) -> None:
    assert rows_of(MEETING[name]) is None


def test_groups_fit_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def chain(b: GraphBuilder, x: Value, w: Value) -> Value:
        for _ in range(3):
            x = models.softmax(b, APART["dense"](b, x, w))
        return x

    few = rows_of(chain)
    monkeypatch.setattr(choose_rows, "CACHED_BYTES", choose_rows.CACHED_BYTES // 1000)
    fewer = rows_of(chain)
    assert few is not None
    assert fewer is not None
    assert fewer < few
    monkeypatch.setattr(choose_rows, "LOADING", ((1 << 62, 100, 10),))
    more = rows_of(chain)
    assert more is not None
    assert more > fewer
