"""Operations, values, blocks and regions: mutable SSA, as in MLIR.

A module is an operation `builtin.module` with one region of one block. An operation has operands (values), results
(values), attributes, regions, a location, and stands in the doubly linked list of its block. A value knows its uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kcompile.errors import IRError
from kcompile.ir.attributes import Attribute, attribute
from kcompile.ir.definition import Definition, lookup
from kcompile.ir.location import UNKNOWN, Location
from kcompile.ir.types import Type


class Value:
    """The result `index` of an operation, or the argument `index` of a block (its `owner`)."""

    __slots__ = ("hint", "index", "owner", "type", "uses")
    type: Type
    owner: Operation | Block
    index: int
    uses: dict[tuple[Operation, int], None]  # an ordered set
    hint: str | None  # a name for dumps

    def __init__(self, type: Type, owner: Operation | Block, index: int):
        self.type = type
        self.owner = owner
        self.index = index
        self.uses = {}
        self.hint = None

    @property
    def defining_op(self) -> Operation | None:
        """The operation this value is a result of; None for a block argument."""
        owner = self.owner
        return owner if owner.__class__ is Operation else None

    @property
    def users(self) -> list[Operation]:
        """The operations that use this value, each once, in order of their use."""
        return list(dict.fromkeys(op for op, _ in self.uses))

    @property
    def has_one_use(self) -> bool:
        return len(self.uses) == 1

    def replace_by(self, other: Value) -> None:
        """Let every user of this value use `other`."""
        for op, i in list(self.uses):
            op.set_operand(i, other)

    def replace_by_if(self, other: Value, keep: Callable[[Operation], bool]) -> None:
        """Let the users for which `keep` is true use `other`."""
        for op, i in list(self.uses):
            if keep(op):
                op.set_operand(i, other)

    def __repr__(self) -> str:
        owner = self.owner.name if isinstance(self.owner, Operation) else "block argument"
        return f"<value {self.index} of {owner}: {self.type}>"


class Operation:
    """One operation. Make one with a Builder; `name` is `dialect.op`."""

    __slots__ = (
        "_operands", "attributes", "definition", "location", "name", "next", "parent", "prev", "regions", "results",
    )  # fmt: skip
    name: str
    results: list[Value]
    attributes: dict[str, Attribute]
    regions: list[Region]
    location: Location
    parent: Block | None
    definition: Definition | None

    def __init__(
        self,
        name: str,
        operands: Sequence[Value] = (),
        result_types: Sequence[Type] = (),
        attributes: dict[str, Attribute] | None = None,
        regions: Sequence[Region] = (),
        location: Location = UNKNOWN,
    ):
        self.name = name
        self.definition = lookup(name)
        self._operands = list(operands)
        i = 0
        for value in self._operands:
            value.uses[(self, i)] = None
            i += 1
        self.results = [Value(type, self, i) for i, type in enumerate(result_types)] if result_types else []
        self.attributes = attributes if attributes is not None else {}
        self.regions = list(regions)
        for region in self.regions:
            region.parent = self
        self.location = location
        self.parent = None
        self.prev: Operation | None = None
        self.next: Operation | None = None

    # -- operands and results
    @property
    def operands(self) -> tuple[Value, ...]:
        return tuple(self._operands)

    def set_operand(self, i: int, value: Value) -> None:
        self._operands[i].uses.pop((self, i), None)
        self._operands[i] = value
        value.uses[(self, i)] = None

    def set_operands(self, values: Sequence[Value]) -> None:
        """Replace the whole operand list."""
        for i, old in enumerate(self._operands):
            old.uses.pop((self, i), None)
        self._operands = list(values)
        for i, value in enumerate(self._operands):
            value.uses[(self, i)] = None

    @property
    def result(self) -> Value:
        """The only result."""
        if len(self.results) != 1:
            raise IRError(f"{self.name} has {len(self.results)} results, not one", str(self.location))
        return self.results[0]

    def add_result(self, type: Type) -> Value:
        value = Value(type, self, len(self.results))
        self.results.append(value)
        return value

    # -- attributes: op["axes"] is the Python value
    def __getitem__(self, name: str) -> Any:
        try:
            return self.attributes[name].value
        except KeyError:
            raise IRError(f"{self.name} has no attribute '{name}'. Received: {sorted(self.attributes)}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        self.attributes[name] = attribute(value)

    def get(self, name: str, default: Any = None) -> Any:
        """The Python value of an attribute, or `default`."""
        found = self.attributes.get(name)
        return default if found is None else found.value

    # -- structure
    @property
    def dialect(self) -> str:
        return self.name.partition(".")[0]

    @property
    def body(self) -> Block:
        """The first block of the first region."""
        return self.regions[0].blocks[0]

    @property
    def parent_op(self) -> Operation | None:
        region = self.parent.parent if self.parent is not None else None
        return region.parent if region is not None else None

    def has_trait(self, trait: str) -> bool:
        return self.definition is not None and trait in self.definition.traits

    def walk(self, reverse: bool = False) -> Iterator[Operation]:
        """This operation, then all inside (`reverse`: inside first, last to first). The current one may be erased."""
        if not reverse:
            yield self
        for region in reversed(self.regions) if reverse else self.regions:
            for block in reversed(region.blocks) if reverse else region.blocks:
                op = block.last if reverse else block.first
                while op is not None:
                    following = op.prev if reverse else op.next
                    if op.regions:
                        yield from op.walk(reverse)
                    else:
                        yield op
                    op = following
        if reverse:
            yield self

    def detach(self) -> None:
        """Take this operation out of its block; it stays whole."""
        block = self.parent
        if block is None:
            return
        if self.prev is None:
            block.first = self.next
        else:
            self.prev.next = self.next
        if self.next is None:
            block.last = self.prev
        else:
            self.next.prev = self.prev
        self.parent = self.prev = self.next = None

    def move_before(self, other: Operation) -> None:
        self.detach()
        assert other.parent is not None
        other.parent.insert_before(other, self)

    def move_after(self, other: Operation) -> None:
        self.detach()
        assert other.parent is not None
        if other.next is None:
            other.parent.append(self)
        else:
            other.parent.insert_before(other.next, self)

    def drop_operands(self) -> None:
        """Forget the operands of this and of all operations inside."""
        for op in self.walk():
            op.set_operands(())

    def erase(self) -> None:
        """Delete; no result may still be used."""
        for result in self.results:
            if result.uses:
                raise IRError(f"cannot erase {self.name}: result {result.index} is still used", str(self.location))
        self.drop_operands()
        self.detach()

    def replace_by(self, values: Sequence[Value]) -> None:
        """Let `values` stand for the results, then erase."""
        if len(values) != len(self.results):
            raise IRError(f"{self.name} has {len(self.results)} results. Received: {len(values)} replacements")
        for old, new in zip(self.results, values, strict=True):
            old.replace_by(new)
        self.erase()

    def clone(self, mapping: dict[Value, Value] | None = None) -> Operation:
        """A detached copy; operands found in `mapping` are replaced, and results are added to it."""
        mapping = {} if mapping is None else mapping
        copy = Operation(
            self.name,
            [mapping.get(v, v) for v in self._operands],
            [r.type for r in self.results],
            dict(self.attributes),
            (),
            self.location,
        )
        for old, new in zip(self.results, copy.results, strict=True):
            mapping[old] = new
            new.hint = old.hint
        for region in self.regions:
            copy.regions.append(region.clone(mapping))
            copy.regions[-1].parent = copy
        return copy

    def is_before(self, other: Operation) -> bool:
        """Whether this stands before `other` in the same block."""
        op = self.next
        while op is not None:
            if op is other:
                return True
            op = op.next
        return False

    def __str__(self) -> str:
        from kcompile.ir.printer import print_operation

        return print_operation(self)

    def __repr__(self) -> str:
        return f"<{self.name} at {self.location}>"


class Block:
    """Arguments and a list of operations, the last of which is a terminator."""

    __slots__ = ("arguments", "first", "last", "parent")
    arguments: list[Value]
    first: Operation | None
    last: Operation | None
    parent: Region | None

    def __init__(self, argument_types: Sequence[Type] = ()):
        self.arguments = [Value(type, self, i) for i, type in enumerate(argument_types)]
        self.first = self.last = None
        self.parent = None

    def add_argument(self, type: Type) -> Value:
        value = Value(type, self, len(self.arguments))
        self.arguments.append(value)
        return value

    def insert_argument(self, index: int, type: Type) -> Value:
        value = Value(type, self, index)
        self.arguments.insert(index, value)
        for i, argument in enumerate(self.arguments):
            argument.index = i
        return value

    def erase_argument(self, index: int) -> None:
        if self.arguments[index].uses:
            raise IRError(f"cannot erase block argument {index}: it is still used")
        del self.arguments[index]
        for i, value in enumerate(self.arguments):
            value.index = i

    def append(self, op: Operation) -> Operation:
        op.parent, op.prev, op.next = self, self.last, None
        if self.last is None:
            self.first = op
        else:
            self.last.next = op
        self.last = op
        return op

    def insert_before(self, other: Operation, op: Operation) -> Operation:
        op.parent, op.prev, op.next = self, other.prev, other
        if other.prev is None:
            self.first = op
        else:
            other.prev.next = op
        other.prev = op
        return op

    @property
    def ops(self) -> Iterator[Operation]:
        """The operations in order; safe against erasing the current one."""
        op = self.first
        while op is not None:
            following = op.next
            yield op
            op = following

    @property
    def terminator(self) -> Operation:
        if self.last is None:
            raise IRError("the block is empty, it needs a terminator")
        return self.last

    @property
    def parent_op(self) -> Operation | None:
        return self.parent.parent if self.parent is not None else None


class Region:
    """A list of blocks; the first is the entry."""

    __slots__ = ("blocks", "parent")
    blocks: list[Block]
    parent: Operation | None

    def __init__(self, blocks: Sequence[Block] = ()):
        self.blocks = list(blocks)
        for block in self.blocks:
            block.parent = self
        self.parent = None

    def add_block(self, block: Block) -> Block:
        block.parent = self
        self.blocks.append(block)
        return block

    def clone(self, mapping: dict[Value, Value]) -> Region:
        copy = Region()
        for block in self.blocks:
            new = copy.add_block(Block([a.type for a in block.arguments]))
            for old, value in zip(block.arguments, new.arguments, strict=True):
                mapping[old] = value
                value.hint = old.hint
        for block, new in zip(self.blocks, copy.blocks, strict=True):
            for op in block.ops:
                new.append(op.clone(mapping))
        return copy


def module_functions(module: Operation) -> list[Operation]:
    """The `func.func` operations of a module, in order."""
    return [op for op in module.body.ops if op.name == "func.func"]


def find_function(module: Operation, name: str) -> Operation:
    """The function called `name`."""
    op = module.body.first
    while op is not None:
        found = op.attributes.get("sym_name")
        if found is not None and found.value == name and op.name == "func.func":
            return op
        op = op.next
    names = [f.get("sym_name") for f in module_functions(module)]
    raise IRError(f"the module has no function @{name}. It has: {names}")
