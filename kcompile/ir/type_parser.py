"""Parser of types, and of the aliases that a text may define for types, attributes and locations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import Attribute
from kcompile.ir.dims import Dim
from kcompile.ir.lexer import Cursor
from kcompile.ir.types import DYNAMIC, FunctionType, MemRefType, OpaqueType, TensorType, Type, VectorType

ALIASED_NAME = re.compile(r"[#!][A-Za-z_][\w$.]*")
_CACHEABLE_TYPE = re.compile(r"(?:tensor|vector|memref)<[^<>\n]*(?:<[^<>\n]*>[^<>\n]*)?>|[a-z]+\d*\b(?!<)")
_DIMS = re.compile(r"(?:(?:\d+|\?)x)*")
_SCALAR_TYPE = re.compile(r"(u?i)(\d+)\b|(bf16|f16|f32|f64|index|none)\b")
_ALIAS_DEFINITION = re.compile(r"^([#!][A-Za-z_][\w$]*)[ \t]*=[ \t]*", re.MULTILINE)
_STRIDED = re.compile(r"strided<\[([^\]]*)\](?:,\s*offset:\s*(\?|-?\d+))?>")


class TypeParser(Cursor):
    """Reads types at the cursor."""

    def __init__(self, text: str, filename: str = "<text>"):
        super().__init__(text, filename)
        # aliases may be used before they are defined (locations at the end), so they are read when needed
        self.aliases = {m[1]: m.end() for m in _ALIAS_DEFINITION.finditer(text)} if "=" in text else {}
        self.resolved: dict[str, Any] = {}
        self.type_texts: dict[str, Type] = {}

    def attribute(self) -> Attribute:
        """An attribute; here for the encoding of a tensor."""
        raise NotImplementedError

    def alias(self, name: str, read: Callable[[], Any]) -> Any:
        """What the alias `name` stands for; `read` reads its definition."""
        if name not in self.resolved:
            if name not in self.aliases:
                raise self.error(f"the alias {name} is not defined", self.at - len(name))
            saved, self.at = self.at, self.aliases[name]
            self.resolved[name] = read()
            self.at = saved
        return self.resolved[name]

    # -- types
    def type(self) -> Type:
        """A type."""
        start = self.skip()
        match = _CACHEABLE_TYPE.match(self.text, start)
        if match is not None:
            found = self.type_texts.get(match[0])
            if found is not None:
                self.at = match.end()
                return found
        found = self._type(start)
        if match is not None and match.end() == self.at:
            self.type_texts[match[0]] = found
        return found

    def _type(self, start: int) -> Type:
        scalar = self.match(_SCALAR_TYPE)
        if scalar is not None:
            if scalar[1]:
                return t.IntegerType(int(scalar[2]), scalar[1] == "ui")
            return t.index if scalar[3] == "index" else t.none if scalar[3] == "none" else t.FloatType(scalar[3])
        try:
            if self.take("tensor<"):
                return self._tensor(start)
            if self.take("memref<"):
                return self._memref()
            if self.take("vector<"):
                shape = self._dims(False, "a vector")
                made: Type = VectorType(shape, self.type())
                self.expect(">")
                return made
            if self.take("complex<"):
                element = self.type()
                if not isinstance(element, t.FloatType):
                    raise self.error("complex<..> needs a float type", start)
                self.expect(">")
                return t.ComplexType(element)
        except IRError as error:
            if error.where is None:  # raised by the type itself
                raise self.error(error.message, start) from None
            raise
        if self.peek("("):
            inputs = self.type_list()
            self.expect("->")
            return FunctionType(inputs, self.result_types())
        if self.peek("!"):
            name = self.expect_match(ALIASED_NAME, "a type name")[0]
            if "." not in name and not self.text.startswith("<", self.at):
                made = self.alias(name, self.type)
                assert isinstance(made, Type)
                return made
            body = self.balanced("the type") if self.text.startswith("<", self.at) else ""
            return OpaqueType(name + body)
        raise self.error("expected a type")

    def _tensor(self, start: int) -> TensorType:
        shape: tuple[Dim, ...] = self._dims(True, "a tensor")
        element = self.type()
        if self.take(","):
            if not self.peek("#graph.dims<"):
                raise self.error("a tensor's encoding is #graph.dims<[..]>; others are not supported")
            attribute = self.attribute()
            names = attribute.value
            fits = len(names) == len(shape) and all(
                d == DYNAMIC if not isinstance(n, int) else d == n for d, n in zip(shape, names, strict=True)
            )
            if not fits:
                raise self.error(f"the dims {attribute} do not fit the shape before them", start)
            shape = names
        elif DYNAMIC in shape:
            raise self.error('a tensor with ? dims needs their names: tensor<?x4xf32, #graph.dims<["b", 4]>>', start)
        self.expect(">")
        return TensorType(shape, element)

    def _memref(self) -> MemRefType:
        shape = self._dims(True, "a memref")
        element = self.type()
        strides, offset = None, 0
        if self.take(","):
            layout = self.expect_match(
                _STRIDED, "strided<[..], offset: n>; other layouts and memory spaces are not supported"
            )
            numbers = [n.strip() for n in layout[1].split(",") if n.strip()]
            strides = tuple(DYNAMIC if n == "?" else int(n) for n in numbers)
            offset = 0 if layout[2] is None else DYNAMIC if layout[2] == "?" else int(layout[2])
        self.expect(">")
        return MemRefType(shape, element, strides, offset)

    def _dims(self, dynamic: bool, what: str) -> tuple[int, ...]:
        start = self.skip()
        text = self.expect_match(_DIMS, "dims")[0]
        if self.text[self.at : self.at + 1] in ("*", "["):
            raise self.error(f"{what} needs a rank and plain dims")
        if "?" in text and not dynamic:
            raise self.error(f"{what} has no ? dims", start)
        return tuple(DYNAMIC if d == "?" else int(d) for d in text.split("x")[:-1])

    def type_list(self) -> tuple[Type, ...]:
        """(t, t)"""
        self.expect("(")
        types: list[Type] = []
        if not self.take(")"):
            types.append(self.type())
            while self.take(","):
                types.append(self.type())
            self.expect(")", "after the types")
        return tuple(types)

    def result_types(self) -> tuple[Type, ...]:
        """t or (t, t); a function type has to stand in parentheses."""
        return self.type_list() if self.peek("(") else (self.type(),)
