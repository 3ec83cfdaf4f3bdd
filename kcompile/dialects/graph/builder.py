"""GraphBuilder: one method per graph op, taken from the registry, with implicit constants and broadcasts.

>>> b = GraphBuilder.function("f", [TensorType((2, 3), f32)])          # doctest: +SKIP
>>> b.ret(b.max(b.argument(0), 0.0))                                   # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr
from kcompile.ir.builder import Builder, new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.definition import Definition, lookup
from kcompile.ir.types import FunctionType, TensorType, Type

Operand = Value | int | float | bool | np.ndarray | np.generic


class GraphBuilder(Builder):
    """`b.add(x, 1.0)`: operands are values or numbers; a number takes type and shape of the op's first value operand.

    A method returns the result value, or a tuple for several results. Attributes are keyword arguments.
    """

    @classmethod
    def function(cls, name: str, inputs: Sequence[Type], module: Operation | None = None) -> GraphBuilder:
        """A builder inside a new function of `module` (a new module if None); end it with `ret`."""
        module = new_module() if module is None else module
        body = Block(list(inputs))
        builder = cls(module.body)
        builder.create(
            "func.func", (), {"sym_name": name, "function_type": FunctionType(tuple(inputs), ())}, (), [Region([body])]
        )
        return cls(body)

    def argument(self, index: int) -> Value:
        return self.block.arguments[index]

    @property
    def module(self) -> Operation:
        """The module around the function being built."""
        op = self.block.parent_op
        while op is not None and op.name != "builtin.module":
            op = op.parent_op
        if op is None:
            raise IRError("the builder is not inside a module")
        return op

    def ret(self, *values: Value) -> Operation:
        """End the function: return `values`, complete its type; gives the `func.func`."""
        self.create("func.return", values, None, ())
        function = self.block.parent_op
        assert function is not None
        inputs = tuple(a.type for a in self.block.arguments)
        function["function_type"] = FunctionType(inputs, tuple(v.type for v in values))
        return function

    def constant(self, value: Any, type: Type | None = None) -> Value:
        """A constant tensor. `type` is its TensorType or element type; a Python number alone is f32, i64 or i1."""
        if isinstance(value, bool | int | float) and type is None:
            dtype: Any = bool if isinstance(value, bool) else np.int64 if isinstance(value, int) else np.float32
            value = np.asarray(value, dtype)
        element = None if type is None else t.element_of(type)
        array = np.asarray(value) if element is None else _fit(value, element)
        tensor = TensorType(array.shape, t.from_numpy(array.dtype) if element is None else element)
        return self.create("graph.constant", (), {"value": DenseAttr(array, tensor)}, [tensor]).results[0]

    def full(self, value: float | int | bool, like: TensorType) -> Value:
        """A tensor of type `like` with one number everywhere."""
        scalar = self.constant(value, like.element)
        if not like.shape:
            return scalar
        made: Value = self.broadcast_in_dim(scalar, shape=like.shape, dims=())
        return made

    def operand(self, value: Operand, like: TensorType) -> Value:
        return value if isinstance(value, Value) else self.full(value, like)  # type: ignore[arg-type]

    def expand(self, x: Value, axes: Sequence[int], shape: Sequence[Any]) -> Value:
        """Undo a reduction: put `x` back over the reduced `axes` of `shape`."""
        kept = tuple(i for i in range(len(shape)) if i not in set(axes))
        made: Value = self.broadcast_in_dim(x, shape=tuple(shape), dims=kept)
        return made

    def __getattr__(self, name: str) -> Callable[..., Any]:
        definition = lookup(f"graph.{name.rstrip('_')}")
        if definition is None:
            raise AttributeError(f"there is no operation graph.{name.rstrip('_')}")

        def method(*operands: Operand, **attrs: Any) -> Any:
            return self._apply(definition, operands, attrs)

        method.__name__ = name
        return method

    def _apply(self, definition: Definition, operands: Sequence[Operand], attrs: dict[str, Any]) -> Any:
        if not all(isinstance(v, Value) for v in operands):
            typed = [v for v in operands if isinstance(v, Value)]
            if not typed:
                raise IRError(f"{definition.name} needs at least one tensor operand. Received: {operands}")
            like = typed[-1].type if definition.name == "graph.select" else typed[0].type
            assert isinstance(like, TensorType)
            scalar = TensorType((), like.element)
            names = definition.numbers or ()  # operands that are scalars whatever the others are
            operands = [
                self.operand(v, scalar if i < len(definition.ins) and definition.ins[i] in names else like)
                for i, v in enumerate(operands)
            ]
        op = self.create(definition.name, operands, attrs)  # type: ignore[arg-type]
        return op.results[0] if len(op.results) == 1 else tuple(op.results)


def _fit(value: Any, element: Type) -> np.ndarray[Any, Any]:
    """`value` as an array of `element`; a number that does not fit is an error, not a wrap-around."""
    array = np.asarray(value)
    target = t.to_numpy(element)
    if t.is_integer(element) and element is not t.i1 and array.size:
        if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.trunc(array))).all():
            raise IRError(f"a constant of {element} holds whole numbers. Received: {value}")
        info = np.iinfo(target)
        if int(array.min()) < info.min or int(array.max()) > info.max:
            raise IRError(f"a constant of {element} holds {info.min}..{info.max}. Received: {value}")
    return array.astype(target)
