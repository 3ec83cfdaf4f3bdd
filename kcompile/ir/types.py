"""Types of the IR. Every type is interned: equal types are one object, and `str` gives its MLIR text.

>>> str(TensorType((symbol("b"), 784), f32))
'tensor<?x784xf32, #graph.dims<["b", 784]>>'
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from kcompile.errors import IRError
from kcompile.ir.dims import Dim, SymbolicDim, product, symbol

__all__ = [
    "ComplexType", "FloatType", "FunctionType", "IndexType", "IntegerType", "MemRefType", "NoneType", "OpaqueType",
    "TensorType", "Type", "VectorType", "bf16", "bitwidth", "c64", "element_of", "f16", "f32", "f64", "from_numpy",
    "i1", "i8", "i16", "i32", "i64", "index", "is_float", "is_integer", "is_unsigned", "none", "shape_of", "symbol",
    "to_numpy", "ui8", "ui16", "ui32", "ui64", "with_element", "with_shape",
]  # fmt: skip


class Type:
    """Base of all types; compare with `is` or `==`."""

    __slots__ = ("text",)
    text: str
    _pool: ClassVar[dict[tuple[Any, ...], Type]] = {}

    @classmethod
    def _intern(cls, *key: Any) -> tuple[Self, bool]:
        """The one object for `key`, and whether it is new (its fields are still to be set)."""
        made = Type._pool.get((cls, *key))
        if made is not None:
            return made, False  # type: ignore[return-value]
        made = object.__new__(cls)
        Type._pool[(cls, *key)] = made
        return made, True

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> Any:
        return _of_text, (self.text,)  # a copy is the one object for its text


def _of_text(text: str) -> Type:
    from .parser import parse_type

    return parse_type(text)


class IntegerType(Type):
    """iN (signless; signed where an op needs a sign) or uiN."""

    __slots__ = ("unsigned", "width")
    width: int
    unsigned: bool

    def __new__(cls, width: int, unsigned: bool = False) -> IntegerType:
        self, new = cls._intern(width, unsigned)
        if new:
            self.width, self.unsigned, self.text = width, unsigned, f"{'u' if unsigned else ''}i{width}"
        return self


class FloatType(Type):
    """f16, bf16, f32 or f64."""

    __slots__ = ("width",)
    width: int

    def __new__(cls, name: str) -> FloatType:
        self, new = cls._intern(name)
        if new:
            self.width, self.text = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64}[name], name
        return self


class IndexType(Type):
    """The integer that counts loops and addresses memory (64 bits)."""

    __slots__ = ()

    def __new__(cls) -> IndexType:
        self, new = cls._intern()
        if new:
            self.text = "index"
        return self


class NoneType(Type):
    """The type of nothing."""

    __slots__ = ()

    def __new__(cls) -> NoneType:
        self, new = cls._intern()
        if new:
            self.text = "none"
        return self


class ComplexType(Type):
    """A pair of floats."""

    __slots__ = ("element",)
    element: FloatType

    def __new__(cls, element: FloatType) -> ComplexType:
        self, new = cls._intern(element)
        if new:
            self.element, self.text = element, f"complex<{element}>"
        return self


class OpaqueType(Type):
    """A type of a dialect that we do not define; kept as its text."""

    __slots__ = ()

    def __new__(cls, text: str) -> OpaqueType:
        self, new = cls._intern(text)
        if new:
            self.text = text
        return self


def _shape_text(shape: tuple[Dim, ...]) -> str:
    return "".join(("?" if isinstance(d, SymbolicDim) else str(d)) + "x" for d in shape)


def _check_shape(what: str, shape: tuple[Dim, ...]) -> None:
    for d in shape:
        if not isinstance(d, SymbolicDim) and (not isinstance(d, int) or d < 0):
            raise IRError(f"{what} needs dims that are ints >= 0 or symbols. Received: shape={shape}")


class TensorType(Type):
    """A value of `element`s with `shape`; symbolic dims are printed `?` and named in the encoding."""

    __slots__ = ("element", "shape")
    shape: tuple[Dim, ...]
    element: Type

    def __new__(cls, shape: tuple[Dim, ...], element: Type) -> TensorType:
        self, new = cls._intern(tuple(shape), element)
        if new:
            try:
                _check_shape("a tensor", tuple(shape))
            except IRError:
                Type._pool.pop((cls, tuple(shape), element))
                raise
            self.shape, self.element = tuple(shape), element
            names = ", ".join(f'"{d}"' if isinstance(d, SymbolicDim) else str(d) for d in shape)
            symbolic = any(isinstance(d, SymbolicDim) for d in shape)
            self.text = f"tensor<{_shape_text(self.shape)}{element}{f', #graph.dims<[{names}]>' if symbolic else ''}>"
        return self

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """The number of elements."""
        return product(self.shape)


class VectorType(Type):
    """`element`s that live in registers."""

    __slots__ = ("element", "shape")
    shape: tuple[int, ...]
    element: Type

    def __new__(cls, shape: tuple[int, ...], element: Type) -> VectorType:
        self, new = cls._intern(tuple(shape), element)
        if new:
            self.shape, self.element, self.text = tuple(shape), element, f"vector<{_shape_text(shape)}{element}>"
        return self


DYNAMIC = -1  # a dim, stride or offset of a memref that is known only at run time


def _static(n: int) -> str:
    return "?" if n == DYNAMIC else str(n)


class MemRefType(Type):
    """A buffer. Dims and strides are ints, or DYNAMIC; without strides it is dense and row-major."""

    __slots__ = ("element", "offset", "shape", "strides")
    shape: tuple[int, ...]
    element: Type
    strides: tuple[int, ...] | None
    offset: int

    def __new__(
        cls, shape: tuple[int, ...], element: Type, strides: tuple[int, ...] | None = None, offset: int = 0
    ) -> MemRefType:
        self, new = cls._intern(tuple(shape), element, strides, offset)
        if new:
            self.shape, self.element, self.strides, self.offset = tuple(shape), element, strides, offset
            layout = ""
            if strides is not None:
                at = f", offset: {_static(offset)}" if offset else ""
                layout = f", strided<[{', '.join(map(_static, strides))}]{at}>"
            self.text = f"memref<{''.join(_static(d) + 'x' for d in shape)}{element}{layout}>"
        return self


class FunctionType(Type):
    """(inputs) -> (results)."""

    __slots__ = ("inputs", "results")
    inputs: tuple[Type, ...]
    results: tuple[Type, ...]

    def __new__(cls, inputs: tuple[Type, ...], results: tuple[Type, ...]) -> FunctionType:
        self, new = cls._intern(tuple(inputs), tuple(results))
        if new:
            self.inputs, self.results = tuple(inputs), tuple(results)
            self.text = f"({', '.join(map(str, inputs))}) -> {types_text(results)}"
        return self


def types_text(types: tuple[Type, ...] | list[Type]) -> str:
    """One type bare, several (or none) in parentheses, as MLIR prints results."""
    if len(types) == 1 and not isinstance(types[0], FunctionType):
        return types[0].text
    return f"({', '.join(t.text for t in types)})"


i1, i8, i16, i32, i64 = (IntegerType(w) for w in (1, 8, 16, 32, 64))
ui8, ui16, ui32, ui64 = (IntegerType(w, True) for w in (8, 16, 32, 64))
f16, bf16, f32, f64 = (FloatType(n) for n in ("f16", "bf16", "f32", "f64"))
index, none = IndexType(), NoneType()
c64 = ComplexType(f32)

_NUMPY = {
    i1: np.bool_, i8: np.int8, i16: np.int16, i32: np.int32, i64: np.int64, index: np.int64,
    ui8: np.uint8, ui16: np.uint16, ui32: np.uint32, ui64: np.uint64, f16: np.float16, f32: np.float32, f64: np.float64,
    c64: np.complex64,
}  # fmt: skip
_FROM_NUMPY = {np.dtype(n): t for t, n in _NUMPY.items() if t is not index}


def to_numpy(element: Type) -> np.dtype[Any]:
    """The NumPy dtype of a scalar type; bf16 is computed in float32, as NumPy has none."""
    if element is bf16:
        return np.dtype(np.float32)
    try:
        return np.dtype(_NUMPY[element])
    except KeyError:
        raise IRError(f"there is no NumPy dtype for {element}") from None


def from_numpy(dtype: Any) -> Type:
    """The scalar type of a NumPy dtype."""
    try:
        return _FROM_NUMPY[np.dtype(dtype)]
    except (KeyError, TypeError):
        known = ", ".join(sorted(str(d) for d in _FROM_NUMPY))
        raise IRError(f"dtype {dtype} cannot be compiled; known: {known}") from None


def element_of(type: Type) -> Type:
    """The scalar type inside a tensor, vector or memref; a scalar type is its own."""
    return type.element if isinstance(type, TensorType | VectorType | MemRefType) else type


def shape_of(type: Type) -> tuple[Any, ...]:
    """The shape of a tensor, vector or memref; () for a scalar."""
    return type.shape if isinstance(type, TensorType | VectorType | MemRefType) else ()


def with_element(type: Type, element: Type) -> Type:
    """`type` with another scalar type inside."""
    if isinstance(type, TensorType):
        return TensorType(type.shape, element)
    if isinstance(type, VectorType):
        return VectorType(type.shape, element)
    if isinstance(type, MemRefType):
        return MemRefType(type.shape, element, type.strides, type.offset)
    return element


def with_shape(type: TensorType, shape: tuple[Dim, ...]) -> TensorType:
    """`type` with another shape."""
    return TensorType(tuple(shape), type.element)


def is_float(type: Type) -> bool:
    return isinstance(element_of(type), FloatType)


def is_integer(type: Type) -> bool:
    return isinstance(element_of(type), IntegerType | IndexType)


def is_unsigned(type: Type) -> bool:
    element = element_of(type)
    return isinstance(element, IntegerType) and (element.unsigned or element is i1)


def bitwidth(type: Type) -> int:
    """Bits of one element in a register (i1 counts 1, index 64)."""
    element = element_of(type)
    if isinstance(element, IntegerType | FloatType):
        return element.width
    if isinstance(element, ComplexType):
        return 2 * element.element.width
    return 64
