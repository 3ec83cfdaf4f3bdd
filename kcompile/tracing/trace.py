"""Trace: the recording of a function's tensor operations as a graph function, its variables as arguments.

with Trace() as trace:
    x = trace.input(TensorType((symbol("b"), 4), f32), "x")
    y = model(x)
traced = trace.finish({"output_0": y})
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim, symbol
from kcompile.ir.garbage import no_collection
from kcompile.ir.types import TensorType

from .dtypes import element_type
from .structure import flatten, map_structure
from .tensor import EagerTensor, Tensor


class Tracer(Tensor):
    """A tensor inside a trace: it stands for `value`, whose contents do not exist yet."""

    __slots__ = ("trace", "value")

    def __init__(self, trace: Trace, value: Value):
        self.trace = trace
        self.value = value

    @property
    def type(self) -> TensorType:
        return self.value.type  # type: ignore[return-value]

    @property
    def dims(self) -> tuple[Dim, ...]:  # type: ignore[override]
        return self.value.type.shape  # type: ignore[attr-defined, no-any-return]

    @property
    def element(self) -> t.Type:  # type: ignore[override]
        return self.value.type.element  # type: ignore[attr-defined, no-any-return]

    def _refuse(self, what: str) -> UnsupportedError:
        return UnsupportedError(
            f"{what} needs the values of a tensor, which do not exist while the model is traced. Use keras.ops "
            f"(ops.where instead of `if`, ops functions instead of NumPy's). Received: {self!r}",
            self.trace.place or None,
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._refuse("NumPy on a tensor")

    def __bool__(self) -> bool:
        raise self._refuse("a condition on a tensor")

    def __int__(self) -> int:
        raise self._refuse("int() of a tensor")

    def __float__(self) -> float:
        raise self._refuse("float() of a tensor")

    def numpy(self) -> Any:
        raise self._refuse(".numpy()")

    def __repr__(self) -> str:
        return f"<traced tensor shape={self.shape} dtype={self.dtype}>"


@dataclass(frozen=True)
class TensorSpec:
    """What one input of a traced function looks like. A None in `shape` is a symbol: "b" in axis 0, else "d<axis>"."""

    shape: tuple[Any, ...]
    dtype: str = "float32"
    name: str | None = None

    @property
    def type(self) -> TensorType:
        return TensorType(symbolic_dims(self.shape), element_type(self.dtype))


@dataclass(frozen=True)
class ArgumentSpec:
    """One argument of a traced `@main`. role: "weight" (only read), "state" (updated in place too), "input"."""

    role: str
    name: str
    type: TensorType
    variable: Any = None


@dataclass(frozen=True)
class ResultSpec:
    """One result of a traced `@main`; `variable` is the one that it becomes the new value of, or None for an output."""

    name: str
    type: TensorType
    variable: Any = None


@dataclass
class TracedFunction:
    """A module with the function `@main`, and what its arguments and results are.

    `outputs` is the structure that the Python function returned, with the number of its result in place of each tensor.
    """

    module: Operation
    arguments: list[ArgumentSpec]
    results: list[ResultSpec]
    outputs: Any = field(default=None)

    def unflatten(self, arrays: Sequence[Any]) -> Any:
        """The results that are not state, in the structure that the traced function returned."""
        return map_structure(lambda i: arrays[i] if isinstance(i, int) else i, self.outputs)


def symbolic_dims(shape: Sequence[Any]) -> tuple[Dim, ...]:
    """`shape` with a symbol for each None: "b" in axis 0, "d<axis>" elsewhere, so that equal axes of inputs agree."""
    named = (symbol(f"d{i}" if i else "b") if d is None else d for i, d in enumerate(shape))
    return tuple(d if isinstance(d, SymbolicDim) else int(d) for d in named)


class Body:
    """The body of a scan while it is traced. Variables that it reads are block arguments, constants or carries.

    arguments   of each variable, by its id
    first       the value of each variable before the step
    current     the newest value of each variable
    written     the variables that it assigns
    """

    def __init__(self, block: Block):
        self.block = block
        self.arguments: dict[int, Value] = {}
        self.first: dict[int, Tracer] = {}
        self.current: dict[int, Tensor] = {}
        self.written: dict[int, Any] = {}

    @property
    def state(self) -> tuple[dict[int, Tensor], dict[int, Any]]:
        return self.current, self.written


def _is_visible(value: Value, block: Block) -> bool:
    """Whether code in `block` may use `value`: it was made there, or around it."""
    home = value.owner.parent if isinstance(value.owner, Operation) else value.owner
    while block is not home:
        around = block.parent_op
        if around is None or around.parent is None:
            return False
        block = around.parent
    return True


class Trace:
    """The graph function being recorded. Enter it (`with`) while the traced code runs.

    variable_role: the role of variables that are only read. "weight" lets the compiler prepare them once, "state" reads
    them afresh at every call, as a train step needs.
    """

    def __init__(self, name: str = "main", variable_role: str = "weight"):
        self.builder = GraphBuilder.function(name, [])
        self.variable_role = variable_role
        self.arguments: list[tuple[str, Value, Any]] = []  # name, value, variable
        self._initial: dict[int, Tracer] = {}  # id(variable) -> its argument
        self._current: dict[int, Tensor] = {}  # id(variable) -> its newest value
        self._written: dict[int, Any] = {}
        self._in_operation = False
        self.entry = self.builder.block
        self.bodies: list[Body] = []  # around the code being traced, the innermost last

    # -- arguments
    def input(self, type: TensorType, name: str) -> Tracer:
        """A new input argument."""
        return self._argument(type, name, None)

    def _argument(self, type: TensorType, name: str, variable: Any) -> Tracer:
        value = self.entry.add_argument(type)
        value.hint = name
        self.arguments.append((name, value, variable))
        return Tracer(self, value)

    def _own(self, variable: Any) -> Tracer:
        """The argument that stands for `variable`."""
        found = self._initial.get(id(variable))
        if found is None:
            type = TensorType(tuple(variable.shape), variable.element)
            found = self._argument(type, variable.path, variable)
            self._initial[id(variable)] = found
            self._current[id(variable)] = found
        return found

    def read(self, variable: Any) -> Tensor:
        """The present value of `variable` inside the function."""
        return self._read(variable, len(self.bodies))

    def _read(self, variable: Any, depth: int) -> Tensor:
        if depth == 0:
            self._own(variable)
            return self._current[id(variable)]
        body = self.bodies[depth - 1]
        if id(variable) not in body.current:
            value = body.block.add_argument(self._read(variable, depth - 1).type)
            value.hint = variable.path
            body.arguments[id(variable)] = value
            body.first[id(variable)] = body.current[id(variable)] = Tracer(self, value)
        return body.current[id(variable)]

    def write(self, variable: Any, value: Tensor) -> None:
        """Let `value` be what `variable` holds from here on, and after the call."""
        self.read(variable)
        current, written = (self._current, self._written) if not self.bodies else self.bodies[-1].state
        current[id(variable)] = value
        written[id(variable)] = variable

    def variables(self) -> dict[int, tuple[Any, Tensor]]:
        """Each variable that has been assigned, with its newest value, by the variable's id; see `restore`."""
        current, written = (self._current, self._written) if not self.bodies else self.bodies[-1].state
        return {key: (variable, current[key]) for key, variable in written.items()}

    def restore(self, saved: dict[int, tuple[Any, Tensor]]) -> None:
        """Let variables hold again what they held when `variables` gave `saved`."""
        current, written = (self._current, self._written) if not self.bodies else self.bodies[-1].state
        first = self._initial if not self.bodies else self.bodies[-1].first
        for key in list(written):
            if key in saved:
                current[key] = saved[key][1]
            else:
                current[key] = first[key]
                del written[key]

    def value_of(self, x: Tensor) -> Value:
        """The IR value of a tensor; known arrays become constants."""
        if isinstance(x, Tracer):
            if x.trace is not self:
                raise KcompileError(
                    "a tensor of one traced call is used in another. Keep no tensors on a layer between calls: use "
                    f"add_weight for state. Received: {x!r}", self.place or None
                )  # fmt: skip
            if not _is_visible(x.value, self.builder.block):
                raise KcompileError(
                    "a tensor that the body of a scan made is used after it. Let the body return it, in the carry or "
                    f"in what is stacked. Received: {x!r}", self.place or None
                )  # fmt: skip
            return x.value
        assert isinstance(x, EagerTensor)
        return self.builder.create("graph.constant", (), {"value": DenseAttr(x.array, x.type)}, [x.type]).results[0]

    # -- derivatives
    def gradients(self, loss: Tensor, variables: Sequence[Any]) -> list[Tracer | None]:
        """d loss / d variable for a scalar `loss`; None for a variable that it does not depend on."""
        from kcompile.autodiff import gradients

        known = [self._initial.get(id(v)) for v in variables]
        if not isinstance(loss, Tracer):
            return [None] * len(known)
        found = iter(gradients(self.builder, self.value_of(loss), [k.value for k in known if k is not None]))
        made = [None if k is None else next(found) for k in known]
        return [None if g is None else Tracer(self, g) for g in made]

    # -- context
    @property
    def place(self) -> str:
        """The layer path that is being traced."""
        return self.builder.location.name

    def scope(self, name: str) -> Any:
        """Operations recorded inside the `with` carry `name` in their location."""
        return self.builder.scope(name)

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """`scope`, but only for the outermost of nested operations: layer/softmax, not layer/softmax/exp."""
        if self._in_operation:
            yield
            return
        self._in_operation = True
        try:
            with self.builder.scope(name):
                yield
        finally:
            self._in_operation = False

    def __enter__(self) -> Trace:
        _stack().append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        _stack().pop()

    def finish(self, outputs: Any, names: Sequence[str] | None = None) -> TracedFunction:
        """End the function with the tensors in `outputs` (any structure; numbers allowed) and all written variables."""
        from .bind import convert

        order: list[Value] = []

        def number(x: Any) -> Any:
            if x is None:
                return None
            order.append(self.value_of(convert(x)))
            return len(order) - 1

        structure = map_structure(number, outputs)
        labels = list(names) if names is not None else [f"output_{i}" for i in range(len(order))]
        results = [ResultSpec(n, v.type) for n, v in zip(labels, order)]  # type: ignore[arg-type]
        attrs: list[dict[str, Any]] = [{"kernel.name": n} for n in labels]
        slots = {id(variable): i for i, (_, _, variable) in enumerate(self.arguments) if variable is not None}
        for key, variable in self._written.items():
            value = self.value_of(self._current[key])
            name = self.arguments[slots[key]][0]
            order.append(value)
            results.append(ResultSpec(name, value.type, variable))  # type: ignore[arg-type]
            attrs.append({"kernel.name": name, "kernel.donates": slots[key]})
        arguments = []
        for name, value, variable in self.arguments:
            role = "input" if variable is None else "state" if id(variable) in self._written else self.variable_role
            arguments.append(ArgumentSpec(role, name, value.type, variable))  # type: ignore[arg-type]
        function = self.builder.ret(*order)
        function["arg_attrs"] = tuple({"kernel.role": a.role, "kernel.name": a.name} for a in arguments)
        function["res_attrs"] = tuple(attrs)
        return TracedFunction(self.builder.module, arguments, results, structure)


_LOCAL = threading.local()


def _stack() -> list[Trace | None]:
    if not hasattr(_LOCAL, "stack"):
        _LOCAL.stack = []
    return _LOCAL.stack  # type: ignore[no-any-return]


def current_trace() -> Trace | None:
    """The trace around the running code, or None: then operations run at once."""
    stack = _stack()
    return stack[-1] if stack else None


@contextmanager
def outside_traces() -> Iterator[None]:
    """Run at once inside, as if no trace were around: for creating variables."""
    _stack().append(None)
    try:
        yield
    finally:
        _stack().pop()


def scope(name: str) -> Any:
    """Locations of operations recorded inside carry `name`; nothing happens outside a trace."""
    trace = current_trace()
    return nullcontext() if trace is None else trace.scope(name)


def trace_function(
    function: Callable[..., Any],
    specs: Any,
    *,
    variable_role: str = "weight",
    output_names: Sequence[str] | None = None,
    location: str = "",
) -> TracedFunction:
    """The graph of `function` called with one tensor for each TensorSpec in `specs`.

    `specs` is a list: one item per positional argument, each a TensorSpec or a structure of them. Variables that the
    function reads become arguments, those that it assigns become donated results.

    Example: trace_function(lambda x: ops.relu(x), [TensorSpec((None, 4), "float32", "x")]).module
    """
    trace = Trace(variable_role=variable_role)
    names = iter(range(len(flatten(specs))))

    def argument(spec: Any) -> Any:
        if spec is None:
            return None
        i = next(names)
        return trace.input(spec.type, spec.name or f"input_{i}")

    arguments = [map_structure(argument, s) for s in specs]
    with no_collection(), trace, trace.scope(location) if location else nullcontext():
        outputs = function(*arguments)
        return trace.finish(outputs, output_names)


__all__ = [
    "ArgumentSpec", "ResultSpec", "TensorSpec", "Trace", "TracedFunction", "Tracer",
    "current_trace", "outside_traces", "scope", "symbolic_dims", "trace_function",
]  # fmt: skip
