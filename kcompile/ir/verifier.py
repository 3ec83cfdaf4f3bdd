"""Verifier: whether a module keeps the rules of the IR and of each operation in it.

Checked for all operations: links between operations, blocks and regions; uses and operands agree; a value is defined
before it is used and visible there; terminators; symbols resolve. For known operations: `infer` gives the result
types, and the definition's own `verify`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kcompile.errors import IRError, KcompileError
from kcompile.ir.attributes import Attribute, SymbolRefAttr
from kcompile.ir.builder import infer_types
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.types import types_text

_T = TypeVar("_T")


def verify(op: Operation) -> None:
    """Check `op` and all inside it; raises IRError that names the first broken rule and its place.

    Example: `verify(module)`
    """
    _Verifier(op).run()


class _Verifier:
    def __init__(self, root: Operation):
        self.root = root
        self.inside = set(root.walk())
        self.visible: set[Value] = set(root.operands)
        self.symbols = _symbols(root)

    def run(self) -> None:
        self.operation(self.root)

    def operation(self, op: Operation) -> None:
        self.structure(op)
        self.uses(op)
        for key, attribute in op.attributes.items():
            if not isinstance(attribute, Attribute):
                raise _error(op, f"the attribute '{key}' is no attribute. Received: {attribute!r}")
            if (
                isinstance(attribute, SymbolRefAttr)
                and self.symbols is not None
                and attribute.value not in self.symbols
            ):
                raise _error(op, f"{key} names @{attribute.value}, which the module does not have")
        self.definition(op)
        isolated = op.has_trait("isolated")
        for region in op.regions:
            self.region(op, region, isolated)
        check = op.definition.verify if op.definition is not None else None
        if check is not None:
            self.guarded(op, lambda: check(op))
        self.visible.update(op.results)

    def structure(self, op: Operation) -> None:
        for i, result in enumerate(op.results):
            if result.owner is not op or result.index != i:
                raise _error(op, f"result {i} belongs to {result.owner!r} at {result.index}")
        for region in op.regions:
            if region.parent is not op:
                raise _error(op, "a region has another parent")
            for block in region.blocks:
                if block.parent is not region:
                    raise _error(op, "a block has another parent")
                for i, argument in enumerate(block.arguments):
                    if argument.owner is not block or argument.index != i:
                        raise _error(op, f"block argument {i} belongs to another block")
                previous = None
                for inner in block.ops:
                    if inner.parent is not block or inner.prev is not previous:
                        raise _error(inner, "the list of its block is broken here")
                    previous = inner
                if block.last is not previous:
                    raise _error(op, "the list of a block does not end with its last operation")

    def uses(self, op: Operation) -> None:
        for i, value in enumerate(op.operands):
            if (op, i) not in value.uses:
                raise _error(op, f"operand {i} does not know this use")
            if value not in self.visible:
                where = f"{value.owner.name}" if isinstance(value.owner, Operation) else "a block argument"
                raise _error(
                    op,
                    f"operand {i} ({where}) is not visible here: it has to be defined before its use, in this region "
                    "or around it",
                )
        if op is self.root:  # what uses its results, if anything, is outside
            return
        for result in op.results:
            self.users(op, result)

    def users(self, op: Operation, value: Value) -> None:
        for user, i in value.uses:
            if user not in self.inside:
                raise _error(op, f"a value is used by {user.name}, which is not in the module")
            if i >= len(user.operands) or user.operands[i] is not value:
                raise _error(op, f"a value counts a use by {user.name} that is none")

    def definition(self, op: Operation) -> None:
        definition = op.definition
        if definition is None or definition.infer is None:
            return
        types = [v.type for v in op.operands]
        inferred = self.guarded(op, lambda: infer_types(op.name, types, op.attributes, op.location))
        actual = tuple(r.type for r in op.results)
        if inferred != actual:
            raise _error(op, f"its result type is {types_text(inferred)} by its rule. Received: {types_text(actual)}")

    def guarded(self, op: Operation, check: Callable[[], _T]) -> _T:
        """Run a check of the op's definition; its errors name the op."""
        try:
            return check()
        except KcompileError as error:
            raise _error(op, error.message.removeprefix(f"{op.name}: ")) from None

    def region(self, op: Operation, region: Region, isolated: bool) -> None:
        outer = self.visible
        self.visible = set() if isolated else set(outer)
        for block in region.blocks:
            self.block(op, block)
        self.visible = outer

    def block(self, op: Operation, block: Block) -> None:
        self.visible.update(block.arguments)
        for argument in block.arguments:
            self.users(op, argument)
        for inner in block.ops:
            if inner.has_trait("terminator") and inner is not block.last:
                raise _error(inner, "a terminator stands before the end of its block")
            self.operation(inner)
        if op.definition is None or op.has_trait("no_terminator"):
            return
        if block.last is None:
            raise _error(op, "a block is empty; it needs a terminator")
        if block.last.definition is not None and not block.last.has_trait("terminator"):
            raise _error(block.last, "a block ends here without a terminator")


def _symbols(root: Operation) -> set[str] | None:
    """The names in the symbol table around `root`; None where there is none. IRError for a name given twice."""
    table = root
    while not table.has_trait("symbol_table"):
        if table.parent_op is None:
            return None
        table = table.parent_op
    names: set[str] = set()
    for op in table.body.ops if table.regions and table.regions[0].blocks else ():
        name = op.get("sym_name")
        if name in names:
            raise _error(op, f"the module has two symbols @{name}")
        if name is not None:
            names.add(name)
    return names


def _error(op: Operation, message: str) -> IRError:
    function = op
    while function.name != "func.func" and function.parent_op is not None:
        function = function.parent_op
    name = function.get("sym_name")
    return IRError(f"{op.name}: {message}", f"@{name}, {op.location}" if name else str(op.location))
