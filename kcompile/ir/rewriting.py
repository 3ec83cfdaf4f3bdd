"""Rewriting: rules are data (a pattern and what to build for it), a pass is a list of rules.

    x, y = capture("x"), capture("y")
    RULES = [
        rule("add-zero", op("graph.add", x, constant(0)), lambda b, m: m["x"]),
        rule("neg-of-sub", op("graph.neg", single_use(op("graph.sub", x, y))), lambda b, m: b.sub(m["y"], m["x"])),
    ]
    simplify = RewritePass("simplify", RULES, reads="graph", writes="graph")

A pattern matches a value: a capture any value (the same one where it stands twice), `op` the result of an operation,
`constant` a constant whose elements are all one number. Operations with the trait `commutative` match in both orders.
The builder function returns the value (or values) that replace the operation, or None to leave it. It builds before the
operation. KCOMPILE_RULE_LIMIT=n stops after n rewrites, which finds a wrong rule by bisection.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, Value
from kcompile.ir.location import fuse
from kcompile.ir.passes import Pass, register

Bindings = dict[str, Any]  # captured values and operations by name; "" holds the operations matched so far
Then = Callable[[Bindings], Bindings | None]
Matcher = Callable[[Value, Bindings, Then], Bindings | None]
Build = Callable[[Any, "Match"], Value | Sequence[Value] | None]

_MATCHED = ""


class Pattern:
    """Matches a value. `compile` gives a closure that calls `then` with each way to match, until one succeeds."""

    def compile(self) -> Matcher:
        raise NotImplementedError


@dataclass(frozen=True)
class Capture(Pattern):
    name: str
    condition: Callable[[Value], bool] | None = None

    def compile(self) -> Matcher:
        name, condition = self.name, self.condition

        def match(value: Value, bindings: Bindings, then: Then) -> Bindings | None:
            if name in bindings:
                return then(bindings) if bindings[name] is value else None
            if condition is not None and not condition(value):
                return None
            return then({**bindings, name: value})

        return match


@dataclass(frozen=True)
class Constant(Pattern):
    name: str | None
    condition: Callable[[Any], bool] | None

    def compile(self) -> Matcher:
        name, condition = self.name, self.condition

        def match(value: Value, bindings: Bindings, then: Then) -> Bindings | None:
            number = splat_of(value)
            if number is None or (condition is not None and not condition(number)):
                return None
            return then(bindings if name is None else {**bindings, name: number})

        return match


@dataclass(frozen=True)
class SingleUse(Pattern):
    inner: Pattern

    def compile(self) -> Matcher:
        inner = self.inner.compile()
        return lambda value, bindings, then: inner(value, bindings, then) if value.has_one_use else None


@dataclass(frozen=True)
class AnyOf(Pattern):
    choices: tuple[Pattern, ...]

    def compile(self) -> Matcher:
        matchers = [c.compile() for c in self.choices]

        def match(value: Value, bindings: Bindings, then: Then) -> Bindings | None:
            for matcher in matchers:
                found = matcher(value, bindings, then)
                if found is not None:
                    return found
            return None

        return match


@dataclass(frozen=True)
class Op(Pattern):
    name: str
    operands: tuple[Pattern, ...]
    attributes: Mapping[str, Any]
    bind: str | None
    open_ended: bool

    def compile(self) -> Matcher:
        on_operation = self.compile_operation()

        def match(value: Value, bindings: Bindings, then: Then) -> Bindings | None:
            op = value.owner
            if isinstance(op, Operation) and op.name == self.name and len(op.results) == 1:
                return on_operation(op, bindings, then)
            return None

        return match

    def compile_operation(self) -> Callable[[Operation, Bindings, Then], Bindings | None]:
        matchers = [p.compile() for p in self.operands]
        attributes = [(k, v if callable(v) else _equals(v)) for k, v in self.attributes.items()]
        count, bind, open_ended = len(matchers), self.bind, self.open_ended

        def operands(values: Sequence[Value], i: int, bindings: Bindings, then: Then) -> Bindings | None:
            if i == count:
                return then(bindings)
            return matchers[i](values[i], bindings, lambda b: operands(values, i + 1, b, then))

        def match(op: Operation, bindings: Bindings, then: Then) -> Bindings | None:
            values = op.operands
            if len(values) != count and not (open_ended and len(values) > count):
                return None
            for key, condition in attributes:
                if not condition(op.get(key)):
                    return None
            bindings = {**bindings, _MATCHED: (*bindings.get(_MATCHED, ()), op)}
            if bind is not None:
                bindings[bind] = op
            found = operands(values, 0, bindings, then)
            if found is None and count == 2 and op.has_trait("commutative"):
                found = operands(values[::-1], 0, bindings, then)
            return found

        return match


def _equals(wanted: Any) -> Callable[[Any], bool]:
    return lambda value: bool(value == wanted)


def capture(name: str, condition: Callable[[Value], bool] | None = None) -> Capture:
    """Any value (for which `condition` holds), to be found under `name`."""
    return Capture(name, condition)


def constant(
    value: float | None = None, name: str | None = None, condition: Callable[[Any], bool] | None = None
) -> Constant:
    """A constant with one number everywhere, also behind broadcasts; `name` finds that number as a NumPy scalar."""
    return Constant(name, _equals(value) if value is not None else condition)


def single_use(inner: Pattern) -> SingleUse:
    """A value that nobody else uses, so that its operation goes away when the match is replaced."""
    return SingleUse(inner)


def any_of(*choices: Pattern) -> AnyOf:
    """The first of several patterns that matches."""
    return AnyOf(choices)


def op(name: str, *operands: Pattern | Any, bind: str | None = None, **attributes: Any) -> Op:
    """The result of an operation whose operands match. A last operand `...` allows more of them.

    attributes   each a value to be equal to, or a condition on the value (None where the op has no such attribute)
    bind         the name under which the operation is found
    """
    open_ended = bool(operands) and operands[-1] is ...
    return Op(name, tuple(operands[:-1] if open_ended else operands), attributes, bind, open_ended)


def splat_of(value: Value) -> Any:
    """The number that all elements of a constant have, looking through broadcasts and reshapes; None otherwise."""
    made = value.owner
    while isinstance(made, Operation) and made.name in ("graph.broadcast_in_dim", "graph.reshape"):
        made = made.operands[0].owner
    if not isinstance(made, Operation) or made.name not in ("graph.constant", "arith.constant"):
        return None
    number = made["value"]
    if not isinstance(number, np.ndarray):
        return number
    if not number.size or not made.attributes["value"].is_splat:  # type: ignore[attr-defined]
        return None
    return number.reshape(-1)[0]


class Match:
    """What a pattern found: `m["x"]` by name, `m.op` the operation to be replaced."""

    __slots__ = ("_bindings", "op")

    def __init__(self, op: Operation, bindings: Bindings):
        self.op = op
        self._bindings = bindings

    def __getitem__(self, name: str) -> Any:
        return self._bindings[name]

    @property
    def matched(self) -> tuple[Operation, ...]:
        """The operations of the pattern, the replaced one first."""
        return tuple(self._bindings[_MATCHED])


@dataclass(frozen=True)
class Rule:
    """`pattern` becomes what `build(builder, match)` returns."""

    name: str
    pattern: Op
    build: Build


def rule(name: str, pattern: Op, build: Build) -> Rule:
    """A rewrite rule.

    Example: `rule("double-neg", op("graph.neg", op("graph.neg", capture("x"))), lambda b, m: m["x"])`
    """
    if not isinstance(pattern, Op):
        raise IRError(f"the pattern of a rule is an operation. Received: {pattern} in the rule '{name}'")
    return Rule(name, pattern, build)


class RewriteDriver:
    """Applies rules until none matches, from a worklist; removes pure operations without uses on the way.

    `hits` counts the rewrites by rule.
    """

    def __init__(self, name: str, rules: Sequence[Rule]):
        self.name = name
        self.rules = list(rules)
        self.hits = {r.name: 0 for r in rules}
        if len(self.hits) != len(self.rules):
            raise IRError(f"the pass {name} has two rules of one name")
        self.by_root: dict[str, list[tuple[Rule, Callable[[Operation, Bindings, Then], Bindings | None]]]] = {}
        for r in rules:
            self.by_root.setdefault(r.pattern.name, []).append((r, r.pattern.compile_operation()))

    def __call__(self, module: Operation) -> bool:
        # an OrderedDict gives up its first key at once; a dict would look through all the removed ones before it
        worklist = OrderedDict.fromkeys(op for op in module.walk() if op is not module)
        budget = 100 * len(worklist) + 1000  # rules that undo each other would run for ever
        limit = int(os.environ.get("KCOMPILE_RULE_LIMIT", "-1"))
        start = dict(self.hits)
        changed = False
        while worklist:
            op, _ = worklist.popitem(last=False)
            if op.parent is None:
                continue
            if _is_dead(op):
                makers = [v.owner for v in op.operands if isinstance(v.owner, Operation)]
                for inner in op.walk():
                    worklist.pop(inner, None)
                op.erase()
                worklist.update(dict.fromkeys(makers))
                changed = True
                continue
            if limit >= 0 and sum(self.hits.values()) - sum(start.values()) >= limit:
                continue
            if self._rewrite(op, worklist):
                changed = True
                budget -= 1
                if budget < 0:
                    made = {n: c - start[n] for n, c in self.hits.items() if c > start[n]}
                    raise IRError(f"the rules of {self.name} do not come to an end; rewrites by rule: {made}")
        return changed

    def _rewrite(self, op: Operation, worklist: OrderedDict[Operation, None]) -> bool:
        for current, match in self.by_root.get(op.name, ()):
            found = match(op, {}, lambda bindings: bindings)
            if found is None:
                continue
            builder = _builder_before(op, found[_MATCHED])
            created: list[Operation] = []
            insert = builder.insert

            def recorded(new: Operation, insert: Any = insert, created: list[Operation] = created) -> Operation:
                created.append(new)
                return insert(new)  # type: ignore[no-any-return]

            builder.insert = recorded
            made = current.build(builder, Match(op, found))
            if made is None:
                for new in reversed(created):
                    new.erase()
                continue
            values = [made] if isinstance(made, Value) else list(made)
            if [v.type for v in values] != [r.type for r in op.results]:
                raise IRError(
                    f"the rule {current.name} replaces {[r.type for r in op.results]} by {[v.type for v in values]}",
                    str(op.location),
                )
            makers = [v.owner for v in op.operands if isinstance(v.owner, Operation)]
            for inner in op.walk() if op.regions else ():
                worklist.pop(inner, None)
            op.replace_by(values)
            self.hits[current.name] += 1
            for value in values:
                worklist.update(dict.fromkeys(value.users))
                if isinstance(value.owner, Operation):
                    worklist[value.owner] = None
            worklist.update(dict.fromkeys(created))
            worklist.update(dict.fromkeys(makers))
            return True
        return False


def _is_dead(op: Operation) -> bool:
    return op.has_trait("pure") and not op.has_trait("terminator") and all(not r.uses for r in op.results)


def _builder_before(op: Operation, matched: Sequence[Operation]) -> Any:
    """A builder of the operation's level, located at all operations that the match replaces."""
    kind: type[Builder] = Builder
    if op.dialect == "graph":
        from kcompile.dialects.graph.builder import GraphBuilder as kind
    assert op.parent is not None
    return kind(op.parent, op, fuse(*(m.location for m in matched)))


def RewritePass(name: str, rules: Sequence[Rule], *, reads: str, writes: str, exact: bool = False) -> Pass:
    """Register a pass that applies `rules`; `.run.hits` counts the rewrites by rule.

    Example: `simplify = RewritePass("simplify", RULES, reads="graph", writes="graph")`
    """
    return register(Pass(name, RewriteDriver(name, rules), reads, writes, exact=exact))
