"""Evaluate a tensor of a linalg kernel at a point, or at a row of `lanes` points: producers are inlined on demand.

A position along one axis is a `LaneIndex`: `base + stride * lane`. Affine maps carry lane indices from an operation's
result to its operands, so a whole chain of all-parallel operations becomes one piece of straight code on vectors
(Halide's inlining). Memory is read by vector loads where the lanes run along the last axis, by one scalar load where
they do not matter, and lane by lane otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompile.dialects.upstream.builder import constant_value
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts import movement
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.structured import generic


@dataclass(frozen=True, slots=True)
class Parts:
    """What is known of a tensor at a place: the values of all its elements along `axis`."""

    axis: int
    values: tuple[Value, ...]


class Points:
    """Evaluates tensors at lane indices. `bound` gives values that are known already, such as a root's accumulators.

    A value that is the same in all lanes is returned as a scalar; `vector` broadcasts it.
    """

    def __init__(
        self,
        frame: Frame,
        lanes: int,
        mask: Value | None = None,
        bound: Mapping[Value, Value | Parts] | None = None,
        cache: dict[Any, Any] | None = None,
    ):
        self.frame = frame
        self.b = frame.b
        self.lanes = lanes
        self.mask = mask
        self.bound = dict(bound or {})
        self.cache: dict[Any, Any] = {} if cache is None else cache  # valid inside the current loop body

    def in_branch(self) -> Points:
        """An evaluator for the inside of a branch or a loop: what it computes there is not known outside."""
        return Points(self.frame, self.lanes, self.mask, self.bound)

    def value(self, tensor: Value, indices: Sequence[LaneIndex]) -> Value:
        """The element (or the lanes) of `tensor` at `indices`."""
        known = self.bound.get(tensor)
        if known is not None:
            return known.values[constant_value(indices[known.axis].base)] if isinstance(known, Parts) else known
        key = (tensor, tuple(indices))
        found = self.cache.get(key)
        if found is None:
            found = self._evaluate(tensor, list(indices))
            self.cache[key] = found
        return found

    def vector(self, value: Value) -> Value:
        """`value` in every lane."""
        if self.lanes == 1 or isinstance(value.type, VectorType):
            return value
        found = self.cache.get(value)
        if found is None:
            defining = value.defining_op
            if defining is not None and defining.name == "arith.constant":
                found = self.b.constant(defining["value"], VectorType((self.lanes,), value.type))
            else:
                found = self.b.broadcast(value, self.lanes)
            self.cache[value] = found
        return found

    def map(self, map_: AffineMap, indices: Sequence[LaneIndex]) -> list[LaneIndex]:
        """The lane indices of an operand whose map is `map_`."""
        return [self.expression(e, indices) for e in map_.results]

    def expression(self, expression: AffineExpr, indices: Sequence[LaneIndex]) -> LaneIndex:
        if expression.dim is not None:
            return indices[expression.dim]
        key = (expression, tuple(indices[d] for d, _ in expression.terms))
        found = self.cache.get(key)
        if found is None:
            found = self._sum(expression, indices)
            self.cache[key] = found
        return found

    def _sum(self, expression: AffineExpr, indices: Sequence[LaneIndex]) -> LaneIndex:
        b = self.b
        base: Value | None = None
        stride = 0
        for dim, coefficient in expression.terms:
            term = b.mul(indices[dim].base, b.index(coefficient))
            base = term if base is None else b.add(base, term)
            stride += coefficient * indices[dim].stride
        constant = b.index(expression.constant)
        return LaneIndex(constant if base is None else b.add(base, constant), stride)

    def store(self, value: Value, memref: Value, indices: Sequence[LaneIndex]) -> None:
        """Write an element, or the lanes, of a result at `indices`."""
        b = self.b
        element = t.element_of(memref.type)
        if t.element_of(value.type) is t.i1 and element is not t.i1:
            value = b.cast(value, element, unsigned=True)
        bases = self.frame.place(memref, [i.base for i in indices])
        if self.lanes == 1:
            b.store(value, memref, bases)
            return
        value = self.vector(value)
        if not indices or indices[-1].stride != 1 or any(i.stride for i in indices[:-1]):
            raise LaneError("lanes do not run along the last axis of the result")
        if self.mask is None:
            b.vstore(value, memref, bases)
        else:
            b.masked_store(value, memref, bases, self.mask)

    # -- one case per kind of producer
    def _evaluate(self, tensor: Value, indices: list[LaneIndex]) -> Value:
        if tensor in self.frame.memref:
            return self._load(tensor, indices)
        op = tensor.defining_op
        if op is None:
            raise IRError("a kernel reads a value from outside")
        case = _CASES.get(op.name)
        if case is None:
            raise IRError(f"{op.name} cannot be evaluated point by point", str(op.location))
        return case(self, op, tensor, indices)

    def _load(self, tensor: Value, indices: list[LaneIndex]) -> Value:
        memref = self.frame.memref[tensor]
        assert isinstance(tensor.type, TensorType)
        b = self.b
        bases = self.frame.source(tensor, [i.base for i in indices])
        if all(i.stride == 0 for i in indices) or self.lanes == 1:
            loaded = b.load(memref, bases)
        elif indices[-1].stride == 1 and all(i.stride == 0 for i in indices[:-1]):
            if self.mask is None:
                loaded = b.vload(memref, bases, self.lanes)
            else:
                zero = b.constant(0, VectorType((self.lanes,), t.element_of(memref.type)))
                loaded = b.masked_load(memref, bases, self.mask, zero)
        else:
            loaded = self._load_each_lane(memref, indices)
        return self._from_storage(loaded, tensor.type)

    def _load_each_lane(self, memref: Value, indices: list[LaneIndex]) -> Value:
        if self.mask is not None:
            raise LaneError("lanes that are not contiguous cannot be masked; the strategy must peel the rest")
        b = self.b
        vector = b.constant(0, VectorType((self.lanes,), t.element_of(memref.type)))
        for lane in range(self.lanes):
            at = [b.add(i.base, b.index(i.stride * lane)) for i in indices]
            vector = b.insert_element(b.load(memref, at), vector, lane)
        return vector

    def _from_storage(self, loaded: Value, tensor: TensorType) -> Value:
        """i1 is kept as a byte."""
        if tensor.element is t.i1:
            return self.b.cmp("ne", loaded, self.b.constant(0, loaded.type))
        return loaded

    def _generic(self, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
        view = generic(op)
        if view.reductions:
            raise IRError("a reduction must be bound before its result is read", str(op.location))
        out = view.output_maps[tensor.index]
        at: dict[int, LaneIndex] = {}
        for expression, index in zip(out.results, indices, strict=True):
            if expression.dim is None:
                raise IRError("an output map must be a permutation", str(op.location))
            at[expression.dim] = index
        dims = [at[d] for d in range(view.dims)]
        results = self.generic_body(op, dims)
        for result, value in zip(op.results, results, strict=True):
            result_indices = tuple(at[e.dim] for e in view.output_maps[result.index].results)  # type: ignore[index]
            self.cache[(result, result_indices)] = value
        return results[tensor.index]

    def generic_body(self, op: Operation, dims: Sequence[LaneIndex], outs: Sequence[Value] = ()) -> list[Value]:
        """The body of a `linalg.generic` at a point of its iteration space; `outs` are the running results."""
        view = generic(op)
        arguments: dict[Value, Value] = {}
        for argument, value, map_ in zip(view.body.arguments, view.inputs, view.input_maps, strict=False):
            if argument.uses:
                arguments[argument] = self.value(value, self.map(map_, dims))
        for i, argument in enumerate(view.body.arguments[len(view.inputs) :]):
            if argument.uses:
                if outs:
                    arguments[argument] = outs[i]
                else:
                    arguments[argument] = self.value(view.inits[i], self.map(view.output_maps[i], dims))
        return self.inline(view.body, arguments, dims, contract=bool(outs))

    def inline(
        self, body: Block, arguments: dict[Value, Value], dims: Sequence[LaneIndex] = (), contract: bool = False
    ) -> list[Value]:
        """Scalar operations on whatever their operands are, scalars or vectors; gives what the terminator yields.

        `contract`: a product that is added to the running result is rounded once (the graph leaves that open for dots).
        """
        values = dict(arguments)
        for op in body.ops:
            if op is body.last:
                return [values[v] if v in values else v for v in op.operands]
            if op.name == "linalg.index":
                if any(user.name != "tensor.extract" for user in op.result.users):
                    values[op.result] = self._lane_numbers(dims[op["dim"]])
                continue
            if op.name == "kernel.size":
                values[op.result] = self.frame.size(op["dims"][0])
                continue
            if op.name == "tensor.extract":
                values[op.result] = self._extract(op, values, dims)
                continue
            if contract and op.name == "arith.mulf" and _feeds_accumulator(op):
                continue
            if contract and op.name == "arith.addf":
                product = _product(op)
                if product is not None:
                    x, y = (self.vector(values[v]) for v in product.operands)
                    other = op.operands[0] if op.operands[1] is product.result else op.operands[1]
                    values[op.result] = self.b.fma(x, y, self.vector(values[other]))
                    continue
            operands = [values[v] for v in op.operands]
            types = [r.type for r in op.results]
            if any(isinstance(v.type, VectorType) for v in operands):
                operands = [self.vector(v) for v in operands]
                types = [VectorType((self.lanes,), x) for x in types]
            made = self.b.create(op.name, operands, op.attributes, types)
            values.update(zip(op.results, made.results, strict=True))
        raise IRError("a scalar body needs a terminator")

    def _lane_numbers(self, index: LaneIndex) -> Value:
        if index.stride == 0 or self.lanes == 1:
            return index.base
        b = self.b
        steps = b.step(self.lanes)
        if index.stride != 1:
            steps = b.mul(steps, b.constant(index.stride, steps.type))
        return b.add(b.broadcast(index.base, self.lanes), steps)

    def _extract(self, op: Operation, values: Mapping[Value, Value], dims: Sequence[LaneIndex]) -> Value:
        """A data-dependent read of a kernel argument: a piece of a row where only the last index moves with the lanes,
        else element by element."""
        b, tensor = self.b, op.operands[0]
        at: list[LaneIndex | Value] = []
        for index in op.operands[1:]:
            made = index.defining_op
            if made is not None and is_position(index):
                at.append(dims[made["dim"]])
            else:
                known = values.get(index, index)
                at.append(known if isinstance(known.type, VectorType) else LaneIndex(known))
        assert isinstance(tensor.type, TensorType)
        pairs = zip(tensor.type.shape, op.operands[1:], at, strict=True)
        chosen = [d for d, index, i in pairs if isinstance(d, SymbolicDim) and not is_position(index)]
        if not chosen:
            return self._read(tensor, at)
        # an axis of symbolic size may be empty: nothing is read then
        tests = [b.cmp("gt", self.frame.size(d), b.index(0)) for d in chosen]
        spread = self.lanes > 1 and any(not isinstance(i, LaneIndex) or i.stride for i in at)
        element = tensor.type.element
        kind = VectorType((self.lanes,), element) if spread else element
        with b.if_(functools.reduce(b.and_, tests), [kind]) as branch:
            branch.yield_([self._read(tensor, at)])
            with branch.else_():
                branch.yield_([b.constant(0, kind)])
        return branch.results[0]

    def _read(self, tensor: Value, at: Sequence[LaneIndex | Value]) -> Value:
        """The elements of a kernel argument at indices, some of which may differ from lane to lane."""
        b = self.b
        whole = [i for i in at if isinstance(i, LaneIndex)]
        inner = [i.stride for i in whole]
        if len(whole) == len(at) and not any(inner[:-1]) and inner[-1:] in ([], [0], [1]):
            return self._load(tensor, whole)
        if self.mask is not None:
            raise LaneError("reads at places of their own cannot be masked; the strategy must peel the rest")
        memref = self.frame.memref[tensor]
        assert isinstance(tensor.type, TensorType)
        lanes = b.constant(0, VectorType((self.lanes,), t.element_of(memref.type)))
        for lane in range(self.lanes):
            here = [
                b.add(i.base, b.index(i.stride * lane)) if isinstance(i, LaneIndex) else b.extract(i, lane) for i in at
            ]
            lanes = b.insert_element(b.load(memref, here), lanes, lane)
        return self._from_storage(lanes, tensor.type)

    def _constant(self, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
        value = op.attributes["value"].value
        if value.size != 1 and not op.attributes["value"].is_splat:  # type: ignore[attr-defined]
            raise IRError("a constant tensor inside a kernel must have one value; pass others as arguments")
        return self.b.constant(value.reshape(-1)[0].item(), t.element_of(tensor.type))

    def _fill(self, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
        return self.outer_scalar(op.operands[0])

    def outer_scalar(self, value: Value) -> Value:
        """A scalar that is made outside of all iteration: a constant, or the element of a tensor of shape ()."""
        defining = value.defining_op
        if defining is not None and defining.name == "arith.constant":
            return self.b.constant(defining["value"], value.type)
        if defining is not None and defining.name == "tensor.extract" and len(defining.operands) == 1:
            return self.value(defining.operands[0], [])
        raise IRError("a fill or padding value is a constant or the element of a tensor of shape ()")

    def _empty(self, op: Operation, tensor: Value, indices: list[LaneIndex]) -> Value:
        return self.b.constant(0, t.element_of(tensor.type))


def is_position(index: Value) -> bool:
    """Whether an index is the position in a dim, which is inside of what it indexes."""
    return index.defining_op is not None and index.defining_op.name == "linalg.index"


def _product(add: Operation) -> Operation | None:
    """The multiplication of `running result + x * y`, if `add` is that."""
    block = add.parent
    for product, other in (add.operands, add.operands[::-1]):
        made = product.defining_op
        if made is not None and made.name == "arith.mulf" and product.has_one_use and other.owner is block:
            return made
    return None


def _feeds_accumulator(multiply: Operation) -> bool:
    users = multiply.result.users
    return len(users) == 1 and users[0].name == "arith.addf" and _product(users[0]) is multiply


_CASES: dict[str, Any] = {
    **movement.CASES,
    "linalg.generic": Points._generic,
    "linalg.fill": Points._fill,
    "arith.constant": Points._constant,
    "tensor.empty": Points._empty,
}
