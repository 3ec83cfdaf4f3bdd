"""Parser of constants: dense<..>, dense_resource<..> and the numbers in them, all bits kept."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr, round_to
from kcompile.ir.lexer import STRING
from kcompile.ir.type_parser import TypeParser
from kcompile.ir.types import TensorType, Type, VectorType

NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d*(?:[eE][+-]?\d+)?)?)")
_RESOURCE = re.compile(r'([A-Za-z_][\w$.-]*)\s*:\s*"0x([0-9A-Fa-f]*)"')
_RESOURCE_NAME = re.compile(r"[\w$.-]+")


class ConstantParser(TypeParser):
    """Reads constants at the cursor; knows the resources at the end of the text."""

    def __init__(self, text: str, filename: str = "<text>"):
        self.resources: dict[str, str] = {}
        start = 0 if text.startswith("{-#") else text.rfind("\n{-#")
        end = text.find("#-}", start)
        if start >= 0 and end >= 0:
            section = text[start:end]
            self.resources = {m[1]: m[2] for m in _RESOURCE.finditer(section)}
            text = text[:start] + "\n" * section.count("\n") + text[end + 3 :]
        super().__init__(text, filename)

    def dense(self, start: int) -> DenseAttr:
        shape: list[int] = []
        values: list[Any] = []
        blob = None
        if self.peek('"0x'):
            blob = self.expect_match(STRING, "bytes")[1][2:]
        elif not self.peek(">"):
            self._elements(values, shape, 0, start)
        self.expect(">")
        self.expect(":", "and the type of the constant")
        type = self._constant_type(start)
        wanted = t.shape_of(type)
        if blob is not None:
            array = self._from_bytes(bytes.fromhex(blob), type, start)
        else:
            element = t.element_of(type)
            flat = [self.element(v, element, start) for v in values]
            array = np.array(flat, t.to_numpy(element)) if flat else np.empty(0, t.to_numpy(element))
            if not shape and flat:
                array = np.broadcast_to(array[0], wanted)
            elif (shape and tuple(shape) != wanted) or array.size != math.prod(wanted):
                raise self.error(f"the constant's elements have shape {tuple(shape)}, its type is {type}", start)
        return DenseAttr(array.reshape(wanted), type)

    def _constant_type(self, start: int) -> TensorType | VectorType:
        type = self.type()
        if not isinstance(type, TensorType | VectorType) or not all(isinstance(d, int) for d in type.shape):
            raise self.error(f"a constant needs a tensor or vector type without symbols. Received: {type}", start)
        return type

    def _elements(self, values: list[Any], shape: list[int], depth: int, start: int) -> None:
        if not self.take("["):
            if depth != len(shape):
                raise self.error("the constant's lists differ in depth", start)
            values.append(self._element_token())
            return
        first = len(shape) == depth
        if first and values:
            raise self.error("the constant's lists differ in depth", start)
        if first:
            shape.append(-1)
        count = 0
        if not self.take("]"):
            count = 1
            self._elements(values, shape, depth + 1, start)
            while self.take(","):
                count += 1
                self._elements(values, shape, depth + 1, start)
            self.expect("]")
        if shape[depth] not in (-1, count):
            raise self.error("the constant's lists differ in length", start)
        shape[depth] = count

    def _element_token(self) -> Any:
        if self.take("("):
            real = self.expect_match(NUMBER, "a number")[0]
            self.expect(",")
            imaginary = self.expect_match(NUMBER, "a number")[0]
            self.expect(")")
            return real, imaginary
        if self.take("true"):
            return "1"
        if self.take("false"):
            return "0"
        return self.expect_match(NUMBER, "a number, true or false")[0]

    def element(self, text: Any, element: Type, start: int) -> Any:
        """The value of one number as a scalar of `element`, all bits kept."""
        if isinstance(element, t.ComplexType):
            if not isinstance(text, tuple):
                raise self.error(f"{element} needs pairs (real, imaginary). Received: {text}", start)
            real, imaginary = (self.element(part, element.element, start) for part in text)
            return complex(real, imaginary)
        if isinstance(text, tuple):
            raise self.error(f"{element} has no pairs", start)
        if isinstance(element, t.FloatType):
            if "0x" in text:
                bits = int(text, 16)
                if bits < 0 or bits >> element.width:
                    raise self.error(f"{text} has more bits than {element}", start)
                if element is t.bf16:
                    return np.array(bits << 16, np.uint32).view(np.float32)[()]
                return np.array(bits, f"u{element.width // 8}").view(t.to_numpy(element))[()]
            return t.to_numpy(element).type(round_to(float(text), element))
        if "." in text:
            raise self.error(f"{element} needs integers. Received: {text}", start)
        value, width = int(text, 0), t.bitwidth(element)
        unsigned = isinstance(element, t.IntegerType) and element.unsigned
        low = 0 if unsigned or element is t.i1 else -(1 << (width - 1))
        high = (1 << width) if unsigned or element is t.i1 else 1 << (width - 1)
        if not low <= value < high:
            raise self.error(f"{element} holds {low}..{high - 1}. Received: {text}", start)
        return value

    def dense_resource(self, start: int) -> DenseAttr:
        name = self.expect_match(_RESOURCE_NAME, "the name of a resource")[0]
        self.expect(">")
        self.expect(":", "and the type of the constant")
        type = self._constant_type(start)
        if name not in self.resources:
            raise self.error(
                f"the text holds no bytes for the constant '{name}'; print it with resources=True "
                "(`--resources` on the command line)",
                start,
            )
        return DenseAttr(self._from_bytes(bytes.fromhex(self.resources[name])[4:], type, start), type)

    def _from_bytes(self, data: bytes, type: TensorType | VectorType, start: int) -> np.ndarray[Any, Any]:
        element = t.element_of(type)
        dtype = t.to_numpy(element)
        stored = np.dtype("<u2") if element is t.bf16 else dtype.newbyteorder("<")
        count = math.prod(t.shape_of(type))
        if len(data) != count * stored.itemsize:
            raise self.error(f"{type} needs {count * stored.itemsize} bytes. Received: {len(data)}", start)
        array: np.ndarray[Any, Any] = np.frombuffer(data, stored)
        array = (array.astype(np.uint32) << 16).view(np.float32) if element is t.bf16 else array.astype(dtype)
        return array.reshape(type.shape)
