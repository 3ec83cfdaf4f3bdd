"""From the graph form of one kernel to its linalg form: the part that all ops share.

Values of the graph form become tensors when something needs all of them: results of roots, results of the kernel,
operands of roots that cannot compute them in place. Everything else disappears into the bodies of generics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kcompile.dialects.kernel import signless as signless_type
from kcompile.dialects.upstream import linalg, tensor
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, constant_expr, dim_expr, dims_map, identity_map
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim
from kcompile.ir.types import FunctionType, TensorType, Type
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.kinds import is_elementwise, tensor_type
from kcompile.transforms.kernel.point_body import PointBody, signless

Combine = Callable[[LoopBuilder, list[Value], list[Value]], list[Value]]  # (elements, accumulators) -> accumulators


class KernelLowering:
    """The kernel being lowered: `stored` maps values of the graph form to tensors of the new body."""

    def __init__(self, function: Operation):
        self.function = function
        self.block = Block([signless_type(a.type) for a in function.body.arguments])
        self.b = Builder(self.block)
        self.stored: dict[Value, Value] = dict(zip(function.body.arguments, self.block.arguments, strict=True))
        for old, new in self.stored.items():
            new.hint = old.hint
        self.parts: set[Value] = set()  # values whose tensor has two axes for the last one: (part, feature of it)
        self.panels: dict[Value, int] = {}  # results with packed weights, and in how many parts they are read
        self.shared = _shared_values(function)

    def run(self, lower_root: Callable[[KernelLowering, Operation], None]) -> Operation:
        """The function in linalg form; `lower_root` lowers one op that is not elementwise."""
        for op in self.function.body.ops:
            with self.b.located(op.location):
                if op.name == "func.return":
                    self._finish(op)
                elif op.name == "graph.reshape" and op.operands[0] in self.panels:
                    self._join_panels(op)
                elif not is_elementwise(op) and op.name not in ("graph.constant", "graph.reshape"):
                    lower_root(self, op)
        arguments = tuple(a.type for a in self.block.arguments)
        results = tuple(v.type for v in self.block.terminator.operands)
        attributes = dict(self.function.attributes)
        made = Operation("func.func", (), (), attributes, [Region([self.block])], self.function.location)
        made["function_type"] = FunctionType(arguments, results)
        return made

    def _finish(self, op: Operation) -> None:
        returned = list(dict.fromkeys(op.operands))
        apart = self.function.get("kernel.root") == "attention"  # each result is one of its products, turned
        shapes: dict[object, list[Value]] = {}
        for value in returned:
            stored = self.stored.get(value)
            if stored is None or stored.type is not signless_type(value.type):
                shapes.setdefault(value if apart else tensor_type(value).shape, []).append(value)
        for values in shapes.values():
            self.store(values)
        self.b.create("func.return", [self.stored[v] for v in op.operands], None, ())

    # -- all-parallel generics
    def store(self, values: Sequence[Value]) -> None:
        """One generic that computes these values, all of one shape, and makes them tensors."""
        for value in list(values):
            self._store_shared(value)
        body = PointBody(self.stored)
        rank = tensor_type(values[0]).rank
        identity = identity_map(rank)
        nodes = [body.require(v, identity) for v in values]
        outputs = [self.empty(tensor_type(v).shape, tensor_type(v).element) for v in values]

        def emit(b: LoopBuilder, *elements: Value) -> list[Value]:
            made = body.emit(b, elements)
            return [made[n] for n in nodes]

        maps = [*self.maps(body), *[identity] * len(outputs)]
        inputs = self.tensors(body, tensor_type(values[0]).shape)
        made = linalg.generic(self.b, inputs, outputs, maps, ["parallel"] * rank, emit)
        for value, result in zip(values, made, strict=True):
            self.stored[value] = result
            result.hint = value.hint

    def store_results(self, shape: Sequence[Dim]) -> None:
        """Make tensors, now, of the results of the kernel that have this shape."""
        returned = dict.fromkeys(self.function.body.terminator.operands)
        values = [v for v in returned if tensor_type(v).shape == tuple(shape) and v not in self.stored]
        if values:
            self.store(values)

    def tensor(self, value: Value) -> Value:
        """`value` as a tensor of its own type, computed now if it is not stored."""
        if value not in self.stored or self.stored[value].type is not signless_type(value.type):
            self.store([value])
        return self.stored[value]

    def tensors(self, body: PointBody, sizes: Sequence[Dim]) -> list[Value]:
        """The inputs of a body over a space of `sizes`; cut where a plain dim would stop before the tensor's end."""
        return [self._cut(self.stored[v], m, sizes) for (v, _), m in zip(body.inputs, self.maps(body), strict=True)]

    def maps(self, body: PointBody) -> list[AffineMap]:
        """The maps of the inputs of a body to their tensors."""
        return [self._in_parts(v, m) if v in self.parts else m for v, m in body.inputs]

    def _join_panels(self, op: Operation) -> None:
        """(panel, column) as one axis, or (part, panel, column) as (part, feature of it)."""
        parts, shape = self.panels[op.operands[0]], tensor_type(op.result).shape
        if parts > 1:
            shape = (*shape[:-1], parts, shape[-1] // parts)
            self.parts.add(op.result)
        self.stored[op.result] = tensor.reshape(self.b, self.stored[op.operands[0]], shape)

    def _in_parts(self, value: Value, map_: AffineMap) -> AffineMap:
        """(.., d + part * size) as (.., part, d)."""
        *outer, last = map_.results
        size = tensor_type(self.stored[value]).shape[-1]
        assert isinstance(size, int) and len(last.terms) == 1 and last.constant % size == 0
        return affine_map(map_.dims, [*outer, constant_expr(last.constant // size), AffineExpr(last.terms, 0)])

    def _cut(self, value: Value, map_: AffineMap, sizes: Sequence[Dim]) -> Value:
        shape = tensor_type(value).shape
        wanted = [n if e.dim is None else sizes[e.dim] for n, e in zip(shape, map_.results, strict=True)]
        if all(n == m for n, m in zip(shape, wanted, strict=True)):
            return value
        return tensor.extract_slice(self.b, value, [0] * len(shape), wanted, [1] * len(shape))

    def _store_shared(self, value: Value) -> None:
        """First store what several parts of the kernel need and would be dear to compute twice."""
        pending, found = [value], []
        seen: set[Value] = set()
        while pending:
            current = pending.pop()
            if current in self.stored or current in seen or current.defining_op is None:
                continue
            seen.add(current)
            if current in self.shared and current is not value:
                found.append(current)
            elif is_elementwise(current.defining_op):
                pending.extend(current.defining_op.operands)
        for current in found:
            if current not in self.stored:
                self.store([current])

    # -- reducing generics
    def reduce(
        self,
        result: Value,
        inputs: Sequence[tuple[Value, AffineMap]],
        shape: Sequence[Dim],
        reductions: Sequence[Dim],
        inits: Sequence[tuple[float | int | bool, Type]],
        combine: Combine,
        extra: Sequence[tuple[Value, AffineMap]] = (),
        inline: bool = False,
        before: Sequence[Value] = (),
    ) -> list[Value]:
        """A generic over `shape` (parallel) and `reductions` (inner dims); gives its results, of that shape.

        inputs    values of the graph form and maps; with `inline` their elementwise producers become part of the body
        inits     for each accumulator its start and its element type
        extra     tensors of the new body that are read besides, before the inputs
        before    tensors of the new body that the accumulators go on from, in place of their starts
        """
        rank = len(shape) + len(reductions)
        for value, _ in inputs:
            if inline:
                self._store_shared(value)
                if value in self.shared:
                    self.tensor(value)
            else:
                self.tensor(value)
        body = PointBody(self.stored)
        nodes = [body.require(v, m) for v, m in inputs]
        operands = [*(v for v, _ in extra), *self.tensors(body, [*shape, *reductions])]
        maps = [*(m for _, m in extra), *self.maps(body)]
        known = {e.dim for v, m in zip(operands, maps, strict=True) for e in m.results if e.dim is not None} | set(
            range(len(shape))
        )
        missing = [d for d in range(rank) if d not in known]
        if missing:  # an operand that only says how long a dim is
            sizes = [*shape, *reductions]
            operands.append(self.empty([sizes[d] for d in missing], t.f32))
            maps.append(dims_map(rank, missing))
        outputs = list(before) or [
            linalg.fill(self.b, LoopBuilder.constant(self._scalars(), v, e), self.empty(shape, e)) for v, e in inits
        ]
        maps += [dims_map(rank, range(len(shape)))] * len(outputs)

        def emit(b: LoopBuilder, *elements: Value) -> list[Value]:
            first = len(extra)
            made = body.emit(b, elements[first : first + len(body.inputs)])
            xs = [*elements[:first], *(made[n] for n in nodes)]
            return combine(b, xs, list(elements[len(elements) - len(inits) :]))

        iterators = ["parallel"] * len(shape) + ["reduction"] * len(reductions)
        made = linalg.generic(self.b, operands, outputs, maps, iterators, emit)
        made[0].hint = result.hint
        return made

    def _scalars(self) -> LoopBuilder:
        return LoopBuilder(self.block, None, self.b.location)

    def scalar_constant(self, value: float | int | bool, element: Type) -> Value:
        """A constant outside of the generics."""
        return self._scalars().constant(value, signless(element))

    def empty(self, shape: Sequence[Dim], element: Type) -> Value:
        return tensor.empty(self.b, TensorType(tuple(shape), signless(element)))


def accumulator(element: Type) -> Type:
    """The type in which elements are summed: f32 for the 16-bit floats."""
    return t.f32 if t.is_float(element) and t.bitwidth(element) < 32 else signless(element)


def transposed_map(rank: int, order: Sequence[int]) -> AffineMap:
    """The map of a tensor whose dim order[i] is indexed by d_i."""
    at = {d: i for i, d in enumerate(order)}
    return affine_map(rank, [dim_expr(at[i]) for i in range(len(order))])


def _shared_values(function: Operation) -> set[Value]:
    """Elementwise values that a row chain should store: dear ones that are read before and after a reduction."""
    if function.get("kernel.root") not in ("row_chain", "attention"):
        return set()
    readers: dict[Value, set[object]] = {}
    for op in function.body.ops:
        if is_elementwise(op) or op.name == "graph.constant":
            continue
        starts = [(v, op) for v in op.operands]
        if op.name == "func.return":
            starts = [(v, (op, tensor_type(v).shape)) for v in op.operands]  # type: ignore[misc]
        for start, reader in starts:
            pending = [start]
            while pending:
                value = pending.pop()
                inner = value.defining_op
                if inner is None or not is_elementwise(inner) or reader in readers.get(value, ()):
                    continue
                readers.setdefault(value, set()).add(reader)
                pending.extend(inner.operands)
    return {
        v for v, by in readers.items()
        if len(by) > 1 and v.defining_op is not None and cost_model.work(v.defining_op) > cost_model.RECOMPUTE_LIMIT
    }  # fmt: skip
