"""Interpreter: runs any level of the IR on NumPy arrays. It is the meaning of the IR, and slow.

Plain operations run through `definition.reference`; operations with regions, memory or calls through
`definition.interpret(interp, op, operands) -> results`. Tensors and vectors are ndarrays, scalars NumPy scalars, index
values Python ints, memrefs ndarrays that are written in place. bf16 values are float32 arrays, rounded after each op.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kcompile.errors import IRError, KcompileError
from kcompile.ir import types as t
from kcompile.ir.attributes import Attribute, DimsAttr
from kcompile.ir.core import Block, Operation, Value, find_function
from kcompile.ir.dims import Dim, SymbolicDim, evaluate, substitute, symbols_of
from kcompile.ir.types import MemRefType, TensorType, Type, VectorType

Step = Callable[[], None]


def interpret(
    module: Operation,
    function_name: str,
    arrays: Sequence[Any],
    sizes: Mapping[str, int] | None = None,
    team: int = 1,
) -> list[np.ndarray[Any, Any]]:
    """Run `@function_name` and return its results.

    arrays    one per argument: arrays for tensors and memrefs (those are written in place), numbers for scalars
    sizes     of symbolic dims that the arguments' shapes do not tell
    team      how many workers a call of a loops-level kernel is split over, one after the other

    Raises IRError for arguments that do not fit, and for an operation that breaks its own type rule.

    Example: `interpret(module, "main", [np.ones((2, 3), np.float32)])`
    """
    with np.errstate(all="ignore"):
        return Interpreter(module, sizes, team).call(function_name, list(arrays))


class Interpreter:
    """The state of one run. `sizes` holds the sizes of the symbols of the function that runs."""

    def __init__(self, module: Operation, sizes: Mapping[str, int] | None = None, team: int = 1):
        self.module = module
        self.sizes: dict[str, int] = dict(sizes or {})
        self.team = team
        self._env: dict[Value, Any] = {}
        self._steps: dict[Block, tuple[list[Step], list[Value]]] = {}

    # -- for the hooks of operations
    def value(self, value: Value) -> Any:
        """What `value` holds now."""
        try:
            return self._env[value]
        except KeyError:
            raise IRError(f"{value!r} is used before it has a value") from None

    def run_block(self, block: Block, arguments: Sequence[Any]) -> list[Any]:
        """Run a block of the running function; gives the operands of its terminator."""
        env = self._env
        if len(arguments) != len(block.arguments):
            raise IRError(f"the block takes {len(block.arguments)} arguments. Received: {len(arguments)}")
        for formal, actual in zip(block.arguments, arguments, strict=True):
            env[formal] = actual
        compiled = self._steps.get(block)
        if compiled is None:
            compiled = self._steps[block] = self._compile(block)
        for step in compiled[0]:
            step()
        return [env[v] for v in compiled[1]]

    def call(self, name: str, operands: Sequence[Any], result_types: Sequence[Type] | None = None) -> list[Any]:
        """Call a function of the module.

        `result_types` is for a kernel that writes its results into memrefs: those are allocated, and the kernel runs
        once for each worker of the team.
        """
        function = find_function(self.module, name)
        formals = [a.type for a in function.body.arguments]
        if result_types is not None and "kernel.outputs" in function.attributes:
            return self._call_kernel(function, operands, result_types)
        if len(operands) != len(formals):
            raise IRError(f"@{name} takes {len(formals)} arguments. Received: {len(operands)}")
        sizes = infer_sizes(formals, operands, self.sizes)
        actuals = [
            check_argument(value, type, sizes, f"argument {i} of @{name}")
            for i, (value, type) in enumerate(zip(operands, formals, strict=True))
        ]
        saved = self._env, self._steps, self.sizes
        self._env, self._steps, self.sizes = {}, {}, sizes
        try:
            return self.run_block(function.body, actuals)
        finally:
            self._env, self._steps, self.sizes = saved

    def dims(self, shape: Sequence[Dim]) -> tuple[int, ...]:
        """The sizes of a shape with symbols."""
        try:
            return tuple(evaluate(d, self.sizes) for d in shape)
        except KeyError as missing:
            raise IRError(f"the size of the symbolic dim {missing} is not known; give it in `sizes`") from None

    def attributes_of(self, op: Operation) -> dict[str, Any]:
        """The attributes that the op's definition names, as Python values, with sizes for symbols."""
        known = op.definition.attrs if op.definition is not None else {}
        return {k: self._attribute(a) for k, a in op.attributes.items() if k in known}

    # -- inside
    def _attribute(self, attribute: Attribute) -> Any:
        return self.dims(attribute.value) if isinstance(attribute, DimsAttr) else attribute.value

    def _call_kernel(self, function: Operation, operands: Sequence[Any], result_types: Sequence[Type]) -> list[Any]:
        outputs = [np.empty(self.dims(t.shape_of(r)), t.to_numpy(t.element_of(r))) for r in result_types]
        for output in outputs:  # what a kernel forgets to write should show
            output.view(np.uint8 if output.ndim else output.dtype).fill(0x7F if output.ndim else 1)
        symbols = [self.sizes[s] for s in function.get("kernel.symbols", ())]
        formals = [a.type for a in function.body.arguments]
        memory = [_as_memory(a, f) for a, f in zip([*operands, *outputs], formals, strict=False)]
        private = formals[len(memory) : len(memory) + function.get("kernel.scratch", 0)]
        for tid in range(self.team):
            scratch = [undefined(x) for x in private]
            self.call(function["sym_name"], [*memory, *scratch, *symbols, tid, self.team])
        return outputs

    def _compile(self, block: Block) -> tuple[list[Step], list[Value]]:
        """One closure for each operation, made once a call, as loop bodies run many times."""
        if block.last is None:
            return [], []
        steps = [self._step(op) for op in block.ops if op is not block.last]
        if block.last.has_trait("terminator"):
            return steps, list(block.last.operands)
        return [*steps, self._step(block.last)], []

    def _step(self, op: Operation) -> Step:
        definition = op.definition
        env = self._env
        operands = op.operands
        results = op.results
        where = str(op.location)
        if definition is not None and definition.interpret is not None:
            hook = definition.interpret

            def compute() -> Sequence[Any]:
                return hook(self, op, [env[v] for v in operands]) or ()

        elif definition is not None and definition.reference is not None:
            reference = definition.reference
            attributes = self.attributes_of(op)
            single = len(results) == 1

            def compute() -> Sequence[Any]:
                made = reference(*[env[v] for v in operands], **attributes)
                return (made,) if single else made or ()

        else:
            raise IRError(f"{op.name} has no reference, so the interpreter cannot run it", where)
        conforms = [self._conform(op.name, r.type) for r in results]

        def step() -> None:
            try:
                made = compute()
                if len(made) != len(results):
                    raise IRError(f"{op.name} gave {len(made)} results instead of {len(results)}")
                for result, conform, value in zip(results, conforms, made, strict=True):
                    env[result] = conform(value)
            except KcompileError as error:
                if error.where is not None or where == "loc(unknown)":
                    raise
                raise type(error)(error.message, where) from None
            except Exception as error:
                raise IRError(f"{op.name} failed: {type(error).__name__}: {error}", where) from error

        return step

    def _conform(self, name: str, type: Type) -> Callable[[Any], Any]:
        """A check that a result is what the op's type says."""
        if isinstance(type, TensorType | VectorType):
            shape = self.dims(type.shape)
            dtype = t.to_numpy(type.element)
            low_precision = type.element is t.bf16

            def conform(value: Any) -> Any:
                array = np.asarray(value)
                if array.shape != shape or array.dtype != dtype:
                    received = f"{array.dtype}{list(array.shape)}"
                    raise IRError(f"the reference of {name} gave {received}, its type is {type} ({list(shape)})")
                return round_bf16(array) if low_precision else array

            return conform
        if type is t.index:  # an array of indices in the body of a linalg.generic, whose points run at once
            return lambda value: value if isinstance(value, np.ndarray) and value.ndim else int(value)
        if isinstance(type, t.IntegerType | t.FloatType):
            make = t.to_numpy(type).type
            if type is t.bf16:
                return lambda value: round_bf16(np.asarray(value, np.float32))[()]
            return lambda value: value if value.__class__ is make else _scalar(value, make)
        return lambda value: value


def _as_memory(array: Any, type: Type) -> Any:
    """The same bytes as a memref holds them: i1 is a byte, and integers have no sign."""
    dtype = t.to_numpy(t.element_of(type))
    if not isinstance(array, np.ndarray) or array.dtype == dtype or array.dtype.itemsize != dtype.itemsize:
        return array
    return array.view(dtype)


def undefined(type: Type) -> np.ndarray[Any, Any]:
    """Memory that was never written: nothing in it looks like a plausible number."""
    dtype = t.to_numpy(t.element_of(type))
    poison = np.nan if dtype.kind == "f" else np.iinfo(dtype).max if dtype.kind in "iu" else True
    return np.full(t.shape_of(type), poison, dtype)


def _scalar(value: Any, make: Any) -> Any:
    """`value` as a NumPy scalar; integers wrap."""
    return np.asarray(value).astype(make)[()]


def round_bf16(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 values rounded to the nearest bf16, ties to even."""
    array = np.asarray(array, np.float32)
    bits = np.ascontiguousarray(array).view(np.uint32)
    rounded = (bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(array), array, rounded.view(np.float32)).reshape(array.shape)


def infer_sizes(types: Sequence[Type], values: Sequence[Any], known: Mapping[str, int] | None = None) -> dict[str, int]:
    """The sizes of the symbols in `types`, read off the shapes of `values`, on top of the `known` ones."""
    sizes: dict[str, int] = {}
    pending: list[tuple[Dim, int]] = []
    for type, value in zip(types, values, strict=True):
        if isinstance(type, TensorType) and np.ndim(value) == len(type.shape):
            pending += [(d, n) for d, n in zip(type.shape, np.shape(value), strict=True) if isinstance(d, SymbolicDim)]
    progress = True
    while pending and progress:
        progress = False
        rest = []
        for dim, size in pending:
            left = substitute(dim, sizes)
            unknown = symbols_of(left)
            if not unknown:
                progress = True
                continue
            found = _solve(left, size) if len(unknown) == 1 else None
            if found is None:
                rest.append((dim, size))
            else:
                sizes[unknown.pop()] = found
                progress = True
        pending = rest
    return {**(known or {}), **sizes}


def _solve(dim: Dim, size: int) -> int | None:
    """The value of the only symbol of a linear dim that makes it `size`."""
    if not isinstance(dim, SymbolicDim) or any(len(monomial) > 1 for monomial, _ in dim.terms):
        return None
    coefficient = sum(c for monomial, c in dim.terms if monomial)
    constant = sum(c for monomial, c in dim.terms if not monomial)
    quotient, remainder = divmod(size - constant, coefficient)
    return None if remainder else quotient


def check_argument(value: Any, type: Type, sizes: Mapping[str, int], what: str) -> Any:
    """`value` as the interpreter holds it; IRError when it does not fit `type`."""
    if isinstance(type, TensorType | VectorType):
        array = np.asarray(value)
        dtype = t.to_numpy(type.element)
        try:
            shape = tuple(evaluate(d, sizes) for d in type.shape)
        except KeyError as missing:
            raise IRError(f"{what}: the size of the symbolic dim {missing} is not known; give it in `sizes`") from None
        if array.shape != shape or array.dtype != dtype:
            raise IRError(f"{what} is {type}. Received: {array.dtype}{list(array.shape)}")
        return array
    if isinstance(type, MemRefType):
        if not isinstance(value, np.ndarray):
            raise IRError(f"{what} is {type}, an array that can be written. Received: {value.__class__.__name__}")
        fits = len(value.shape) == len(type.shape) and all(
            d in (t.DYNAMIC, n) for d, n in zip(type.shape, value.shape, strict=True)
        )
        if not fits or value.dtype != t.to_numpy(type.element):
            raise IRError(f"{what} is {type}. Received: {value.dtype}{list(value.shape)}")
        return value
    if type is t.index:
        return int(value)
    if isinstance(type, t.IntegerType | t.FloatType):
        return _scalar(value, t.to_numpy(type))
    return value
