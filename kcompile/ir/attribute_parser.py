"""Parser of attributes and locations."""

from __future__ import annotations

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap, parse_affine_map
from kcompile.ir.attributes import (
    AffineMapAttr,
    ArrayAttr,
    Attribute,
    BoolAttr,
    DictAttr,
    DimsAttr,
    FloatAttr,
    IntArrayAttr,
    IntAttr,
    OpaqueAttr,
    StringAttr,
    SymbolRefAttr,
    TypeAttr,
    UnitAttr,
)
from kcompile.ir.constant_parser import NUMBER, ConstantParser
from kcompile.ir.dims import parse_dim
from kcompile.ir.lexer import IDENTIFIER, SYMBOL, unescape
from kcompile.ir.location import UNKNOWN, Location, fuse
from kcompile.ir.type_parser import ALIASED_NAME


class AttributeParser(ConstantParser):
    """Reads attributes and locations at the cursor."""

    def attribute(self) -> Attribute:
        """An attribute."""
        start = self.skip()
        first = self.text[start : start + 1]
        if first == '"':
            return StringAttr(self.string())
        if first.isdigit() or first == "-":
            return self._number()
        if first == "@":
            match = self.expect_match(SYMBOL, "a symbol name")
            if self.peek("::"):
                raise self.error("nested symbol references are not supported")
            return SymbolRefAttr(match[1] if match[1] is not None else unescape(match[2]))
        if first == "[":
            return ArrayAttr(tuple(self._sequence("[", "]")))
        if first == "{":
            return DictAttr(self.dictionary("{", "}"))
        if first == "#":
            return self._hash()
        found = IDENTIFIER.match(self.text, start)
        word = found[0] if found is not None else ""
        if word in ("true", "false", "unit"):
            self.at += len(word)
            return UnitAttr() if word == "unit" else BoolAttr(word == "true")
        if self.take("affine_map<"):
            return AffineMapAttr(self._affine_map(start))
        if self.take("array<"):
            return self._int_array()
        if self.take("dense<"):
            return self.dense(start)
        if self.take("dense_resource<"):
            return self.dense_resource(start)
        return TypeAttr(self.type())

    def _sequence(self, opening: str, closing: str) -> list[Attribute]:
        self.expect(opening)
        elements: list[Attribute] = []
        if not self.take(closing):
            elements.append(self.attribute())
            while self.take(","):
                elements.append(self.attribute())
            self.expect(closing, "after the elements")
        return elements

    def dictionary(self, opening: str, closing: str) -> dict[str, Attribute]:
        """{name = attribute, name, "any name" = attribute}"""
        self.expect(opening)
        elements: dict[str, Attribute] = {}
        while not self.take(closing):
            if elements:
                self.expect(",", f"or '{closing}' after an attribute")
            start = self.skip()
            name = self.string() if self.peek('"') else self.expect_match(IDENTIFIER, "an attribute's name")[0]
            if name in elements:
                raise self.error(f"the attribute '{name}' is given twice", start)
            elements[name] = self.attribute() if self.take("=") else UnitAttr()
        return elements

    def _number(self) -> Attribute:
        start = self.skip()
        text = self.expect_match(NUMBER, "a number")[0]
        type = self.type() if self.take(":") else None
        if isinstance(type, t.FloatType) or (type is None and "." in text):
            return FloatAttr(float(self.element(text, type or t.f64, start)), type or t.f64)
        if type is not None and not isinstance(type, t.IntegerType | t.IndexType):
            raise self.error(f"a number is an integer, an index or a float. Received: {type}", start)
        if "." in text:
            raise self.error(f"{type} needs an integer. Received: {text}", start)
        return IntAttr(int(text, 0), type or t.i64)

    def _hash(self) -> Attribute:
        start = self.at
        name = self.expect_match(ALIASED_NAME, "an attribute's name after #")[0]
        if name == "#graph.dims":
            self.expect("<")
            dims = self._sequence("[", "]")
            self.expect(">")
            try:
                return DimsAttr(tuple(parse_dim(d.value) if isinstance(d, StringAttr) else int(d.value) for d in dims))
            except (IRError, TypeError, ValueError) as error:
                raise self.error(f'dims are ints and polynomials such as "2*b+1": {error}', start) from None
        follows = self.text.startswith("<", self.at)
        if "." not in name and not follows:
            made = self.alias(name, self.attribute)
            if not isinstance(made, Attribute):
                raise self.error(f"{name} stands for a location, not for an attribute", start)
            return made
        return OpaqueAttr(name + (self.balanced("the attribute") if follows else ""))

    def _affine_map(self, start: int) -> AffineMap:
        end = self.text.find("->", self.at)
        close = self.text.find(">", end + 2)
        if end < 0 or close < 0:
            raise self.error("affine_map<(d0) -> (d0)> is not closed", start)
        text, self.at = self.text[self.at : close], close + 1
        try:
            return parse_affine_map(text)
        except (IRError, ValueError) as error:
            raise self.error(getattr(error, "message", str(error)), start) from None

    def _int_array(self) -> IntArrayAttr:
        start = self.at
        type = self.type()
        if not isinstance(type, t.IntegerType):
            raise self.error(f"array<..> holds integers. Received: {type}", start)
        values = []
        if self.take(":"):
            for element in self._until(">"):
                if not isinstance(element, IntAttr | BoolAttr):
                    raise self.error(f"array<{type}: ..> holds integers. Received: {element}")
                values.append(int(element.value))
        else:
            self.expect(">")
        return IntArrayAttr(tuple(values), type)

    def _until(self, closing: str) -> list[Attribute]:
        elements = [self.attribute()]
        while self.take(","):
            elements.append(self.attribute())
        self.expect(closing)
        return elements

    # -- locations
    def location(self) -> Location:
        """loc(..)"""
        self.expect("loc(")
        made = self._location()
        self.expect(")")
        return made

    def _location(self) -> Location:
        if self.peek("#"):
            name = self.expect_match(ALIASED_NAME, "an alias")[0]
            made = self.alias(name, self.location)
            if not isinstance(made, Location):
                raise self.error(f"{name} does not stand for a location")
            return made
        if self.take("unknown"):
            return UNKNOWN
        if self.take("callsite("):
            callee = self._location()
            self.expect("at")
            caller = self._location()
            self.expect(")")
            return fuse(callee, caller)
        if self.take("fused"):
            if self.peek("<"):
                self.balanced("the metadata")
            self.expect("[")
            parts = [self._location()]
            while self.take(","):
                parts.append(self._location())
            self.expect("]")
            return Location(parts=tuple(parts))
        name = self.string()
        if self.take(":"):
            line = self.integer()
            self.expect(":")
            self.integer()
            return Location("", name, line)
        if self.take("("):
            inner = self._location()
            self.expect(")")
            return Location(name, inner.file, inner.line)
        return Location(name)
