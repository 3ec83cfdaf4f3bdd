"""LLVM IR as text: types, literals, names, and the module that functions are gathered in."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from kcompile.codegen.target import Target
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.attributes import float_bits
from kcompile.ir.types import FloatType, IndexType, IntegerType, Type, VectorType

DATA_LAYOUTS = {
    "x86_64": "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128",
    "aarch64": "e-m:e-p270:32:32-p271:32:32-p272:64:64-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32",
}


def is_half(type: Type) -> bool:
    """f16 or bf16: 16 bits that are widened to f32 to compute."""
    return t.element_of(type) in (t.f16, t.bf16)


@cache
def type_text(type: Type) -> str:
    """The LLVM type of a value. f16 and bf16 are held as their bits."""
    if isinstance(type, VectorType):
        if len(type.shape) != 1:
            raise UnsupportedError(f"code is generated for vectors of one dim. Received: {type}")
        return f"<{type.shape[0]} x {type_text(type.element)}>"
    if isinstance(type, FloatType):
        return {16: "i16", 32: "float", 64: "double"}[type.width]
    if isinstance(type, IntegerType):
        return f"i{type.width}"
    if isinstance(type, IndexType):
        return "i64"
    raise UnsupportedError(f"code is generated for integers, floats and vectors of them. Received: {type}")


def memory_type(element: Type) -> Type:
    """What an element is in memory: i1 is a byte."""
    return t.i8 if element is t.i1 else element


def element_bytes(element: Type) -> int:
    return t.bitwidth(memory_type(element)) // 8


def scalar_literal(value: Any, element: Type) -> str:
    """One number as an LLVM constant of its type."""
    if isinstance(element, FloatType):
        if element.width == 16:
            return str(float_bits(float(value), element))
        if element is t.f32:  # LLVM writes a float by the bits of the double of the same value
            bits = int(np.float32(value).view(np.uint32))
            if value != value:
                return f"0x{_widened_nan(bits):016X}"
            return f"0x{struct.unpack('<Q', struct.pack('<d', float(np.float32(value))))[0]:016X}"
        return f"0x{struct.unpack('<Q', struct.pack('<d', float(value)))[0]:016X}"
    if element is t.i1:
        return "true" if value else "false"
    return str(int(value))


def _widened_nan(bits: int) -> int:
    """The double NaN with the sign and payload of a float NaN."""
    return (bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7FFFFF | 0x400000) << 29


def literal(value: Any, type: Type) -> str:
    """A constant: of a scalar type, or a vector given as an array or as one number for all lanes."""
    if not isinstance(type, VectorType):
        return scalar_literal(np.asarray(value)[()], type)
    element = type.element
    values = np.broadcast_to(np.asarray(value), type.shape)
    name = type_text(element)
    data = values.tobytes()
    if data == data[: values.itemsize] * len(values):
        return f"splat ({name} {scalar_literal(values[0], element)})"
    texts = [scalar_literal(v, element) for v in values]
    return "<" + ", ".join(f"{name} {x}" for x in texts) + ">"


def symbol_name(name: str, suffix: str = "") -> str:
    """The LLVM name of the function that the IR calls `name`; characters that a linker may not like are spelled out."""
    safe = re.sub(r"[^A-Za-z0-9_]", lambda m: f".{ord(m[0]):x}.", name)
    return f"kc.{safe}{suffix}"


@dataclass
class LLVMModule:
    """Functions and declarations of one LLVM module; `str` gives the text."""

    target: Target
    functions: list[str] = field(default_factory=list)
    globals: list[str] = field(default_factory=list)
    declarations: dict[str, str] = field(default_factory=dict)
    support: dict[str, str] = field(default_factory=dict)  # functions of ours that others call, by name
    _groups: dict[str, int] = field(default_factory=dict)
    _nodes: dict[str, int] = field(default_factory=dict)

    def declare(self, name: str, result: str, arguments: str) -> str:
        """Declare an intrinsic once; gives `@name`."""
        self.declarations.setdefault(name, f"declare {result} @{name}({arguments})")
        return f"@{name}"

    def group(self, attributes: str) -> str:
        """The number `#n` of a group of function attributes."""
        return f"#{self._groups.setdefault(attributes, len(self._groups))}"

    def node(self, text: str) -> str:
        """The number `!n` of a piece of metadata."""
        return f"!{self._nodes.setdefault(text, len(self._nodes))}"

    def function_attributes(self, target: Target | None = None) -> str:
        """The group of a function compiled for `target` (the module's unless given)."""
        return self.group(f'nounwind "no-builtins" {(target or self.target).attributes}')

    def __str__(self) -> str:
        parts = [
            f'target datalayout = "{DATA_LAYOUTS[self.target.architecture]}"\ntarget triple = "{self.target.triple}"\n',
            *self.globals,
            *self.support.values(),
            *self.functions,
            *(self.declarations[name] for name in sorted(self.declarations)),
            *(f"attributes #{n} = {{ {text} }}" for text, n in self._groups.items()),
            *(f"!{n} = !{{{text}}}" for text, n in self._nodes.items()),
        ]
        return "\n".join(parts) + "\n"
