"""Builder: creates operations at an insertion point, checks them by `infer`, and gives them a location.

>>> b = GraphBuilder.function("f", [TensorType((2, 3), f32)])          # doctest: +SKIP
>>> y = b.add(b.argument(0), 1.0)                                       # doctest: +SKIP
>>> b.ret(y)                                                            # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kcompile.errors import IRError, KcompileError
from kcompile.ir.attributes import Attribute, DenseAttr, attribute
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.definition import REQUIRED, lookup
from kcompile.ir.location import UNKNOWN, Location
from kcompile.ir.types import Type


class Builder:
    """Inserts before `before`, or at the end of `block`."""

    def __init__(self, block: Block, before: Operation | None = None, location: Location = UNKNOWN):
        self.block = block
        self.before = before
        self.location = location

    @classmethod
    def before_op(cls, op: Operation) -> Any:
        """A builder that inserts right before `op`, with its location."""
        assert op.parent is not None
        return cls(op.parent, op, op.location)

    @classmethod
    def after_op(cls, op: Operation) -> Any:
        """A builder that inserts right after `op`, with its location."""
        assert op.parent is not None
        return cls(op.parent, op.next, op.location)

    def insert(self, op: Operation) -> Operation:
        if self.before is None:
            return self.block.append(op)
        return self.block.insert_before(self.before, op)

    def create(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attrs: Mapping[str, Any] | None = None,
        result_types: Sequence[Type] | None = None,
        regions: Sequence[Region] = (),
    ) -> Operation:
        """A new operation here. Without `result_types` they are inferred; `attrs` may be Python values."""
        converted: dict[str, Attribute] = {}
        if attrs:
            converted = {k: attribute(v) for k, v in attrs.items() if v is not None}
        if result_types is None:
            result_types = infer_types(name, [v.type for v in operands], converted, self.location)
        return self.insert(Operation(name, operands, result_types, converted, regions, self.location))

    @contextmanager
    def at(self, block: Block, before: Operation | None = None) -> Iterator[None]:
        """Insert elsewhere for the length of a `with`."""
        saved = self.block, self.before
        self.block, self.before = block, before
        try:
            yield
        finally:
            self.block, self.before = saved

    @contextmanager
    def located(self, location: Location) -> Iterator[None]:
        """Give new operations this location for the length of a `with`."""
        saved, self.location = self.location, location
        try:
            yield
        finally:
            self.location = saved

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Append `name` to the location for the length of a `with`."""
        with self.located(self.location.child(name)):
            yield


def infer_types(
    name: str, operand_types: Sequence[Type], attrs: Mapping[str, Attribute], location: Location
) -> tuple[Type, ...]:
    """The result types of an operation by its definition's `infer`; errors name the op and the place."""
    definition = lookup(name)
    if definition is None or definition.infer is None:
        raise IRError(f"{name} has no type rule", str(location))
    known = {}
    for key, value in attrs.items():
        if key in definition.attrs:
            known[key] = value if isinstance(value, DenseAttr) else value.value
        elif "." not in key:
            raise IRError(f"{name} takes no attribute '{key}'; it takes {sorted(definition.attrs)}", str(location))
    for key, default in definition.attrs.items():
        if default is REQUIRED and key not in known:
            raise IRError(f"{name} needs the attribute '{key}'", str(location))
    count = len(definition.ins)
    if len(operand_types) < count - definition.variadic or (len(operand_types) > count and not definition.variadic):
        raise IRError(f"{name} takes {count} operands. Received: {len(operand_types)}", str(location))
    try:
        inferred = definition.infer(*operand_types, **known)
    except KcompileError as error:
        if error.where is None:
            raise type(error)(f"{name}: {error.message}", str(location)) from None
        raise
    return tuple(inferred) if isinstance(inferred, tuple | list) else (inferred,)


def new_module() -> Operation:
    """An empty `builtin.module`."""
    return Operation("builtin.module", regions=[Region([Block()])])
