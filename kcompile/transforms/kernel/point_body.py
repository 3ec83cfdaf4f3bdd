"""Elementwise ops as the scalar body of one linalg.generic.

`PointBody` follows values back to what is stored already, composing affine maps, so that a chain of any length with
broadcasts, transposes, slices and reversals inside is one body and a list of (stored value, map) inputs.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, constant_expr, expr
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.types import Type
from kcompile.transforms.kernel.access import operand_map
from kcompile.transforms.kernel.kinds import MOVEMENT, is_elementwise, tensor_type


@dataclass(frozen=True, slots=True)
class _Step:
    """One node of the body: op on earlier nodes; op None is input number `inputs[0]`, `map_` is where it is
    evaluated.
    """

    op: Operation | None
    map_: AffineMap
    inputs: tuple[int, ...]


class PointBody:
    """The body for values evaluated at points. `stored` holds the values at which following back stops."""

    def __init__(self, stored: Container[Value]):
        self.stored = stored
        self.inputs: list[tuple[Value, AffineMap]] = []
        self._steps: list[_Step] = []
        self._nodes: dict[tuple[Value, AffineMap], int] = {}

    def require(self, value: Value, map_: AffineMap) -> int:
        """The node of the element of `value` at `map_` of the iteration space."""
        key = (value, map_)
        if key not in self._nodes:
            self._nodes[key] = self._make(value, map_)
        return self._nodes[key]

    def _make(self, value: Value, map_: AffineMap) -> int:
        op = value.defining_op
        if value in self.stored or op is None:
            self.inputs.append((value, map_))
            return self._add(_Step(None, map_, (len(self.inputs) - 1,)))
        if op.name == "graph.constant":
            return self._add(_Step(op, map_, ()))
        if op.name in MOVEMENT or op.name == "graph.reshape":
            inner = operand_map(op, 0)
            if inner is None:
                raise UnsupportedError(
                    f"{op.name} of {op.operands[0].type} has no affine map; "
                    "a symbolic axis that it turns needs a fixed size",
                    str(op.location),
                )
            return self.require(op.operands[0], inner.compose(map_))
        if op.name == "graph.rng_bits":
            words = tuple(self.require(op.operands[0], affine_map(map_.dims, [constant_expr(i)])) for i in range(2))
            return self._add(_Step(op, map_, words))
        if not is_elementwise(op):
            raise UnsupportedError(f"{op.name} is no elementwise op", str(op.location))
        return self._add(_Step(op, map_, tuple(self.require(v, map_) for v in op.operands)))

    def _add(self, step: _Step) -> int:
        self._steps.append(step)
        return len(self._steps) - 1

    def emit(self, b: LoopBuilder, elements: Sequence[Value]) -> list[Value]:
        """Build the body from the inputs' elements; gives the value of every node."""
        made: list[Value] = []
        for step in self._steps:
            if step.op is None:
                wanted = signless(t.element_of(self.inputs[step.inputs[0]][0].type))
                made.append(b.cast(elements[step.inputs[0]], wanted))  # sums of f16 are stored as f32 until here
            else:
                made.append(_emit_op(b, step.op, step.map_, [made[i] for i in step.inputs]))
        return made


def signless(element: Type) -> Type:
    """uiN as iN."""
    return t.IntegerType(element.width) if isinstance(element, t.IntegerType) and element.unsigned else element


def _emit_op(b: LoopBuilder, op: Operation, map_: AffineMap, xs: list[Value]) -> Value:
    element = t.element_of(op.results[0].type)
    if op.name == "graph.constant":
        return constant(b, op)
    definition = op.definition
    if definition is None or definition.scalar is None:
        raise UnsupportedError(f"{op.name} has no scalar body", str(op.location))
    attributes: dict[str, Any] = {name: op[name] for name in definition.attrs if name in op.attributes}
    of = op.operands[0].type if op.operands else element
    with b.located(op.location):
        if op.name == "graph.iota":
            xs = [position(b, map_.results[op["axis"]])]
        elif op.name == "graph.rng_bits":
            xs = [*xs, b.cast(position(b, _flat_index(op, map_)), t.i32)]
        result: Value = definition.scalar(b, *xs, **attributes, unsigned=t.is_unsigned(of))
    return result


def constant(b: LoopBuilder, op: Operation) -> Value:
    """A constant of one element (or one number everywhere) as a scalar."""
    element = t.element_of(op.results[0].type)
    number = op.attributes["value"].value.reshape(-1)[0]
    if isinstance(element, t.IntegerType) and element.unsigned:
        number = number.view(f"i{number.dtype.itemsize}")
    return b.constant(number.item(), signless(element))


def position(b: LoopBuilder, expression: AffineExpr) -> Value:
    """An affine expression of the iteration space's dims, as an index."""
    total = b.index(expression.constant)
    for dim, coefficient in expression.terms:
        at = b.create("linalg.index", (), {"dim": dim}).result
        total = b.add(total, b.mul(at, b.index(coefficient)))
    return total


def _flat_index(op: Operation, map_: AffineMap) -> AffineExpr:
    """The row-major index of an element of the op's result."""
    stride = 1
    coefficients: dict[int, int] = {}
    constant = 0
    shape = tensor_type(op.results[0]).shape
    for axis in reversed(range(len(shape))):
        expression = map_.results[axis]
        constant += expression.constant * stride
        for dim, c in expression.terms:
            coefficients[dim] = coefficients.get(dim, 0) + c * stride
        size = shape[axis]
        if isinstance(size, SymbolicDim):
            if any(n != 1 for n in shape[:axis]):
                raise UnsupportedError(
                    f"random bits of shape {shape} need fixed sizes but for the first dim; give {size} a size",
                    str(op.location),
                )
        else:
            stride *= size
    return expr(coefficients, constant)
