"""graph.scan: it runs its body for each step, and what does not fit is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView, code_blocks, create_scan
from kcompile.errors import KcompileError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, find_function
from kcompile.ir.definition import definitions
from kcompile.ir.dims import symbol
from kcompile.ir.interpreter import interpret
from kcompile.ir.parser import parse_module
from kcompile.ir.types import TensorType
from kcompile.ir.verifier import verify

T = symbol("T")
ROW = TensorType((3,), t.f32)


def running_sum(length: Any = T, reverse: bool = False) -> tuple[Operation, Operation]:
    """@main(c, xs, k): c' = c + x * k, of which all are stacked; and the scan."""
    b = GraphBuilder.function("main", [ROW, TensorType((length, 3), t.f32), ROW])
    body = Block([ROW, ROW, ROW])
    inner = GraphBuilder(body)
    carry, x, k = body.arguments
    after = inner.add(carry, inner.mul(x, k))
    inner.create("graph.yield", [after, after], None, ())
    made = create_scan(b, body, [b.argument(0)], [b.argument(1)], [b.argument(2)], length, reverse)
    b.ret(*made.results)
    return b.module, made


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_body_runs_once_for_each_step(steps: int, reverse: bool) -> None:
    module, _ = running_sum(T, reverse)
    verify(module)
    assert str(parse_module(str(module))) == str(module)
    rng = np.random.default_rng(steps)
    c, xs, k = (rng.normal(size=s).astype(np.float32) for s in ((3,), (steps, 3), (3,)))
    last, rows = interpret(module, "main", [c, xs, k])
    expected = np.zeros((steps, 3), np.float32)
    for i in reversed(range(steps)) if reverse else range(steps):
        c = expected[i] = c + xs[i] * k
    np.testing.assert_array_equal(last, c)
    np.testing.assert_array_equal(rows, expected)


def test_a_view_names_the_parts() -> None:
    module, op = running_sum(4)
    view = ScanView(op)
    assert (view.carries, view.xs, view.consts) == (op.operands[:1], op.operands[1:2], op.operands[2:])
    assert view.next == view.emitted and list(view.finals) == op.results[:1] and view.length == 4 and not view.reverse
    assert code_blocks(find_function(module, "main")) == [find_function(module, "main").body, op.body]


def _yield_nothing(op: Operation) -> None:
    op.body.terminator.set_operands([])


def _read_from_outside(op: Operation) -> None:
    assert op.body.first is not None
    op.body.first.set_operand(0, op.operands[2])


BROKEN: dict[str, tuple[Callable[[Operation], Any], str]] = {
    "carries": (lambda op: op.__setitem__("carries", 5), "needs carries and xs, at most 3"),
    "length": (lambda op: op.attributes.pop("length"), "needs its length"),
    "another length": (lambda op: op.__setitem__("length", (5,)), "goes over 5 steps"),
    "an argument too many": (lambda op: op.body.add_argument(ROW), "Received: a body of"),
    "nothing yielded": (_yield_nothing, "ends in graph.yield of the carries"),
    "a value of around": (_read_from_outside, "not visible here"),
    "another sequence": (lambda op: op.set_operand(1, op.operands[0]), "goes over"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_is_refused(name: str) -> None:
    module, op = running_sum(4)
    change, text = BROKEN[name]
    change(op)
    with pytest.raises(KcompileError, match=text):
        verify(module)


def test_operations_with_bodies_are_not_among_those_that_have_samples() -> None:
    plain, all_ = definitions("graph"), definitions("graph", control=True)
    assert {d.name for d in all_} - {d.name for d in plain} == {"graph.scan", "graph.yield"}
