"""hoist-scan-invariants: what a step of a scan need not do again and again is done once, before it.

Reads graph, writes graph. Two things leave the body: work on its constants alone, and products of a sequence with a
constant (with the bias after them), which become one product over all steps: as many times faster as a product of many
rows is than one of few.

    scan { dot(%h, transpose(%w)) + (dot(%x, %k) + %b) }
    =>  %v = transpose(%w); %y = dot(%xs, %k) + %b; scan { dot(%h, %v) + %y }
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView
from kcompile.ir.core import Operation, Value
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of
from kcompile.transforms.kernel.kinds import tensor_type

# Free in a kernel, and larger after it: it stays in the body, before the work that it is for.
FREE = frozenset({"graph.broadcast_in_dim", "graph.constant", "graph.iota", "graph.reshape"})


@pass_("hoist-scan-invariants", reads="graph", writes="graph")
def hoist_scan_invariants(module: Operation) -> bool:
    scans = [op for op in module.walk(reverse=True) if op.name == "graph.scan"]
    return any([_Hoist(op).run() for op in scans])


class _Hoist:
    """One scan. `outside`: what stands before the scan for a constant of the body; `sequences`: for a step."""

    def __init__(self, op: Operation):
        self.op = op
        self.view = ScanView(op)
        self.b: GraphBuilder = GraphBuilder.before_op(op)
        self.outside: dict[Value, Value] = dict(zip(self.view.inner, self.view.consts, strict=True))
        self.sequences: dict[Value, Value] = {}

    def run(self) -> bool:
        given = dict(zip(self.view.steps, self.view.xs, strict=True))
        for op in self.view.body.ops:
            if op.has_trait("control") and op.name != "graph.scan":
                continue
            if all(v in self.outside or self._is_free(v) for v in op.operands) and op.name not in FREE and op.operands:
                self.b.location = op.location
                mapping = {v: self._made(v) for v in op.operands}
                copy = self.b.insert(op.clone(mapping))
                self.outside.update(zip(op.results, copy.results, strict=True))
            elif len(op.results) == 1:
                self._over_time(op, given)
        return self._replace()

    def _is_free(self, value: Value) -> bool:
        """Whether the value is made of constants by work that is free."""
        op = value.defining_op
        return op is not None and op.name in FREE and all(v in self.outside or self._is_free(v) for v in op.operands)

    def _made(self, value: Value) -> Value:
        """The value outside of the scan."""
        if value not in self.outside:
            op = value.defining_op
            assert op is not None
            copy = self.b.insert(op.clone({v: self._made(v) for v in op.operands}))
            self.outside[value] = copy.result
        return self.outside[value]

    def _over_time(self, op: Operation, given: dict[Value, Value]) -> None:
        """A product of a step with a constant, or a sum of one with a constant, for all steps."""
        self.b.location = op.location
        if op.name == "graph.dot_general" and op.operands[0] in given and not op["lhs_batch"]:
            if op.operands[1] in self.outside:
                contract = tuple(a + 1 for a in op["lhs_contract"])
                attributes = {**dict(op.attributes), "lhs_contract": contract}
                operands = [given[op.operands[0]], self.outside[op.operands[1]]]
                self.sequences[op.result] = self.b.create("graph.dot_general", operands, attributes).result
        elif op.name in ("graph.add", "graph.sub") and op.operands[0] in self.sequences:
            bias = self._over_steps(op.operands[1])
            if bias is not None and op.operands[0].has_one_use:
                operands = [self.sequences[op.operands[0]], bias]
                self.sequences[op.result] = self.b.create(op.name, operands, dict(op.attributes)).result

    def _over_steps(self, value: Value) -> Value | None:
        """A constant that the body spreads, spread over all steps."""
        op = value.defining_op
        if op is None or op.name != "graph.broadcast_in_dim" or splat_of(value) is not None:
            return None
        source = op.operands[0]
        if source not in self.outside and not self._is_free(source):
            return None
        shape = (self.view.length, *tensor_type(value).shape)
        made: Value = self.b.broadcast_in_dim(self._made(source), shape=shape, dims=tuple(d + 1 for d in op["dims"]))
        return made

    def _replace(self) -> bool:
        """Let the body read what was hoisted, where something that stays reads it."""
        body = self.view.body
        hoisted = {v.defining_op for v in (*self.outside, *self.sequences)} - {None}

        def is_read(value: Value) -> bool:
            return any(user not in hoisted or user.name in FREE for user in value.users)

        consts = [v for v in self.outside if v not in self.view.inner and not _is_kept(v) and is_read(v)]
        steps = [v for v in self.sequences if is_read(v)]
        if not consts and not steps:
            return False
        place = len(self.view.carries) + len(self.view.xs)
        operands = list(self.op.operands)
        operands[place:place] = [self.sequences[v] for v in steps]
        operands += [self.outside[v] for v in consts]
        arguments = list(body.arguments)
        fresh = {v: body.add_argument(v.type) for v in (*steps, *consts)}
        arguments[place:place] = [fresh[v] for v in steps]
        arguments += [fresh[v] for v in consts]
        for value, argument in fresh.items():
            value.replace_by(argument)
        body.arguments = arguments
        for i, argument in enumerate(arguments):
            argument.index = i
        self.op.set_operands(operands)
        self.op["xs"] = len(self.view.xs) + len(steps)
        return True


def _is_kept(value: Value) -> bool:
    """Whether the body keeps its own copy."""
    op = value.defining_op
    return op is not None and op.name in FREE
