# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `linalg` dialect: a kernel as an iteration space, affine maps and a scalar body.

    results = linalg.generic(inputs.., outputs..) {indexing_maps, iterator_types} { ^bb0(one scalar an operand): .. }

For each point of the space the body reads one element of each operand, where its map says, and yields the new element
of each output. Parallel dims come in any order; reduction dims run one after the other, the last one fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.dialects.upstream.elementwise import fit
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap
from kcompile.ir.attributes import ArrayAttr, IntArrayAttr, OpaqueAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.definition import Dialect
from kcompile.ir.dims import Dim
from kcompile.ir.types import Type

if TYPE_CHECKING:
    from kcompile.dialects.upstream.builder import LoopBuilder
    from kcompile.ir.interpreter import Interpreter

linalg = Dialect("linalg")

PARALLEL, REDUCTION = "parallel", "reduction"


def maps_of(op: Operation) -> tuple[AffineMap, ...]:
    """The indexing maps, one an operand."""
    return tuple(op["indexing_maps"])


def iterators_of(op: Operation) -> tuple[str, ...]:
    """ "parallel" or "reduction" for each dim of the iteration space."""
    return tuple(str(i).removeprefix("#linalg.iterator_type<").removesuffix(">") for i in op["iterator_types"])


def inputs_of(op: Operation) -> tuple[Value, ...]:
    return op.operands[: op["operandSegmentSizes"][0]]


def outputs_of(op: Operation) -> tuple[Value, ...]:
    return op.operands[op["operandSegmentSizes"][0] :]


def loop_sizes(op: Operation) -> tuple[Dim, ...]:
    """The size of each dim of the iteration space, read off the operands that a plain dim indexes."""
    sizes: dict[int, Dim] = {}
    for value, map in zip(op.operands, maps_of(op), strict=True):
        for size, expression in zip(t.shape_of(value.type), map.results, strict=True):
            if expression.dim is not None:
                sizes.setdefault(expression.dim, size)
    missing = [d for d in range(len(iterators_of(op))) if d not in sizes]
    if missing:
        raise IRError(
            f"linalg.generic: no operand is indexed by d{missing[0]} alone, so its size is unknown", str(op.location)
        )
    return tuple(sizes[d] for d in range(len(sizes)))


def generic(
    b: Builder,
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    maps: Sequence[AffineMap],
    iterators: Sequence[str],
    body: Callable[..., Any],
) -> list[Value]:
    """Build a linalg.generic. `body(scalar_builder, *scalars)` gives the yielded value, or a sequence of them.

    >>> y, = generic(b, [x], [empty], [m, m], ["parallel"], lambda s, x, _: s.exp(x))      # doctest: +SKIP
    """
    from kcompile.dialects.upstream.builder import LoopBuilder

    block = Block([t.element_of(v.type) for v in (*inputs, *outputs)])
    scalar_builder: LoopBuilder = LoopBuilder(block, location=b.location)
    made = body(scalar_builder, *block.arguments)
    yielded = [made] if isinstance(made, Value) else list(made)
    scalar_builder.create("linalg.yield", yielded, None, ())
    attrs = {
        "indexing_maps": tuple(maps),
        "iterator_types": ArrayAttr(tuple(OpaqueAttr(f"#linalg.iterator_type<{i}>") for i in iterators)),
        "operandSegmentSizes": IntArrayAttr((len(inputs), len(outputs)), t.i32),
    }
    op = b.create("linalg.generic", [*inputs, *outputs], attrs, [v.type for v in outputs], [Region([block])])
    return op.results


def fill(b: Builder, value: Value, output: Value) -> Value:
    """Build a linalg.fill: `value` in every element of a tensor of `output`'s type."""
    block = Block([value.type, t.element_of(output.type)])
    Builder(block).create("linalg.yield", [block.arguments[0]], None, ())
    attrs = {"operandSegmentSizes": IntArrayAttr((1, 1), t.i32)}
    return b.create("linalg.fill", [value, output], attrs, [output.type], [Region([block])]).result


def _check_body(op: Operation) -> None:
    if len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
        raise IRError(f"{op.name} needs one region of one block")
    arguments = [a.type for a in op.body.arguments]
    expected = [t.element_of(v.type) for v in op.operands]
    if arguments != expected:
        raise IRError(f"the body of {op.name} takes one element of each operand, {expected}. Received: {arguments}")
    terminator = op.body.terminator
    yielded = [v.type for v in terminator.operands]
    if terminator.name != "linalg.yield" or yielded != [t.element_of(v.type) for v in outputs_of(op)]:
        raise IRError(f"{op.name} yields one element of each output. Received: {terminator.name} of {yielded}")


@linalg.op("generic", ins="*operands", traits="pure")
class Generic:
    """A loop nest with a scalar body; see the head of this file."""

    def verify(op: Operation) -> None:
        _check_body(op)
        maps, iterators = maps_of(op), iterators_of(op)
        if len(maps) != len(op.operands) or not set(iterators) <= {PARALLEL, REDUCTION}:
            raise IRError(f"linalg.generic needs one map an operand and known iterators. Received: {maps}, {iterators}")
        if sum(op["operandSegmentSizes"]) != len(op.operands) or len(outputs_of(op)) != len(op.results):
            raise IRError("linalg.generic needs operandSegmentSizes = inputs, outputs and one result an output")
        for value, map in zip(op.operands, maps, strict=True):
            if map.dims != len(iterators) or len(map.results) != len(t.shape_of(value.type)):
                raise IRError(f"the map {map} does not index {value.type} in a space of {len(iterators)} dims")
        for output, result, map in zip(outputs_of(op), op.results, maps[len(inputs_of(op)) :], strict=True):
            if output.type is not result.type:
                raise IRError(f"an output of {output.type} gives a result of that type. Received: {result.type}")
            if any(iterators[d] == REDUCTION for d in map.used_dims()):
                raise IRError(f"an output is indexed by parallel dims only. Received: {map}")
        sizes = loop_sizes(op)
        for value, map in zip(op.operands, maps, strict=True):
            for size, expression in zip(t.shape_of(value.type), map.results, strict=True):
                if isinstance(size, int) and not _inside(expression, sizes, size):
                    raise IRError(f"the index {expression} of {map} leaves {value.type} in the space {sizes}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return _run(interp, op, [np.asarray(x) for x in operands])


def _inside(expression: AffineExpr, sizes: Sequence[Dim], size: int) -> bool:
    """Whether an index stays in 0..size-1; symbolic dims are taken on trust, and empty spaces touch nothing."""
    low = high = expression.constant
    for d, c in expression.terms:
        extent = sizes[d]
        if not isinstance(extent, int):
            return True
        if extent == 0:
            return True
        low, high = low + min(0, c * (extent - 1)), high + max(0, c * (extent - 1))
    return 0 in sizes or (low >= 0 and high < size)


_POSITIONS: dict[tuple[int, Operation], list[Any]] = {}  # of the generics that run now: the index arrays of their dims


def _run(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """All parallel points at once as arrays, the reduction points one after the other."""
    maps, iterators = maps_of(op), iterators_of(op)
    sizes = interp.dims(loop_sizes(op))
    parallel = [d for d, kind in enumerate(iterators) if kind == PARALLEL]
    reduction = [d for d, kind in enumerate(iterators) if kind == REDUCTION]
    space = tuple(sizes[d] for d in parallel)
    positions: list[Any] = [0] * len(iterators)
    for axis, d in enumerate(parallel):
        positions[d] = np.arange(sizes[d]).reshape([-1 if k == axis else 1 for k in range(len(parallel))])
    count = len(inputs_of(op))
    results = [np.array(x) for x in operands[count:]]
    if 0 in sizes:
        return results
    output_places = [_place(map, positions) for map in maps[count:]]
    carried = [np.broadcast_to(x[where], space) for x, where in zip(results, output_places, strict=True)]
    key = (id(interp), op)
    _POSITIONS[key] = positions
    try:
        for point in product(*(range(sizes[d]) for d in reduction)):
            for d, i in zip(reduction, point, strict=True):
                positions[d] = i
            elements = [
                np.broadcast_to(x[_place(map, positions)], space)
                for x, map in zip(operands[:count], maps[:count], strict=True)
            ]
            carried = interp.run_block(op.body, [*elements, *carried])
    finally:
        del _POSITIONS[key]
    for x, where, value in zip(results, output_places, carried, strict=True):
        x[where] = np.broadcast_to(value, space)
    return results


def _place(map: AffineMap, positions: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(sum((positions[d] * c for d, c in e.terms), e.constant) for e in map.results)


@linalg.op("fill", ins="value output", traits="pure")
class Fill:
    """A tensor with one value everywhere."""

    def verify(op: Operation) -> None:
        _check_body(op)
        if op.results[0].type is not op.operands[1].type:
            raise IRError(f"linalg.fill gives the type of its output. Received: {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [fit(np.full(np.shape(operands[1]), operands[0]), op.results[0].type)]


@linalg.op("index", traits="pure")
class Index:
    """The position in dim `dim` of the iteration space around."""

    def infer(*, dim: int) -> Type:
        return t.index

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        parent = op.parent.parent_op if op.parent is not None else None
        if parent is None or (id(interp), parent) not in _POSITIONS:
            raise IRError("linalg.index stands in the body of a linalg.generic only", str(op.location))
        return [_POSITIONS[(id(interp), parent)][op["dim"]]]


@linalg.op("yield", ins="*operands", traits="terminator pure")
class Yield:
    """Ends the body of a structured operation with the new elements of its outputs."""
