"""Printer: an operation as MLIR generic text, which `parse_module` reads back exactly.

Operations of our own dialects carry all attributes in `{}` after their regions; upstream operations carry what belongs
to the op in `<{}>` before the regions and what we add (names with a dot) in `{}`, so that mlir-opt takes both.

>>> print(print_operation(new_module()))                                # doctest: +SKIP
"builtin.module"() ({
^bb0:
}) : () -> ()
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, Attribute, DenseAttr, DictAttr, UnitAttr, key_text
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.location import UNKNOWN
from kcompile.ir.types import types_text

OWN_DIALECTS = frozenset({"graph", "kernel", "plan"})


def print_operation(op: Operation, *, resources: bool = False, locations: bool = False) -> str:
    """The text of `op` and all inside it.

    resources    append the bytes of large constants, without which they are only named (by a hash of their content)
    locations    append `loc(..)` to each operation

    Example: `Path("stage.mlir").write_text(print_operation(module, resources=True, locations=True))`
    """
    printer = _Printer(locations)
    printer.operation(op, "")
    text = "\n".join(printer.lines)
    if resources and printer.resources:
        entries = ",\n".join(f'      {name}: "{_blob(a)}"' for name, a in sorted(printer.resources.items()))
        text += "\n\n{-#\n  dialect_resources: {\n    builtin: {\n" + entries + "\n    }\n  }\n#-}"
    return text


def attribute_text(attribute: Attribute) -> str:
    """The text of one attribute, large constants by their resource name."""
    return _Printer(False).attribute(attribute)


def resource_name(attribute: DenseAttr) -> str:
    """A name made from the content, so that equal constants share it and texts of different constants differ."""
    if not attribute.text:  # kept there: hashing 100 MB of weights for each dump would be felt
        digest = hashlib.blake2b(str(attribute.type).encode(), digest_size=8)
        digest.update(resource_bytes(attribute))
        attribute.text = f"c_{digest.hexdigest()}"
    return attribute.text


def resource_bytes(attribute: DenseAttr) -> bytes:
    """The elements, little-endian, as MLIR stores them (bf16 in two bytes)."""
    array = attribute.value
    if t.element_of(attribute.type) is t.bf16:
        array = (np.ascontiguousarray(array).view(np.uint32) >> 16).astype("<u2")
    data: bytes = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return data


def _blob(attribute: DenseAttr) -> str:
    """MLIR's hexadecimal blob: four bytes of alignment, then the data."""
    return "0x" + (64).to_bytes(4, "little").hex().upper() + resource_bytes(attribute).hex().upper()


_HINT = re.compile(r"[^A-Za-z0-9_$.-]")
_RESERVED = re.compile(r"\d+|arg\d+")


class _Printer:
    def __init__(self, locations: bool):
        self.lines: list[str] = []
        self.locations = locations
        self.resources: dict[str, DenseAttr] = {}
        self.names: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.next_result = self.next_argument = 0

    # -- names
    def fresh(self, hint: str) -> str:
        """A name from a hint, unlike all others in this scope and unlike the numbered ones."""
        name = _HINT.sub("_", hint) or "_"
        if name[0].isdigit() or name[0] == "-" or _RESERVED.fullmatch(name):
            name = f"_{name}"
        if name in self.taken:
            count = 0
            while f"{name}_{count}" in self.taken:
                count += 1
            name = f"{name}_{count}"
        self.taken.add(name)
        return f"%{name}"

    def name_results(self, op: Operation) -> str:
        """Name the results; gives the text left of `=`."""
        results = op.results
        if results[0].hint is not None:
            name = self.fresh(results[0].hint)
        else:
            name = f"%{self.next_result}"
            self.next_result += 1
        if len(results) == 1:
            self.names[results[0]] = name
            return f"{name} = "
        for i, result in enumerate(results):
            self.names[result] = f"{name}#{i}"
        return f"{name}:{len(results)} = "

    def name_argument(self, value: Value) -> str:
        if value.hint is not None:
            name = self.fresh(value.hint)
        else:
            name = f"%arg{self.next_argument}"
            self.next_argument += 1
        self.names[value] = name
        return name

    def name_of(self, value: Value) -> str:
        found = self.names.get(value)
        # an operand from outside the printed operation, or from an operation that is not in any block
        return found if found is not None else self.names.setdefault(value, self.fresh("outer"))

    # -- structure
    def operation(self, op: Operation, indent: str) -> None:
        operands = ", ".join([self.name_of(v) for v in op._operands])
        left = self.name_results(op) if op.results else ""
        properties, discardable = self.split(op)
        head = f'{indent}{left}"{op.name}"({operands}){properties}'
        signature = (
            f" : ({', '.join([v.type.text for v in op._operands])}) -> {types_text([r.type for r in op.results])}"
        )
        tail = discardable + signature
        if self.locations and op.location is not UNKNOWN:
            tail += f" {op.location}"
        if not op.regions:
            self.lines.append(head + tail)
            return
        # mlir-opt does not know that our operations are isolated: names in them differ from those around
        isolated = op.has_trait("isolated") and op.dialect not in OWN_DIALECTS
        if isolated:
            saved = self.taken, self.next_result, self.next_argument
            self.taken, self.next_result, self.next_argument = set(), 0, 0
        for i, region in enumerate(op.regions):
            self.lines.append(f"{head} ({{" if i == 0 else f"{indent}}}, {{")
            self.region(region, indent)
        self.lines.append(f"{indent}}}){tail}")
        if isolated:
            self.taken, self.next_result, self.next_argument = saved

    def region(self, region: Region, indent: str) -> None:
        for i, block in enumerate(region.blocks):
            if i or block.arguments or block.first is None:
                self.lines.append(f"{indent}^bb{i}{self.arguments(block)}:")
            for op in block.ops:
                self.operation(op, indent + "  ")

    def arguments(self, block: Block) -> str:
        if not block.arguments:
            return ""
        return f"({', '.join([f'{self.name_argument(a)}: {a.type}' for a in block.arguments])})"

    # -- attributes
    def split(self, op: Operation) -> tuple[str, str]:
        """The texts of the properties and of the discardable attributes."""
        attributes = op.attributes
        if not attributes:
            return "", ""
        names = sorted(attributes)
        if op.definition is None or op.dialect in OWN_DIALECTS:
            return "", f" {{{self.dictionary(names, attributes)}}}"
        # sym_name first: it is what a reader looks for
        inherent = sorted((n for n in names if "." not in n), key=lambda n: (n != "sym_name", n))
        rest = [n for n in names if "." in n]
        return (
            f" <{{{self.dictionary(inherent, attributes)}}}>" if inherent else "",
            f" {{{self.dictionary(rest, attributes)}}}" if rest else "",
        )

    def dictionary(self, names: Iterable[str], attributes: dict[str, Attribute]) -> str:
        items = []
        for name in names:
            attribute = attributes[name]
            key = key_text(name)
            items.append(key if type(attribute) is UnitAttr else f"{key} = {self.attribute(attribute)}")
        return ", ".join(items)

    def attribute(self, attribute: Attribute) -> str:
        kind = type(attribute)
        if kind is DenseAttr:
            assert isinstance(attribute, DenseAttr)
            if attribute.is_inline:
                return attribute.inline_text()
            name = resource_name(attribute)
            self.resources[name] = attribute
            return f"dense_resource<{name}> : {attribute.type}"
        if kind is ArrayAttr:
            assert isinstance(attribute, ArrayAttr)
            return f"[{', '.join([self.attribute(e) for e in attribute.elements])}]"
        if kind is DictAttr:
            assert isinstance(attribute, DictAttr)
            return f"{{{self.dictionary(attribute.elements, attribute.elements)}}}"
        return attribute.text
