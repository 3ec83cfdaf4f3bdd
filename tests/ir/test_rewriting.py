"""Patterns match what they say, the driver comes to an end, and rewriting keeps the module well formed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import IRError
from kcompile.ir.core import Operation, Value
from kcompile.ir.interpreter import interpret
from kcompile.ir.location import Location
from kcompile.ir.rewriting import (
    Match,
    Pattern,
    RewriteDriver,
    Rule,
    any_of,
    capture,
    constant,
    op,
    rule,
    single_use,
    splat_of,
)
from kcompile.ir.types import TensorType, f32
from kcompile.ir.verifier import verify

X = TensorType((2, 3), f32)
x, y = capture("x"), capture("y")


def build(*, of: str) -> tuple[Operation, Operation]:
    """@main(a, b, c) that returns the expression `of`, written in Python with the builder as `g`."""
    g = GraphBuilder.function("main", [X, X, X])
    a, b, c = (g.argument(i) for i in range(3))
    made = eval(of, {"g": g, "a": a, "b": b, "c": c})
    values = made if isinstance(made, tuple) else (made,)
    function = g.ret(*values)
    return g.module, function


def names(module: Operation) -> list[str]:
    return [o.name.removeprefix("graph.") for o in module.walk() if o.dialect == "graph"]


def apply(rules: list[Rule], module: Operation) -> RewriteDriver:
    driver = RewriteDriver("test", rules)
    driver(module)
    verify(module)
    return driver


def matches(pattern: Pattern, expression: str) -> bool:
    """Whether the pattern matches the value that the expression gives."""
    _, function = build(of=expression)
    value = function.body.terminator.operands[0]
    return pattern.compile()(value, {}, lambda bindings: bindings) is not None


@pytest.mark.parametrize(
    ("pattern", "expression", "expected"),
    [
        (op("graph.sub", x, x), "g.sub(a, a)", True),
        (op("graph.sub", x, x), "g.sub(a, b)", False),
        (op("graph.sub", x, y), "g.sub(a, a)", True),  # two names may stand for one value
        (op("graph.sub", x, y), "g.add(a, a)", False),
        (op("graph.add", op("graph.neg", x), y), "g.add(a, g.neg(b))", True),  # commutative: both orders
        (op("graph.sub", op("graph.neg", x), y), "g.sub(a, g.neg(b))", False),
        # the first order that fits the inner add does not fit the outer one
        (op("graph.mul", op("graph.add", x, y), x), "g.mul(g.add(a, b), b)", True),
        (op("graph.mul", op("graph.add", x, y), x), "g.mul(g.add(a, b), c)", False),
        (op("graph.add", x, constant(0)), "g.add(a, 0.0)", True),
        (op("graph.add", x, constant(0)), "g.add(0.0, a)", True),
        (op("graph.add", x, constant(0)), "g.add(a, 1.0)", False),
        (op("graph.add", x, constant()), "g.add(a, 7.0)", True),
        (op("graph.add", x, constant(condition=lambda v: v < 0)), "g.add(a, 7.0)", False),
        (op("graph.neg", single_use(op("graph.exp", x))), "g.neg(g.exp(a))", True),
        (op("graph.neg", single_use(op("graph.exp", x))), "(lambda e: (g.neg(e), e))(g.exp(a))", False),
        (op("graph.neg", any_of(op("graph.exp", x), op("graph.log", x))), "g.neg(g.log(a))", True),
        (op("graph.neg", any_of(op("graph.exp", x), op("graph.log", x))), "g.neg(g.tanh(a))", False),
        (op("graph.neg", capture("x", lambda v: v.type is X)), "g.neg(a)", True),
        (op("graph.neg", capture("x", lambda v: v.type is not X)), "g.neg(a)", False),
        (op("graph.reduce", x, kind="add"), "g.reduce(a, axes=(1,), kind='add')", True),
        (op("graph.reduce", x, kind="max"), "g.reduce(a, axes=(1,), kind='add')", False),
        (op("graph.reduce", x, axes=lambda axes: 1 in axes), "g.reduce(a, axes=(1,), kind='add')", True),
        (op("graph.concatenate", x, ...), "g.concatenate(a, b, c, axis=0)", True),
        (op("graph.concatenate", x, y), "g.concatenate(a, b, c, axis=0)", False),
    ],
)
def test_patterns(pattern: Pattern, expression: str, expected: bool) -> None:
    assert matches(pattern, expression) is expected


DOUBLE_NEGATION = rule("double-neg", op("graph.neg", op("graph.neg", x)), lambda b, m: m["x"])


@given(st.integers(0, 9))
def test_rules_apply_until_none_matches(n: int) -> None:
    module, _ = build(of="g.neg(" * n + "a" + ")" * n)
    driver = apply([DOUBLE_NEGATION], module)
    assert names(module) == ["neg"] * (n % 2)
    assert driver.hits == {"double-neg": n // 2}


def test_a_rule_sees_what_another_made() -> None:
    module, _ = build(of="g.add(g.sub(a, a), b)")
    rules = [
        rule("sub-self", op("graph.sub", x, x), lambda b, m: b.full(0.0, m["x"].type)),
        rule("add-zero", op("graph.add", x, constant(0)), lambda b, m: m["x"]),
    ]
    apply(rules, module)
    assert names(module) == []


def test_captures_and_bound_operations_are_found_by_name() -> None:
    seen: list[Match] = []

    def build_rule(b: GraphBuilder, m: Match) -> Value:
        seen.append(m)
        return b.mul(m["x"], b.full(float(m["c"]) * 2, X))

    pattern = op("graph.add", op("graph.exp", x, bind="e"), constant(name="c", condition=lambda c: c == 3))
    module, function = build(of="g.add(g.exp(a), 3.0)")
    apply([rule("r", pattern, build_rule)], module)
    assert [m["e"].name for m in seen] == ["graph.exp"]
    assert seen[0]["x"] is function.body.arguments[0]
    assert [o.name for o in seen[0].matched] == ["graph.add", "graph.exp"]
    assert splat_of(function.body.terminator.operands[0].owner.operands[1]) == np.float32(6)  # type: ignore[union-attr]


def test_new_operations_are_located_at_all_that_they_replace() -> None:
    g = GraphBuilder.function("main", [X])
    with g.scope("inner"):
        e = g.exp(g.argument(0))
    with g.scope("outer"):
        n = g.neg(e)
    g.ret(n)
    r = rule("r", op("graph.neg", op("graph.exp", x)), lambda b, m: b.tanh(m["x"]))
    apply([r], g.module)
    (made,) = [o for o in g.module.walk() if o.name == "graph.tanh"]
    assert made.location is Location(parts=(Location("outer"), Location("inner")))


def test_none_leaves_the_operation_and_removes_what_was_built() -> None:
    def refuse(b: GraphBuilder, m: Match) -> None:
        b.exp(b.neg(m["x"]))

    module, _ = build(of="g.tanh(a)")
    before = str(module)
    driver = apply([rule("r", op("graph.tanh", x), refuse)], module)
    assert str(module) == before
    assert driver.hits == {"r": 0}
    assert driver(module) is False


def test_another_type_is_refused() -> None:
    module, _ = build(of="g.tanh(a)")
    r = rule("r", op("graph.tanh", x), lambda b, m: b.reduce(m["x"], axes=(0,), kind="add"))
    with pytest.raises(IRError, match="the rule r replaces"):
        RewriteDriver("test", [r])(module)


def test_rules_without_end_are_stopped_and_named() -> None:
    module, _ = build(of="g.add(a, b)")
    swap = rule("swap", op("graph.add", x, y), lambda b, m: b.add(m["y"], m["x"]))
    with pytest.raises(IRError, match=r"do not come to an end; rewrites by rule: {'swap'"):
        RewriteDriver("test", [swap])(module)


def test_dead_operations_go_away_with_what_only_they_used() -> None:
    module, _ = build(of="(g.neg(g.exp(b)), g.tanh(a))[1]")
    assert names(module) == ["exp", "neg", "tanh"]
    apply([], module)
    assert names(module) == ["tanh"]


def test_the_limit_stops_rewriting(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in range(4):
        monkeypatch.setenv("KCOMPILE_RULE_LIMIT", str(limit))
        module, _ = build(of="g.neg(" * 6 + "a" + ")" * 6)
        driver = apply([DOUBLE_NEGATION], module)
        assert driver.hits["double-neg"] == min(limit, 3)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(IRError, match="two rules of one name"):
        RewriteDriver("test", [DOUBLE_NEGATION, DOUBLE_NEGATION])


def test_a_pattern_of_a_rule_is_an_operation() -> None:
    with pytest.raises(IRError, match="is an operation"):
        rule("r", x, lambda b, m: m["x"])  # type: ignore[arg-type]


def expressions(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "c"])
    if depth == 0:
        return leaf
    inner = expressions(depth - 1)
    return st.one_of(
        leaf,
        st.builds("g.neg({})".format, inner),
        st.builds("g.add({}, {})".format, inner, st.one_of(inner, st.just("0.0"))),
        st.builds("g.sub({}, {})".format, inner, inner),
    )


ALGEBRA = [
    DOUBLE_NEGATION,
    rule("add-zero", op("graph.add", x, constant(0)), lambda b, m: m["x"]),
    rule("neg-sub", op("graph.neg", single_use(op("graph.sub", x, y))), lambda b, m: b.sub(m["y"], m["x"])),
    rule("add-neg", op("graph.add", x, op("graph.neg", y)), lambda b, m: b.sub(m["x"], m["y"])),
    rule("sub-neg", op("graph.sub", x, op("graph.neg", y)), lambda b, m: b.add(m["x"], m["y"])),
]


@given(expressions(4))
def test_rules_keep_the_meaning(expression: str) -> None:
    module, _ = build(of=expression)
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3) * 2**k for k in range(3)]  # sums of these are exact
    before = interpret(module, "main", arrays)
    apply(ALGEBRA, module)
    np.testing.assert_array_equal(interpret(module, "main", arrays), before)
