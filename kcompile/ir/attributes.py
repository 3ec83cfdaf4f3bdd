"""Attributes: the constants that an operation carries. Interned where they are small; `value` is the Python value.

Python values convert by `attribute`: bool, int (i64), float (f64), str, bytes-like arrays (`DenseAttr`), tuples of ints
(`array<i64: ..>`), tuples of attributes (`[..]`), dicts, types, affine maps.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.location import escape
from kcompile.ir.types import FloatType, TensorType, Type

INLINE_ELEMENTS = 16  # dense constants up to this size are printed in place, larger ones as a named resource


class Attribute:
    """Base of all attributes. Immutable."""

    __slots__ = ("text", "value")
    text: str
    value: Any
    _pool: ClassVar[dict[tuple[Any, ...], Attribute]] = {}

    @classmethod
    def _intern(cls, key: tuple[Any, ...], value: Any, text: Callable[[], str]) -> Self:
        made = Attribute._pool.get((cls, *key))
        if made is None:
            made = object.__new__(cls)
            made.value, made.text = value, text()
            Attribute._pool[(cls, *key)] = made
        return made  # type: ignore[return-value]

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class UnitAttr(Attribute):
    """Present or not."""

    __slots__ = ()

    def __new__(cls) -> UnitAttr:
        return cls._intern((), True, lambda: "unit")


class BoolAttr(Attribute):
    __slots__ = ()

    def __new__(cls, value: bool) -> BoolAttr:
        return cls._intern((bool(value),), bool(value), lambda: "true" if value else "false")


class IntAttr(Attribute):
    """An integer of `type` (i64 unless said)."""

    __slots__ = ("type",)
    type: Type

    def __new__(cls, value: int, type: Type = t.i64) -> IntAttr:
        self = cls._intern((int(value), type), int(value), lambda: f"{int(value)} : {type}")
        self.type = type
        return self


class FloatAttr(Attribute):
    """A float of `type` (f64 unless said); inf, nan and values without a short decimal are printed as their bits."""

    __slots__ = ("type",)
    type: Type

    def __new__(cls, value: float, type: Type = t.f64) -> FloatAttr:
        value = round_to(float(value), type)
        self = cls._intern((struct.pack("<d", value), type), value, lambda: f"{float_text(value, type)} : {type}")
        self.type = type
        return self


class StringAttr(Attribute):
    __slots__ = ()

    def __new__(cls, value: str) -> StringAttr:
        return cls._intern((value,), value, lambda: f'"{escape(value)}"')


class SymbolRefAttr(Attribute):
    """@name."""

    __slots__ = ()

    def __new__(cls, value: str) -> SymbolRefAttr:
        def text() -> str:
            bare = value.replace("_", "a").replace("$", "a").replace(".", "a").isalnum() and not value[:1].isdigit()
            return f"@{value}" if bare and value.isascii() else f'@"{escape(value)}"'

        return cls._intern((value,), value, text)


class TypeAttr(Attribute):
    __slots__ = ()

    def __new__(cls, value: Type) -> TypeAttr:
        return cls._intern((value,), value, lambda: value.text)


class AffineMapAttr(Attribute):
    __slots__ = ()

    def __new__(cls, value: AffineMap) -> AffineMapAttr:
        return cls._intern((value,), value, lambda: f"affine_map<{value}>")


class IntArrayAttr(Attribute):
    """array<i64: 1, 2>; its value is a tuple of ints."""

    __slots__ = ("type",)
    type: Type

    def __new__(cls, value: tuple[int, ...], type: Type = t.i64) -> IntArrayAttr:
        value = tuple(int(v) for v in value)

        def text() -> str:
            shown = ", ".join(str(v) if type is not t.i1 else "true" if v else "false" for v in value)
            return f"array<{type}: {shown}>" if value else f"array<{type}>"

        self = cls._intern((value, type), value, text)
        self.type = type
        return self


class DimsAttr(Attribute):
    """#graph.dims<["b", 784]>: a shape that may hold symbols; its value is a tuple of dims."""

    __slots__ = ()

    def __new__(cls, value: tuple[Dim, ...]) -> DimsAttr:
        def text() -> str:
            shown = ", ".join(f'"{d}"' if isinstance(d, SymbolicDim) else str(d) for d in value)
            return f"#graph.dims<[{shown}]>"

        return cls._intern(tuple(value), tuple(value), text)


class ArrayAttr(Attribute):
    """[a, b]; `elements` are attributes, its value is the tuple of their values."""

    __slots__ = ("elements",)
    elements: tuple[Attribute, ...]

    def __new__(cls, elements: tuple[Attribute, ...]) -> ArrayAttr:
        elements = tuple(elements)
        self = cls._intern(
            elements, tuple(e.value for e in elements), lambda: f"[{', '.join(e.text for e in elements)}]"
        )
        self.elements = elements
        return self


class DictAttr(Attribute):
    """{a = 1 : i64}; `elements` is a dict of attributes, its value one of their values."""

    __slots__ = ("elements",)
    elements: dict[str, Attribute]

    def __new__(cls, elements: Mapping[str, Attribute]) -> DictAttr:
        items = tuple(sorted(elements.items()))
        self = cls._intern(items, {k: a.value for k, a in items}, lambda: dictionary_text(dict(items)))
        self.elements = dict(items)
        return self


class OpaqueAttr(Attribute):
    """An attribute of a dialect (`#linalg.iterator_type<parallel>`), kept as its text."""

    __slots__ = ()

    def __new__(cls, text: str) -> OpaqueAttr:
        return cls._intern((text,), text, lambda: text)


class DenseAttr(Attribute):
    """A constant tensor: `value` is a read-only array of the full shape, `type` its TensorType (or VectorType).

    Not interned: two are equal when type and bytes are. Larger arrays print as `dense_resource<name>`, so that weights
    never become text unless the printer is asked for them.
    """

    __slots__ = ("type",)
    type: Type

    def __new__(cls, value: np.ndarray[Any, Any], type: Type | None = None) -> DenseAttr:
        self = object.__new__(cls)
        array = np.asarray(value)
        self.type = TensorType(array.shape, t.from_numpy(array.dtype)) if type is None else type
        array = np.ascontiguousarray(array, t.to_numpy(t.element_of(self.type))).reshape(array.shape)
        if t.shape_of(self.type) != array.shape:
            raise IRError(f"a constant of type {self.type} needs that shape. Received: {array.shape}")
        array = array.view()
        array.flags.writeable = False
        self.value = array
        self.text = ""
        return self

    @property
    def is_splat(self) -> bool:
        """Whether all elements have the same bits."""
        if not self.value.size:
            return False
        data = np.ascontiguousarray(self.value).view(np.uint8).reshape(self.value.size, self.value.itemsize)
        # most weights are told by their ends, without a walk through all of them
        return bool((data[-1] == data[0]).all() and (data == data[0]).all())

    @property
    def is_inline(self) -> bool:
        """Whether the text holds the elements."""
        return self.value.size <= INLINE_ELEMENTS or self.is_splat

    def inline_text(self) -> str:
        """dense<..> : type."""
        element = t.element_of(self.type)
        array = self.value
        if array.size and self.is_splat:
            body = scalar_text(array.reshape(-1)[0], element)
        else:
            body = _nested_text(array, element) if array.size else ""
        return f"dense<{body}> : {self.type}"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, DenseAttr) or self.type is not other.type:
            return False
        return bool(self.value.tobytes() == other.value.tobytes())

    def __hash__(self) -> int:
        return hash((self.type, self.value.tobytes() if self.value.nbytes <= 4096 else self.value.nbytes))

    def __str__(self) -> str:
        return self.inline_text() if self.is_inline else f"dense_resource<..> : {self.type}"


def _nested_text(array: np.ndarray[Any, Any], element: Type) -> str:
    if array.ndim == 0:
        return scalar_text(array[()], element)
    return f"[{', '.join(_nested_text(a, element) for a in array)}]"


def scalar_text(value: Any, element: Type) -> str:
    """One element as MLIR writes it inside dense<..>."""
    if element is t.i1:
        return "true" if value else "false"
    if isinstance(element, FloatType):
        if value != value and isinstance(value, np.floating):  # its bits: a Python float would make the nan quiet
            return f"0x{float_bits(value, element):0{t.bitwidth(element) // 4}X}"  # type: ignore[arg-type]
        return float_text(float(value), element)
    if isinstance(element, t.ComplexType):
        return f"({float_text(float(value.real), element.element)}, {float_text(float(value.imag), element.element)})"
    return str(int(value))


def round_to(value: float, type: Type) -> float:
    """`value` rounded to the nearest float of `type`."""
    if type is t.f64:
        return value
    if type is t.bf16:
        with np.errstate(over="ignore"):
            (bits,) = struct.unpack("<I", np.float32(value).tobytes())
        if value != value:
            return value
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        return float(np.frombuffer(struct.pack("<I", bits), np.float32)[0])
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return float(np.asarray(value, t.to_numpy(type)))


def float_bits(value: float, type: Type) -> int:
    """The bit pattern of `value` in `type`."""
    if type is t.bf16:
        return int(np.asarray(value, np.float32).view(np.uint32)) >> 16
    width = t.bitwidth(type)
    return int(np.asarray(value, t.to_numpy(type)).view(f"u{width // 8}"))


def float_text(value: float, type: Type) -> str:
    """The shortest decimal that reads back to the same bits; hexadecimal bits for inf and nan."""
    if value != value or value in (float("inf"), float("-inf")):
        return f"0x{float_bits(value, type):0{t.bitwidth(type) // 4}X}"
    text = repr(value) if type in (t.f64, t.bf16) else str(np.asarray(value, t.to_numpy(type))[()])
    mantissa, _, exponent = text.partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}e{int(exponent):+03d}" if exponent else mantissa


def dictionary_text(elements: Mapping[str, Attribute]) -> str:
    """{a = .., b}."""
    items = [key_text(k) if isinstance(a, UnitAttr) else f"{key_text(k)} = {a}" for k, a in elements.items()]
    return "{" + ", ".join(items) + "}"


_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_$.]*", re.ASCII)


def key_text(name: str) -> str:
    """An attribute's name, quoted where it is not a plain identifier."""
    return name if _BARE_KEY.fullmatch(name) else f'"{escape(name)}"'


def attribute(value: Any) -> Attribute:
    """The attribute of a Python value."""
    if isinstance(value, Attribute):
        return value
    if isinstance(value, bool | np.bool_):
        return BoolAttr(bool(value))
    if isinstance(value, int | np.integer):
        return IntAttr(int(value))
    if isinstance(value, float | np.floating):
        return FloatAttr(float(value))
    if isinstance(value, str):
        return StringAttr(value)
    if isinstance(value, SymbolicDim):
        return DimsAttr((value,))
    if isinstance(value, Type):
        return TypeAttr(value)
    if isinstance(value, AffineMap):
        return AffineMapAttr(value)
    if isinstance(value, np.ndarray):
        return DenseAttr(value)
    if isinstance(value, tuple | list):
        if all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in value):
            return IntArrayAttr(tuple(value))
        if any(isinstance(v, SymbolicDim) for v in value):
            return DimsAttr(tuple(value))
        return ArrayAttr(tuple(attribute(v) for v in value))
    if isinstance(value, Mapping):
        return DictAttr({str(k): attribute(v) for k, v in value.items()})
    raise IRError(f"no attribute stands for a {type(value).__name__}. Received: {value!r}")
