"""Parser of MLIR generic form: the exact inverse of the printer, with line, column and a caret in its errors.

module = parse_module(Path("stage.mlir").read_text(), "stage.mlir")
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from kcompile.ir.attribute_parser import AttributeParser
from kcompile.ir.attributes import Attribute
from kcompile.ir.builder import new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.garbage import no_collection
from kcompile.ir.location import UNKNOWN
from kcompile.ir.type_parser import ALIASED_NAME
from kcompile.ir.types import Type

_T = TypeVar("_T")
_NAME = r"%(?:[A-Za-z_$.-][\w$.-]*|\d+)"
_OPERATION = re.compile(rf'(?:({_NAME}(?::\d+)?(?:\s*,\s*{_NAME}(?::\d+)?)*)\s*=\s*)?"((?:[^"\\\n]|\\.)+)"\s*\(')
_OPERANDS = re.compile(rf"\s*((?:{_NAME}(?:#\d+)?\s*(?:,\s*(?=%))?)*)\)")
_OPERAND = re.compile(rf"{_NAME}(?:#\d+)?")
_VALUE_NAME = re.compile(_NAME)
_BLOCK_LABEL = re.compile(r"\^([A-Za-z_$.-][\w$.-]*|\d+)")
_NUMBERED = re.compile(r"%(?:\d+|arg\d+)")
_CUSTOM_FORM = re.compile(r"(?:%[\w$.-]+\s*=\s*)?[a-z_]\w*\.[\w.]+|module\b")


def parse_module(text: str, filename: str = "<text>") -> Operation:
    """The `builtin.module` that `text` holds; operations without one around them are put into one.

    Raises IRError, with the line and a caret, for text that is not well formed: names without a definition before them,
    operands whose types differ from their definition's, constants whose bytes are not in the text.
    The parser does not check the rules of operations: that is `verify`.

    Example: `parse_module('"func.func"() <{sym_name = "f", function_type = () -> ()}> ({..}) : () -> ()')`
    """
    with no_collection():
        return _ModuleParser(text, filename).module()


class _ModuleParser(AttributeParser):
    def __init__(self, text: str, filename: str):
        super().__init__(text, filename)
        self.values: dict[str, list[Value]] = {}
        self.defined: list[str] = []  # names in order of definition, so that a region can forget its own

    def module(self) -> Operation:
        operations: list[Operation] = []
        while self.skip() < len(self.text):
            if self.text[self.at] in "#!":
                self.alias_definition()
            else:
                operations.append(self.operation())
        if len(operations) == 1 and operations[0].name == "builtin.module":
            module = operations[0]
            if len(module.regions) == 1 and not module.regions[0].blocks:
                module.regions[0].add_block(Block())
            return module
        module = new_module()
        for op in operations:
            module.body.append(op)
        return module

    def alias_definition(self) -> None:
        name = self.expect_match(ALIASED_NAME, "an alias")[0]
        self.expect("=", "after the name of an alias")
        if self.peek("loc("):
            self.location()
        elif name[0] == "!":
            self.type()
        else:
            self.attribute()

    # -- operations
    def operation(self) -> Operation:
        start = self.skip()
        head = self.match(_OPERATION)
        if head is None:
            custom = _CUSTOM_FORM.match(self.text, start)
            if custom is not None:
                raise self.error("only the generic form is read ('mlir-opt --mlir-print-op-generic' prints it)")
            raise self.error('expected an operation: %name = "dialect.op"(..)')
        operands = self.operands()
        if self.peek("["):
            raise self.error("successors are not supported; branch by scf.if and scf.for")
        attributes = self.dictionary("<{", "}>") if self.peek("<{") else {}
        regions = self.regions(head[2]) if self.peek("(") else []
        if self.peek("{"):
            at = self.at
            more = self.dictionary("{", "}")
            twice = sorted(attributes.keys() & more.keys())
            if twice:
                raise self.error(f"the attribute '{twice[0]}' is given twice", at)
            attributes.update(more)
        self.expect(":", "and the operation's type")
        types_at = self.skip()
        inputs = self.type_list()
        self.check_operands(operands, inputs, types_at)
        self.expect("->", "between operand types and result types")
        results_at = self.skip()
        results = self.result_types()
        location = self.location() if self.peek("loc(") else UNKNOWN
        op = Operation(head[2], operands, results, attributes, regions, location)
        self.define_results(op, head, results_at)
        return op

    def operands(self) -> list[Value]:
        match = _OPERANDS.match(self.text, self.at)
        if match is None:
            raise self.error("expected operands %a, %b and ')'")
        found = []
        for name in _OPERAND.finditer(self.text, match.start(1), match.end(1)):
            base, _, index = name[0].partition("#")
            values = self.values.get(base)
            if values is None:
                raise self.error(f"{base} is not defined before this use", name.start())
            if int(index or 0) >= len(values):
                raise self.error(f"{base} has {len(values)} results", name.start())
            found.append(values[int(index or 0)])
        self.at = match.end()
        return found

    def check_operands(self, operands: Sequence[Value], types: Sequence[Type], at: int) -> None:
        if len(operands) != len(types):
            raise self.error(f"the operation has {len(operands)} operands, its type {len(types)}", at)
        for i, (value, type) in enumerate(zip(operands, types, strict=True)):
            if value.type is not type:
                raise self.error(f"operand {i} has type {value.type} where it is defined, and {type} here", at)

    def define_results(self, op: Operation, head: re.Match[str], at: int) -> None:
        names = [n.strip() for n in head[1].split(",")] if head[1] else []
        counts = [int(n.partition(":")[2] or 1) for n in names]
        if sum(counts) != len(op.results) and not (not names and op.results):
            raise self.error(f"{sum(counts)} results are named, the operation's type has {len(op.results)}", at)
        taken = 0
        for name, count in zip(names, counts, strict=True):
            self.define(name.partition(":")[0], op.results[taken : taken + count], head.start())
            taken += count

    def define(self, name: str, values: list[Value], at: int) -> None:
        if name in self.values:
            raise self.error(f"{name} is defined twice", at)
        self.values[name] = values
        self.defined.append(name)
        if values and _NUMBERED.fullmatch(name) is None:
            values[0].hint = name[1:]

    # -- regions
    def regions(self, op_name: str) -> list[Region]:
        from kcompile.ir.definition import lookup

        definition = lookup(op_name)
        isolated = definition is not None and "isolated" in definition.traits
        self.expect("(")
        regions = [self.region(isolated)]
        while self.take(","):
            regions.append(self.region(isolated))
        self.expect(")", "after the regions")
        return regions

    def region(self, isolated: bool) -> Region:
        self.expect("{", "to open a region")
        saved, known = self.values, len(self.defined)
        if isolated:  # names from outside are not visible, and may be used again
            self.values = {}
        region = Region()
        labels: set[str] = set()
        while not self.take("}"):
            if self.skip() >= len(self.text):
                raise self.error("the region is not closed")
            if self.peek("^"):
                block = self.block_head(labels)
            elif not region.blocks:
                block = Block()
            else:
                raise self.error("expected an operation, a block or '}'")
            region.add_block(block)
            while not self.peek("^") and not self.peek("}") and self.at < len(self.text):
                block.append(self.operation())
        if isolated:
            self.values = saved
        else:
            for name in self.defined[known:]:
                del self.values[name]
        del self.defined[known:]
        return region

    def block_head(self, labels: set[str]) -> Block:
        label = self.expect_match(_BLOCK_LABEL, "the name of a block")
        if label[1] in labels:
            raise self.error(f"the block ^{label[1]} is defined twice", label.start())
        labels.add(label[1])
        block = Block()
        if self.take("(") and not self.take(")"):
            while True:
                name = self.expect_match(_VALUE_NAME, "a block argument")
                self.expect(":", "and the type of the block argument")
                value = block.add_argument(self.type())
                if self.peek("loc("):
                    self.location()
                self.define(name[0], [value], name.start())
                if not self.take(","):
                    break
            self.expect(")", "after the block arguments")
        self.expect(":", "after the block's head")
        return block


def parse_attribute(text: str) -> Attribute:
    """The attribute that `text` holds.

    Example: `parse_attribute("affine_map<(d0) -> (d0 * 2)>")`
    """
    parser = AttributeParser(text)
    return _whole(parser, parser.attribute())


def parse_type(text: str) -> Type:
    """The type that `text` holds.

    Example: `parse_type("tensor<2x3xf32>")`
    """
    parser = AttributeParser(text)
    return _whole(parser, parser.type())


def _whole(parser: AttributeParser, made: _T) -> _T:
    if parser.skip() < len(parser.text):
        raise parser.error("expected the end of the text")
    return made
