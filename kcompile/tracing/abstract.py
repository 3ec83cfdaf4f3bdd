"""abstract_call: shapes and dtypes of a function's results, without values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from kcompile.errors import KcompileError, ShapeError, UnsupportedError
from kcompile.ir.dims import substitute, symbols_of
from kcompile.ir.types import TensorType

from .structure import flatten, map_structure
from .tensor import EagerTensor, Tensor
from .trace import Trace, symbolic_dims

EXAMPLE_SIZES = (120, 240)  # multiples of most products of strides


def abstract_call(function: Callable[..., Any], *arguments: Any, where: str = "", **keywords: Any) -> Any:
    """What `function` returns for tensors that have shapes only, as TensorTypes in the structure of its result.

    Arguments (in any structure) with `is_symbolic` become traced tensors of their dims and dtype; others stay.
    """
    leaves = [x for x in flatten([arguments, keywords]) if getattr(x, "is_symbolic", False)]
    spatial = {name for x in leaves for d in x.dims for name in symbols_of(d)} - {"b"}
    try:
        return _abstract(function, arguments, keywords, where, {})
    except (ShapeError, UnsupportedError) as error:
        if not spatial:
            raise
        # What a stride makes of an unknown size has no formula: two examples tell which axes vary.
        try:
            first, second = (
                _abstract(function, arguments, keywords, where, dict.fromkeys(spatial, size)) for size in EXAMPLE_SIZES
            )
        except KcompileError:
            raise error from None
    others = iter(flatten(second))
    return map_structure(lambda x: _common_type(x, next(others)), first)


def _abstract(function: Callable[..., Any], arguments: Any, keywords: Any, where: str, sizes: dict[str, int]) -> Any:
    """`abstract_call` with the given sizes in place of some symbols."""
    trace = Trace()

    def enter(x: Any) -> Any:
        if not getattr(x, "is_symbolic", False):
            return x
        return trace.input(TensorType(tuple(substitute(d, sizes) for d in x.dims), x.element), "x")

    with trace, trace.scope(where) if where else nullcontext():
        outputs = function(*map_structure(enter, arguments), **map_structure(enter, keywords))
    return map_structure(_type_of, outputs)


def _common_type(x: Any, y: Any) -> Any:
    """The type that both examples have, unknown where their sizes differ."""
    if not isinstance(x, TensorType):
        return x
    return TensorType(symbolic_dims([a if a == b else None for a, b in zip(x.shape, y.shape)]), x.element)


def _type_of(x: Any) -> Any:
    if hasattr(x, "__kcompile_tensor__"):
        x = x.__kcompile_tensor__()
    if isinstance(x, Tensor):
        return x.type
    if isinstance(x, np.ndarray):
        return EagerTensor(x).type
    return x
