"""Variable: an array that layers own, read and written by traced functions in place."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError
from kcompile.ir import types as t
from kcompile.runtime.memory import Memory
from kcompile.tracing.bind import cast, convert
from kcompile.tracing.dtypes import element_type, is_float, standardize_dtype
from kcompile.tracing.tensor import EagerTensor, Operators, Tensor
from kcompile.tracing.trace import current_trace, outside_traces

from .changes import CHANGES
from .naming import auto_name

_LOCAL = threading.local()


@contextmanager
def autocast_to(dtype: str | None) -> Iterator[None]:
    """Inside, float variables are read as `dtype` (a layer's compute dtype)."""
    saved = getattr(_LOCAL, "dtype", None)
    _LOCAL.dtype = dtype
    try:
        yield
    finally:
        _LOCAL.dtype = saved


@contextmanager
def variable_scope(path: str) -> Iterator[None]:
    """Inside, new variables have `path` before their name."""
    saved = variable_path()
    _LOCAL.path = path
    try:
        yield
    finally:
        _LOCAL.path = saved


@contextmanager
def weights_follow() -> Iterator[None]:
    """Inside, random initial values wait: they are drawn when they are read, or at the end, unless a value came first.

    The weights of a file then cost no drawing. Example: `with weights_follow(): model = build(); load_weights(model)`.
    """
    saved = getattr(_LOCAL, "waiting", None)
    waiting: list[Variable] = []
    _LOCAL.waiting = waiting
    try:
        yield
    finally:
        _LOCAL.waiting = saved
    for variable in waiting:
        variable._draw()


def variable_path() -> str:
    """The path that new variables get before their name here."""
    return str(getattr(_LOCAL, "path", ""))


class Variable(Operators):
    """State of a layer. `initializer` is an array, a number, or a function of (shape, dtype).

    Outside a trace `value` is a tensor of the present contents and `assign` writes them; inside a trace both go to the
    traced function. `_array` is 64-byte aligned, row-major and never re-allocated.

    Example: w = Variable(np.zeros((2, 3), "float32"), name="w"); w.assign_add(np.ones((2, 3)))
    """

    is_symbolic = False

    def __init__(
        self, initializer: Any, shape: Any = None, dtype: Any = None, trainable: bool = True, autocast: bool = True,
        aggregation: str = "none", synchronization: str = "auto", name: str | None = None, layout: Any = None,
    ):  # fmt: skip
        name = name or auto_name(type(self))
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError(f"a variable's name is a string without '/'. Received: name={name!r}")
        self._name = name
        scope = variable_path()
        self._path = f"{scope}/{name}" if scope else name
        self._trainable = bool(trainable)
        self._autocast = bool(autocast)
        self.aggregation, self.synchronization = aggregation, synchronization
        self._regularizer: Any = None
        self._constraint: Any = None
        self._initializer = initializer if callable(initializer) else None
        waiting: list[Variable] | None = getattr(_LOCAL, "waiting", None)
        if waiting is not None and getattr(initializer, "repeats", False) and _is_shape(shape):
            self._element = element_type(dtype)
            self._shape: tuple[Any, ...] = tuple(int(d) for d in shape)
            self._array = _aligned_zeros(self._shape, t.to_numpy(self._element))
            self._initial_later = partial(self._initial, initializer, shape, dtype)
            waiting.append(self)
            return
        with outside_traces():
            value = self._initial(initializer, shape, dtype)
        self._element = value.element
        self._shape = tuple(value.dims)
        self._array = _aligned_copy(value.array)

    _initial_later: Callable[[], EagerTensor] | None = None  # what `weights_follow` has put off

    def _draw(self) -> None:
        """The initial value, if it was put off and no other has come."""
        later, self._initial_later = self._initial_later, None
        if later is not None:
            with outside_traces():
                self._array[...] = later().array

    @staticmethod
    def _initial(initializer: Any, shape: Any, dtype: Any) -> EagerTensor:
        if isinstance(initializer, str):
            from . import initializers

            initializer = initializers.get(initializer)
        if callable(initializer) and not hasattr(initializer, "__kcompile_tensor__"):
            if shape is None:
                raise ArgumentError("a variable made by an initializer function needs a shape. Received: shape=None")
            if isinstance(initializer, type):
                initializer = initializer()
            dims = tuple(shape)
            if not _is_shape(dims):
                raise ShapeError(f"a variable needs a shape of known sizes. Received: shape={dims}")
            value = convert(initializer(tuple(int(d) for d in dims), dtype=standardize_dtype(dtype)), dtype)
            if value.dims != dims:
                raise ShapeError(f"the initializer made shape {value.shape} for a variable of shape {dims}")
        else:
            value = convert(initializer, dtype)
            if shape is not None and tuple(shape) != value.dims:
                raise ShapeError(f"the initial value has shape {value.shape}. Received: shape={tuple(shape)}")
        assert isinstance(value, EagerTensor)
        return value

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._array = _aligned_copy(state["_array"])  # a copied or unpickled array lies anywhere

    # -- what it is
    @property
    def name(self) -> str:
        return self._name

    @property
    def path(self) -> str:
        """The name with the layers around it: dense/kernel."""
        return self._path

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape  # type: ignore[return-value]

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def element(self) -> t.Type:
        return self._element

    @property
    def dtype(self) -> str:
        """The dtype that reading gives: inside a layer its compute dtype, else the variable's own."""
        own = standardize_dtype(self._element)
        wanted = getattr(_LOCAL, "dtype", None)
        return wanted if wanted is not None and self._autocast and is_float(own) else own

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        CHANGES.count += 1

    @property
    def regularizer(self) -> Any:
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        self._regularizer = value

    @property
    def constraint(self) -> Any:
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        self._constraint = value

    # -- reading and writing
    @property
    def value(self) -> Tensor:
        """The contents as a tensor."""
        trace = current_trace()
        found: Tensor = EagerTensor(self.numpy(), self._element) if trace is None else trace.read(self)
        wanted = getattr(_LOCAL, "dtype", None)
        if wanted is not None and self._autocast and t.is_float(self._element):
            return cast(found, wanted)
        return found

    def __kcompile_tensor__(self) -> Tensor:
        return self.value

    def assign(self, value: Any) -> Tensor:
        """Let `value` (same shape; the dtype is converted) be the contents."""
        new = cast(value, element_type(self._element))
        if new.dims != self._shape:
            raise ShapeError(
                f"variable '{self.path}' has shape {self._shape}, and an assigned value must have it too. "
                f"Received: shape {new.shape}"
            )
        trace = current_trace()
        if trace is not None:
            trace.write(self, new)
        else:
            self._initial_later = None
            self._array[...] = new.array  # type: ignore[attr-defined]
        return new

    def assign_add(self, value: Any) -> Tensor:
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Tensor:
        return self.assign(self - value)

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy of the contents."""
        self._draw()
        return self._array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if current_trace() is not None:
            return np.asarray(self.value, dtype)  # a tracer, which refuses: the values would be baked in
        return self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)

    def __bool__(self) -> bool:
        return bool(self.value)  # type: ignore[call-overload]

    def __int__(self) -> int:
        return int(self.value)  # type: ignore[call-overload]

    def __float__(self) -> float:
        return float(self.value)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={np.array2string(self._array)}>"
        )


def _is_shape(dims: Any) -> bool:
    return isinstance(dims, tuple | list) and all(isinstance(d, int | np.integer) and d >= 0 for d in dims)


def _aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A row-major array that starts at a multiple of 64 bytes."""
    nbytes = math.prod(shape) * dtype.itemsize
    memory = Memory(max(1, nbytes)).view()[:nbytes]
    return np.frombuffer(memory, np.uint8).view(dtype).reshape(shape)


def _aligned_copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    copy = _aligned_zeros(array.shape, array.dtype)
    copy[...] = array
    return copy


def is_variable(x: Any) -> bool:
    return isinstance(x, Variable)
