"""bind: one graph op on tensors, executed at once or recorded; and the conversions that every operation starts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.errors import IRError, KcompileError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.attributes import attribute
from kcompile.ir.builder import infer_types
from kcompile.ir.definition import lookup
from kcompile.ir.dims import Dim
from kcompile.ir.location import UNKNOWN
from kcompile.ir.types import TensorType, Type

from .dtypes import ELEMENTS, dtype_name, element_type, result_type, standardize_dtype
from .tensor import EagerTensor, Tensor, broadcast_dims
from .trace import Trace, Tracer, current_trace


def convert(value: Any, dtype: Any = None) -> Tensor:
    """`value` as a tensor: a tensor, a variable, an array, a number, or nested lists of numbers.

    Without `dtype` arrays keep theirs; Python floats become the default float and Python ints int32.
    """
    if hasattr(value, "__kcompile_tensor__"):
        value = value.__kcompile_tensor__()
    if isinstance(value, Tensor):
        if getattr(value, "is_symbolic", False):
            raise IRError(
                "a KerasTensor has no values yet: this code runs on tensors. Use keras.ops functions or layers on it. "
                f"Received: {value!r}"
            )
        return value if dtype is None else cast(value, dtype)
    if isinstance(value, list | tuple) and any(
        isinstance(v, Tensor) or hasattr(v, "__kcompile_tensor__") for v in value
    ):
        return _stack([convert(v, dtype) for v in value])
    try:
        array = np.asarray(value)
        if array.dtype == object:
            raise ValueError
    except ValueError:
        raise ShapeError(f"a tensor needs numbers in a regular shape. Received: {value!r}") from None
    if dtype is None and not hasattr(value, "dtype"):
        dtype = {"f": standardize_dtype(None), "i": "int32", "u": "int32"}.get(array.dtype.kind)
        if dtype == "int32" and array.size and not -(2**31) <= array.min() <= array.max() < 2**31:
            dtype = "int64"
    if dtype is None and array.dtype.name not in ELEMENTS:
        raise IRError(f"a tensor holds {', '.join(ELEMENTS)}. Received: an array of {array.dtype}")
    return EagerTensor(array, dtype)


def _stack(tensors: list[Tensor]) -> Tensor:
    element = element_type(result_type(*[x.dtype for x in tensors]))
    rows = [bind("reshape", cast(x, element), shape=(1, *x.dims)) for x in tensors]
    return bind("concatenate", *rows, axis=0)


def bind(name: str, *operands: Any, **attrs: Any) -> Any:
    """The result of `graph.<name>` on tensors of fitting types: a tensor, or a tuple of them for several results.

    With a Tracer among the operands the op is recorded in its trace, else its NumPy reference runs now.
    """
    tensors = [x if isinstance(x, Tensor) else convert(x) for x in operands]
    for x in tensors:
        if isinstance(x, Tracer):
            return _record(x.trace, name, tensors, attrs)
    trace = current_trace()
    if trace is not None and name in _KEPT_SMALL:
        return _record(trace, name, tensors, attrs)
    if any(not isinstance(d, int) for d in attrs.get("shape", ())):
        raise ShapeError(f"a symbolic size needs a trace around it. Received: shape={attrs['shape']}")
    return _execute(name, tensors, attrs)


_KEPT_SMALL = frozenset(
    ("broadcast_in_dim", "iota")
)  # inside a trace these stay ops: their results would be big constants


def _record(trace: Trace, name: str, tensors: Sequence[Tensor], attrs: dict[str, Any]) -> Any:
    values = [trace.value_of(x) for x in tensors]
    try:
        results = trace.builder.create(f"graph.{name}", values, attrs).results
    except KcompileError as error:
        raise _placed(error, trace.place, name) from None
    made = tuple(Tracer(trace, r) for r in results)
    return made[0] if len(made) == 1 else made


def _placed(error: KcompileError, place: str, name: str) -> KcompileError:
    """`error` with the layer path it happened in."""
    if error.where and error.where != str(UNKNOWN):
        return error
    prefix = "" if error.message.startswith("graph.") else f"graph.{name}: "
    return type(error)(prefix + error.message, place or None)


def _execute(name: str, tensors: Sequence[Tensor], attrs: dict[str, Any]) -> Any:
    definition = lookup(f"graph.{name}")
    if definition is None or definition.reference is None:
        raise IRError(f"there is no operation graph.{name} with a reference")
    attrs = {k: v for k, v in attrs.items() if v is not None}
    types = infer_types(
        definition.name, [x.type for x in tensors], {k: attribute(v) for k, v in attrs.items()}, UNKNOWN
    )
    defaults = {k: v for k, v in definition.attrs.items() if k not in attrs}
    arrays = [x.array for x in tensors]  # type: ignore[attr-defined]
    results = definition.reference(*arrays, **attrs, **defaults)
    made = [
        EagerTensor(r, t.element_of(ty)) for r, ty in zip(results if isinstance(results, tuple) else (results,), types)
    ]
    return made[0] if len(made) == 1 else tuple(made)


def cast(x: Any, dtype: Any) -> Tensor:
    """`x` as a tensor of `dtype` (a name or an IR type)."""
    x = convert(x)
    element = element_type(dtype)
    if x.element is element:
        return x
    return bind("convert", x, dtype=element)


def constant(value: Any, element: Type) -> EagerTensor:
    """A tensor of rank 0."""
    return EagerTensor(np.asarray(value), element)


def broadcast_to(x: Tensor, dims: tuple[Dim, ...]) -> Tensor:
    """`x` broadcast to `dims` by NumPy's rule."""
    if x.dims == dims:
        return x
    if broadcast_dims(x.dims, dims) != dims:
        raise ShapeError(f"shape {x.shape} does not broadcast to {dims}")
    start = len(dims) - len(x.dims)
    x, places = _without_ones(x)
    return bind("broadcast_in_dim", x, shape=dims, dims=tuple(start + p for p in places))


def _without_ones(x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """What `x` was before a reshape gave it axes of 1, and where its axes are in `x`: broadcasts then compose with what
    comes before them, where a reshape would stand between."""
    everywhere = tuple(range(x.ndim))
    op = x.value.defining_op if isinstance(x, Tracer) else None
    if op is None or op.name != "graph.reshape":
        return x, everywhere
    source = Tracer(x.trace, op.operands[0])  # type: ignore[attr-defined]
    places = [i for i, d in enumerate(x.dims) if d != 1]
    if tuple(x.dims[i] for i in places) != source.dims:
        return x, everywhere
    return source, tuple(places)


def weak_dtype(x: Any) -> Any:
    """What `x` counts as in dtype promotion: Python numbers are weak."""
    if isinstance(x, bool | np.bool_):
        return "bool"
    if isinstance(x, int | float) and not isinstance(x, np.generic):
        return type(x)
    return x.dtype if hasattr(x, "dtype") else convert(x).dtype


def promote(*xs: Any, least: Any = None) -> list[Tensor]:
    """All operands as tensors of one dtype: their common one, together with `least`."""
    xs = tuple(x.__kcompile_tensor__() if hasattr(x, "__kcompile_tensor__") else x for x in xs)
    dtype = result_type(*[weak_dtype(x) for x in xs], *([] if least is None else [least]))
    element = ELEMENTS[dtype]
    return [constant(x, element) if isinstance(x, bool | int | float) else cast(x, element) for x in xs]


def broadcast(*xs: Tensor) -> list[Tensor]:
    """All tensors broadcast to their common shape."""
    dims = broadcast_dims(*[x.dims for x in xs])
    return [broadcast_to(x, dims) for x in xs]


def binary(name: str, x: Any, y: Any, least: Any = None, **attrs: Any) -> Tensor:
    """`graph.<name>` on two operands after dtype promotion and broadcasting."""
    return bind(name, *broadcast(*promote(x, y, least=least)), **attrs)


def floating(x: Any) -> Tensor:
    """`x` as a float tensor: integers become the default float, int64 too."""
    x = convert(x)
    return x if t.is_float(x.element) else cast(x, result_type(dtype_name(x.element), float))


def tensor_type(dims: Sequence[Dim], dtype: Any) -> TensorType:
    return TensorType(tuple(dims), element_type(dtype))


__all__ = [
    "binary", "bind", "broadcast", "broadcast_to", "cast", "constant", "convert", "floating", "promote",
    "tensor_type", "weak_dtype",
]  # fmt: skip
