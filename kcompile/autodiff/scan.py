"""The gradient of graph.scan: a scan the other way.

The body's own pullback is made inside the body first. What it adds becomes the body of the second scan; forward values
that it reads come along as sequences: steps of the first scan's sequences, the carries before each step, and what is
not cheap to compute again, which the first scan stacks for it. Cotangents of constants are sums over all steps: a
product of two values of each step becomes one product over all steps, after the loop.

    h_t = tanh(h_{t-1} . w + x_t)         dz_t = (dh_t + dy_t) * (1 - h_t^2);  dh_{t-1} = dz_t . w'
                                          dw = sum over t of h_{t-1}' . dz_t = one dot over time and batch
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView, create_scan, sequence_type
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim, product
from kcompile.ir.rewriting import splat_of
from kcompile.ir.types import TensorType

Later = Callable[[GraphBuilder], Value]  # makes a value beside the second scan, once that is there

# Computed again rather than stacked: they move elements, or cost about as much as the load of a stacked value.
AGAIN = frozenset(
    f"graph.{n}"
    for n in """constant iota broadcast_in_dim reshape transpose slice reverse convert not neg abs compare select and or
    add sub mul max min stop_gradient""".split()
)
# f with f(a) + f(b) = f(a + b), of one operand: done once, on the sum.
LINEAR = frozenset(f"graph.{n}" for n in "reshape transpose broadcast_in_dim slice reverse neg convert".split())


def scan_pullback(
    b: GraphBuilder, op: Operation, cts: Sequence[Value | None], active: set[Value]
) -> list[Value | None]:
    """The cotangents of the operands of a scan, given those of its results. The scan gets more results on the way."""
    return _Pullback(b, op, cts, active).run()


class _Pullback:
    def __init__(self, b: GraphBuilder, op: Operation, cts: Sequence[Value | None], active: set[Value]):
        self.b = b
        self.op = op
        self.view = ScanView(op)
        self.cts = list(cts)
        view = self.view
        self.floats = [i for i, v in enumerate(view.carries) if t.is_float(v.type)]
        self.wanted_xs = [j for j, v in enumerate(view.xs) if v in active and t.is_float(v.type)]
        self.wanted_consts = [k for k, v in enumerate(view.consts) if v in active and t.is_float(v.type)]
        self.forward = [o for o in view.body.ops if o is not view.body.last]
        self.block = Block()
        self.carries: list[tuple[Value, Value]] = []  # first value, argument
        self.xs: list[tuple[Value, Value]] = []  # sequence, argument
        self.consts: list[tuple[Value, Value]] = []
        self.inside: dict[Value, Value] = {}  # values of the first body -> values of the second
        self.stacked: dict[Value, Value] = {}  # values of the first body -> their sequence
        self.emitted: list[Value] = []  # what the second body stacks
        self.stacks: list[Value] = []

    def run(self) -> list[Value | None]:
        made, carried, xs, consts = self._inside_the_body()
        self._move(made)
        nexts = [self._inner(g, a) for g, (_, a) in zip(carried, self.carries, strict=True)]
        x_numbers = [None if g is None else self._emit(self._bring(g)) for g in xs]
        sums: list[Later | None] = [None if g is None else self._sum(g, nexts) for g in consts]
        self._finish(nexts)
        return self._results(x_numbers, sums)

    def _inside_the_body(self) -> tuple[list[Operation], list[Value | None], list[Value | None], list[Value | None]]:
        """The pullback of the body, made in the body; cotangents of the body's results are new arguments for now."""
        from kcompile.autodiff.reverse import pullback

        view, body = self.view, self.view.body
        count = len(body.arguments)
        outputs, given = [], []
        for i in self.floats:
            ct = self.cts[i]
            first = ct if ct is not None else self.b.full(0.0, _tensor(view.carries[i]))
            given.append(self._argument(body, self.carries, first, view.carries[i].type))
            outputs.append(view.next[i])
        for value, ct in zip(view.emitted, self.cts[len(view.carries) :], strict=True):
            if ct is not None:
                given.append(self._argument(body, self.xs, ct, value.type))
                outputs.append(value)
        wrt = [view.carried[i] for i in self.floats]
        wrt += [view.steps[j] for j in self.wanted_xs]
        wrt += [view.inner[k] for k in self.wanted_consts]
        last = body.terminator.prev
        inner = GraphBuilder(body, body.terminator, self.b.location)
        found = pullback(inner, outputs, given, wrt)
        made = []
        op = body.first if last is None else last.next
        while op is not None and op is not body.last:
            made.append(op)
            op = op.next
        self.extra = body.arguments[count:]
        n, m = len(self.floats), len(self.floats) + len(self.wanted_xs)
        return made, found[:n], found[n:m], found[m:]

    def _argument(self, body: Block, kind: list[tuple[Value, Value]], outer: Value, type: t.Type) -> Value:
        """An argument of the second body, and for now one of the first that stands for it."""
        stand_in = body.add_argument(type)
        argument = self.block.add_argument(type)
        kind.append((outer, argument))
        self.inside[stand_in] = argument
        return stand_in

    def _move(self, made: list[Operation]) -> None:
        """The new operations go to the second body, with what they read of the first."""
        fresh = {r for op in made for r in op.results}
        needed = dict.fromkeys(v for op in made for v in op.operands if v not in fresh and v not in self.inside)
        order = {r: i for i, op in enumerate(self.forward) for r in op.results}
        for value in sorted(needed, key=lambda v: order.get(v, -1)):
            self._bring(value)
        for op in made:
            op.detach()
            self.block.append(op)
            for i, value in enumerate(op.operands):
                op.set_operand(i, self.inside.get(value, value))
            self.inside.update({r: r for r in op.results})
        body = self.view.body
        for stand_in in reversed(self.extra):
            body.erase_argument(stand_in.index)

    def _bring(self, value: Value) -> Value:
        """A value of the first body for the second one."""
        if value in self.inside:
            return self.inside[value]
        view = self.view
        if value in view.inner:
            argument = self.block.add_argument(value.type)
            self.consts.append((view.consts[view.inner.index(value)], argument))
        elif self._is_at_hand(value):
            maker = value.defining_op
            assert maker is not None
            for operand in maker.operands:
                self._bring(operand)
            copy = self.block.append(maker.clone(dict(self.inside)))
            self.inside.update(zip(maker.results, copy.results, strict=True))
            return self.inside[value]
        else:
            argument = self.block.add_argument(value.type)
            self.xs.append((self._sequence(value), argument))
        self.inside[value] = argument
        return argument

    def _is_at_hand(self, value: Value) -> bool:
        """Whether the value is cheap to compute again, from what the second body can have without another stack."""
        maker = value.defining_op
        if maker is None or maker.name not in AGAIN:
            return False
        return all(
            v in self.inside or v in self.view.inner or v in self.view.steps or v in self.view.carried
            or self._is_at_hand(v)
            for v in maker.operands
        )  # fmt: skip

    def _sequence(self, value: Value) -> Value:
        """All steps of a value of the first body."""
        view = self.view
        if value in view.steps:
            return view.xs[view.steps.index(value)]
        if value in self.stacked:
            return self.stacked[value]
        end = view.body.terminator
        n = len(view.carries)
        if value in end.operands[n:]:
            found = self.op.results[n + end.operands[n:].index(value)]
        else:
            end.set_operands([*end.operands, value])
            found = self.op.add_result(sequence_type(value.type, view.length))
        self.stacked[value] = found
        return found

    def _inner(self, ct: Value | None, argument: Value) -> Value:
        """The next carry of the second scan: a cotangent of a carry, or zero."""
        if ct is not None:
            return self._bring(ct)
        return GraphBuilder(self.block, None, self.b.location).full(0.0, _tensor(argument))

    def _emit(self, value: Value) -> int:
        """The number of the stack of a value of the second body."""
        if value not in self.emitted:
            self.emitted.append(value)
        return self.emitted.index(value)

    def _all_steps(self, value: Value) -> Later | None:
        """All steps of a value of the second body; None for one that is the same in all."""
        for sequence, argument in self.xs:
            if argument is value:
                return lambda b: sequence
        if any(argument is value for _, argument in self.consts):
            return None
        number = self._emit(value)
        return lambda b: self.stacks[number]

    def _sum(self, ct: Value, nexts: list[Value]) -> Later:
        """The sum of a value over all steps."""
        value = self._bring(ct)
        found = self._sum_outside(value)
        if found is not None:
            return found
        type = _tensor(value)
        argument = self.block.add_argument(type)
        inner = GraphBuilder(self.block, None, self.b.location)
        nexts.append(inner.add(argument, value))
        number = len(self.carries)
        self.carries.append((self.b.full(0.0, type), argument))
        return lambda b: self.finals[number]

    def _sum_outside(self, value: Value) -> Later | None:
        """The sum as operations after the loop, where it is one over sequences that are there."""
        op = value.defining_op
        if op is None or op.parent is not self.block:
            return None
        if op.name == "graph.add":
            parts = [self._sum_outside(v) for v in op.operands]
            left, right = parts
            if left is None or right is None:
                return None
            return lambda b: b.add(left(b), right(b))  # type: ignore[no-any-return]
        if op.name in LINEAR or (op.name == "graph.pad" and splat_of(op.operands[1]) == 0):
            source = self._sum_outside(op.operands[0])
            if source is None:
                return None
            if op.name == "graph.pad":
                zero = _tensor(op.operands[1])
                return lambda b: b.create(op.name, [source(b), b.full(0, zero)], dict(op.attributes)).result
            return lambda b: b.create(op.name, [source(b)], dict(op.attributes)).result
        if op.name not in ("graph.dot_general", "graph.reduce") or op.get("kind", "add") != "add":
            return None
        steps = [self._all_steps(v) for v in op.operands]
        if any(s is None for s in steps):
            return None
        return lambda b: _over_time(b, op, [s(b) for s in steps if s is not None])

    def _finish(self, nexts: list[Value]) -> None:
        GraphBuilder(self.block, None, self.b.location).create("graph.yield", [*nexts, *self.emitted], None, ())
        op = self.block.last
        while op is not None:  # the products that are now done at once
            before = op.prev
            if op.results and not any(r.uses for r in op.results):
                op.erase()
            op = before
        self.xs = [(v, a) for v, a in self.xs if a.uses]
        self.consts = [(v, a) for v, a in self.consts if a.uses]
        self.block.arguments = [a for kind in (self.carries, self.xs, self.consts) for _, a in kind]
        for i, argument in enumerate(self.block.arguments):
            argument.index = i
        carries, xs, consts = ([v for v, _ in kind] for kind in (self.carries, self.xs, self.consts))
        second = create_scan(self.b, self.block, carries, xs, consts, self.view.length, not self.view.reverse)
        self.finals = second.results[: len(self.carries)]
        self.stacks = second.results[len(self.carries) :]

    def _results(self, xs: list[int | None], sums: list[Later | None]) -> list[Value | None]:
        view = self.view
        found: list[Value | None] = [None] * len(self.op.operands)
        for place, i in enumerate(self.floats):
            found[i] = self.finals[place]
        for number, j in zip(xs, self.wanted_xs, strict=True):
            found[len(view.carries) + j] = None if number is None else self.stacks[number]
        first = len(view.carries) + len(view.xs)
        for later, k in zip(sums, self.wanted_consts, strict=True):
            found[first + k] = None if later is None else later(self.b)
        return found


def _tensor(value: Value | TensorType) -> TensorType:
    type = value.type if isinstance(value, Value) else value
    assert isinstance(type, TensorType)
    return type


def _rows(shape: Sequence[Dim], count: int) -> tuple[Dim, ...]:
    """`shape` with its first `count` axes as one."""
    return (product(shape[:count]), *shape[count:])


def _over_time(b: GraphBuilder, op: Operation, sequences: list[Value]) -> Value:
    """A dot or a sum of each step, added up over all steps: the same operation with one more axis to sum over."""
    if op.name == "graph.reduce":
        summed: Value = b.reduce(sequences[0], axes=(0, *(a + 1 for a in op["axes"])), kind="add")
        return summed
    lhs, rhs = op["lhs_contract"], op["rhs_contract"]
    if not op["lhs_batch"] and lhs == rhs == tuple(range(len(lhs))):  # time and they are one axis: a plain product
        rows = [b.reshape(s, shape=_rows(_tensor(s).shape, len(lhs) + 1)) for s in sequences]
        plain = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (0,), "rhs_contract": (0,)}
        return b.create("graph.dot_general", rows, {**dict(op.attributes), **plain}).result
    axes = {
        name: (*((0,) if name.endswith("contract") else ()), *(a + 1 for a in op[name]))
        for name in ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    }
    return b.create("graph.dot_general", sequences, {**dict(op.attributes), **axes}).result
