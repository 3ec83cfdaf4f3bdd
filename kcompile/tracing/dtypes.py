"""Names of dtypes, their IR types, and how mixed dtypes are promoted: Keras's rules, which are JAX's with float32.

>>> result_type("int32", float), result_type("uint8", "int8"), result_type(bool, int)
('float32', 'int16', 'int32')
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.types import Type

DEFAULT_FLOAT = ["float32"]  # one cell, set through keras.config.set_floatx

ELEMENTS: dict[str, Type] = {
    "bool": t.i1, "int8": t.i8, "int16": t.i16, "int32": t.i32, "int64": t.i64,
    "uint8": t.ui8, "uint16": t.ui16, "uint32": t.ui32, "uint64": t.ui64,
    "float16": t.f16, "bfloat16": t.bf16, "float32": t.f32, "float64": t.f64,
}  # fmt: skip
_NAMES = {element: name for name, element in ELEMENTS.items()}
_PYTHON = {bool: "bool", int: "int", float: "float"}

# What each dtype may widen to in one step. "int" and "float" are the weak dtypes of Python numbers.
_WIDER: dict[str, tuple[str, ...]] = {
    "bool": ("int",), "int": ("int8", "uint8"), "uint8": ("int16", "uint16"), "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"), "uint64": ("float",), "int8": ("int16",), "int16": ("int32",), "int32": ("int64",),
    "int64": ("float",), "float": ("bfloat16", "float16"), "bfloat16": ("float32",), "float16": ("float32",),
    "float32": ("float64",), "float64": (),
}  # fmt: skip


def element_type(dtype: Any) -> Type:
    """The IR type of a dtype given as a name, a NumPy dtype, a Python type, or an IR type."""
    return dtype if isinstance(dtype, Type) else ELEMENTS[standardize_dtype(dtype)]


def dtype_name(element: Type) -> str:
    """The name of an IR scalar type: "float32" for f32."""
    return _NAMES[element]


def standardize_dtype(dtype: Any) -> str:
    """The name of `dtype`; None is the default float. Raises UnsupportedError for what cannot be computed with."""
    if dtype is None:
        return DEFAULT_FLOAT[0]
    if isinstance(dtype, str) and dtype in ELEMENTS:
        return dtype
    if isinstance(dtype, Type) and dtype in _NAMES:
        return _NAMES[dtype]
    if isinstance(dtype, type) and dtype in _PYTHON:
        return {"bool": "bool", "int": "int32", "float": DEFAULT_FLOAT[0]}[_PYTHON[dtype]]
    try:
        name = np.dtype(getattr(dtype, "name", dtype)).name
    except TypeError:
        name = ""
    if name not in ELEMENTS:
        raise UnsupportedError(f"dtypes are {', '.join(ELEMENTS)}. Received: dtype={dtype!r}")
    return name


def is_float(dtype: str) -> bool:
    return "float" in dtype


def is_int(dtype: str) -> bool:
    """Whether `dtype` holds integers; bool does not count."""
    return "int" in dtype


@lru_cache(None)
def _above(dtype: str) -> frozenset[str]:
    """`dtype` and all that it widens to."""
    found = {dtype}
    for wider in _WIDER[dtype]:
        found |= _above(wider)
    return frozenset(found)


@lru_cache(None)
def _join(first: str, second: str) -> str:
    """The least dtype that both widen to."""
    shared = _above(first) & _above(second)
    return next(d for d in shared if _above(d) == shared)


def weak_name(dtype: Any) -> str:
    """`standardize_dtype`, but the Python types int and float stay weak."""
    if isinstance(dtype, type) and dtype in _PYTHON:
        return _PYTHON[dtype]
    return standardize_dtype(dtype)


def result_type(*dtypes: Any) -> str:
    """The dtype that values of `dtypes` are computed in together; `int` and `float`, for Python numbers, are weak."""
    joined = "bool"
    for dtype in dtypes:
        joined = _join(joined, weak_name(dtype))
    return {"int": "int32", "float": DEFAULT_FLOAT[0]}.get(joined, joined)
