"""From the arrays of a call to sizes: which symbol is read off which axis, and which extents are only checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim, evaluate, symbols_of
from kcompile.ir.types import TensorType

Array = np.ndarray[Any, Any]


def symbol_order(shapes: Sequence[Sequence[Dim]]) -> tuple[str, ...]:
    """The symbols of `shapes`: the batch `b` first, then the others as they appear."""
    names: dict[str, None] = {}
    for shape in shapes:
        for dim in shape:
            names.update(dict.fromkeys(sorted(symbols_of(dim))))
    return tuple(sorted(names, key=lambda name: name != "b"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or result as a caller sees it. `place` is what an error calls it: "input 'image'"."""

    name: str
    shape: tuple[Dim, ...]
    dtype: np.dtype[Any]
    place: str

    @classmethod
    def of(cls, name: str, type: Any, kind: str) -> Parameter:
        assert isinstance(type, TensorType)
        return cls(name, type.shape, t.to_numpy(type.element), f"{kind} '{name}'")

    def shown(self) -> str:
        """The shape as Keras shows it: None where the size may vary."""
        return str(tuple(None if isinstance(d, SymbolicDim) else d for d in self.shape))

    def extents(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(evaluate(d, sizes) for d in self.shape)


class Signature:
    """The parameters of a call: converts arrays to their dtypes and finds the sizes.

    >>> b = symbol("b")                                                               # doctest: +SKIP
    >>> s = Signature("digits", [Parameter("x", (b, 784), np.dtype("f4"), "input 'x'")])  # doctest: +SKIP
    >>> s.sizes([(32, 784)])                                                          # doctest: +SKIP
    {'b': 32}
    """

    def __init__(self, model: str, parameters: Sequence[Parameter]):
        self.model = model
        self.parameters = tuple(parameters)
        self.symbols = symbol_order([p.shape for p in self.parameters])
        readers: dict[str, tuple[int, int]] = {}
        for i, parameter in enumerate(self.parameters):
            for axis, dim in enumerate(parameter.shape):
                if isinstance(dim, SymbolicDim) and str(dim) in symbols_of(dim):
                    readers.setdefault(str(dim), (i, axis))
        self.readers = readers

    def arrays(self, values: Sequence[Any]) -> list[Array]:
        """The values as C-contiguous arrays of the right dtypes.

        Raises ShapeError for a wrong number of values, and for dtypes that do not convert (text, objects, complex).
        """
        if len(values) != len(self.parameters):
            names = ", ".join(p.name for p in self.parameters) or "none"
            raise ShapeError(
                f"the model takes {len(self.parameters)} inputs ({names}). Received: {len(values)}",
                f"model '{self.model}'",
            )
        return [self._array(value, parameter) for value, parameter in zip(values, self.parameters, strict=True)]

    def _array(self, value: Any, parameter: Parameter) -> Array:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ShapeError(f"{parameter.place} is no array: {error}", f"model '{self.model}'") from None
        if array.dtype != parameter.dtype and (
            array.dtype.kind not in "fiub" or (array.dtype.kind == "f" and parameter.dtype.kind != "f")
        ):
            raise ShapeError(
                f"{parameter.place} needs dtype {parameter.dtype}. Received: dtype {array.dtype}; convert with astype",
                f"model '{self.model}'",
            )
        if array.ndim == 0:  # ascontiguousarray would make it one-dimensional
            return np.array(array, parameter.dtype)
        array = np.ascontiguousarray(array, parameter.dtype)
        # A view into bytes may start anywhere; kernels need the element's alignment.
        return array if array.flags.aligned else array.copy()

    def sizes(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
        """The size of every symbol. Raises ShapeError where a shape does not fit, naming the input."""
        sizes = {}
        for name, (i, axis) in self.readers.items():
            if axis >= len(shapes[i]):
                raise self._misfit(i, shapes[i], {})
            sizes[name] = shapes[i][axis]
        for i, parameter in enumerate(self.parameters):
            try:
                expected = parameter.extents(sizes)
            except KeyError as missing:
                raise ShapeError(
                    f"no input has the axis {missing} by itself, so its size cannot be read off",
                    f"model '{self.model}'",
                ) from None
            if expected != tuple(shapes[i]):
                raise self._misfit(i, shapes[i], sizes)
        return sizes

    def _misfit(self, index: int, shape: tuple[int, ...], sizes: Mapping[str, int]) -> ShapeError:
        parameter = self.parameters[index]
        hint = ""
        rank = len(parameter.shape)
        one_row = len(shape) == rank - 1 and zip(parameter.shape[1:], shape, strict=True)
        if one_row and all(isinstance(d, SymbolicDim) or d == s for d, s in one_row):
            hint = "; add the batch axis with x[None]"
        elif len(shape) == rank and sizes:
            told = ", ".join(f"{n}={s}" for n, s in sizes.items())
            named = str(tuple(str(d) if isinstance(d, SymbolicDim) else d for d in parameter.shape)).replace("'", "")
            hint = f" (its axes are {named}, with {told} from the inputs)"
        return ShapeError(
            f"{parameter.place} needs shape {parameter.shown()}. Received: shape {tuple(shape)}{hint}",
            f"model '{self.model}'",
        )
