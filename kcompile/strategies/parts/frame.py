"""The frame of a loops-level kernel: its signature, its symbols, and how its work is divided among the workers.

func.func @name(memrefs of inputs, of outputs, of scratch, symbols: index, %tid: index, %team: index)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, DimsAttr, StringAttr
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.types import DYNAMIC, FunctionType, IntegerType, MemRefType, TensorType, Type
from kcompile.strategies.parts.border import fill_border
from kcompile.strategies.parts.structured import Kernel


class Frame:
    """A kernel being written. `b` builds inside the new function; `memref` finds the buffer of a tensor argument."""

    def __init__(self, kernel: Kernel):
        self.kernel = kernel
        self.symbols = kernel.symbols
        tensors = [v.type for v in (*kernel.inputs, *kernel.results)]
        buffers = [buffer_type(x) for x in tensors]
        arguments = [*buffers, *[t.index] * (len(self.symbols) + 2)]
        self.body = Block(arguments)
        self.function = Operation("func.func", (), (), {}, [Region([self.body])], kernel.function.location)
        self.function["sym_name"] = kernel.name
        self.function["function_type"] = FunctionType(tuple(arguments), ())
        self.function["kernel.dims"] = ArrayAttr(tuple(DimsAttr(x.shape) for x in tensors))  # type: ignore[attr-defined]
        self.function["kernel.symbols"] = ArrayAttr(tuple(StringAttr(name) for name in self.symbols))
        self.function["kernel.outputs"] = len(kernel.outputs)
        self.function["kernel.root"] = kernel.function.get("kernel.root", "elementwise")
        self.b = LoopBuilder(self.body, None, kernel.function.location)
        values = self.body.arguments
        count = len(kernel.inputs)
        self.memref = dict(zip(kernel.inputs, values[:count], strict=True))
        self.origin: dict[Value, Sequence[Value]] = {}
        self.outputs = values[count : len(buffers)]
        self.borders = {  # the padded results, and the pads that say where in them the inside is
            memref: result.defining_op
            for memref, result, value in zip(self.outputs, kernel.results, kernel.outputs, strict=True)
            if result is not value and result.defining_op is not None
        }
        self.sizes = dict(zip(self.symbols, values[len(buffers) : -2], strict=True))
        self.tid, self.team = values[-2:]

    def scratch(self, shape: Sequence[int], element: Type) -> Value:
        """Memory of this worker alone for the length of the kernel, 64-byte aligned; undefined at first.

        It lies behind the arena, so it may be larger than the stack allows, and stays in this core's cache from one
        kernel to the next. For a few KiB `b.alloca` does.
        """
        function, made = self.function, MemRefType(tuple(shape), storage(element))
        place = len(self.kernel.inputs) + len(self.outputs) + function.get("kernel.scratch", 0)
        value = self.body.insert_argument(place, made)
        arguments = tuple(a.type for a in self.body.arguments)
        function["function_type"] = FunctionType(arguments, ())
        dims: tuple[tuple[Dim, ...], ...] = function["kernel.dims"]
        function["kernel.dims"] = ArrayAttr(tuple(DimsAttr(d) for d in (*dims, tuple(shape))))
        function["kernel.scratch"] = function.get("kernel.scratch", 0) + 1
        return value

    def hold(self, tensor: Value, memory: Value, origin: Sequence[Value]) -> None:
        """From here on the part of `tensor` from `origin` on is read from `memory`, scratch that code has filled."""
        self.memref[tensor], self.origin[tensor] = memory, origin

    def source(self, tensor: Value, indices: Sequence[Value]) -> list[Value]:
        """Where a point of a tensor is in the memory that it is read from."""
        origin = self.origin.get(tensor)
        return list(indices) if origin is None else [self.b.sub(i, o) for i, o in zip(indices, origin, strict=True)]

    def place(self, memref: Value, indices: Sequence[Value]) -> list[Value]:
        """Where a point of a result is in its buffer: past the border of a padded one."""
        pad = self.borders.get(memref)
        if pad is None:
            return list(indices)
        return [self.b.add(i, self.b.index(low)) for i, low in zip(indices, pad["static_low"], strict=True)]

    def size(self, dim: Dim) -> Value:
        """The value of a dim, as an index."""
        if not isinstance(dim, SymbolicDim):
            return self.b.index(dim)
        total: Value | None = None
        for monomial, coefficient in dim.terms:
            term = self.b.index(coefficient)
            for name in monomial:
                term = self.b.mul(term, self.sizes[name])
            total = term if total is None else self.b.add(total, term)
        assert total is not None
        return total

    @contextmanager
    def parallel(self, extents: Sequence[Dim | Value], grain: int = 1) -> Iterator[list[Value]]:
        """One loop over the flattened `extents`, this worker's share; yields the index in every extent."""
        sizes = self.values(extents)
        with self.share(self.product(sizes), grain) as number:
            yield self.indices(number, sizes)

    @contextmanager
    def parallel_groups(self, total: int, group: int, extents: Sequence[Dim | Value]) -> Iterator[list[Value]]:
        """One loop over (group, extents, place in the group), this worker's share, for `total` places in groups of
        `group`. The last group may have fewer: shares are of what there is, so that no worker has less to do.
        """
        b, sizes = self.b, self.values(extents)
        full, rest = divmod(total, group)
        inside = self.product(sizes)
        with self.share(b.mul(inside, b.index(total))) as number:
            if total <= group:  # one group: nothing is divided by sizes known at run time, which takes 20 cycles
                yield [
                    b.index(0),
                    *self.indices(b.floordiv(number, b.index(total)), sizes),
                    b.mod(number, b.index(total)),
                ]
                return
            whole = b.mul(inside, b.index(group))
            which, width = b.floordiv(number, whole), b.index(group)
            if rest:
                which = b.min(which, b.index(full))
                width = b.select(b.cmp("eq", which, b.index(full)), b.index(rest), width)
            within = b.sub(number, b.mul(which, whole))
            yield [which, *self.indices(b.floordiv(within, width), sizes), b.mod(within, width)]

    @contextmanager
    def share(self, total: Value, grain: int = 1) -> Iterator[Value]:
        """The loop over this worker's share of range(total)."""
        lo, hi = self.b.partition(total, self.tid, self.team, grain)
        with self.b.for_(lo, hi, 1) as loop:
            yield loop.iv
            loop.yield_()

    def values(self, extents: Sequence[Dim | Value]) -> list[Value]:
        return [e if isinstance(e, Value) else self.size(e) for e in extents]

    def product(self, sizes: Sequence[Value]) -> Value:
        total = self.b.index(1)
        for size in sizes:
            total = self.b.mul(total, size)
        return total

    def indices(self, number: Value, sizes: Sequence[Value]) -> list[Value]:
        """The index in every extent of place `number`, row-major."""
        b, found = self.b, []
        for size in reversed(sizes[1:]):
            found.append(b.mod(number, size))
            number = b.floordiv(number, size)
        return [*([number] if sizes else []), *reversed(found)]

    @contextmanager
    def nest(self, bounds: Sequence[tuple[Value, Value]]) -> Iterator[list[Value]]:
        """Plain loops, one inside the other, without carried values."""
        with ExitStack() as stack:
            loops = [stack.enter_context(_loop(self.b, lo, hi)) for lo, hi in bounds]
            yield loops

    def finish(self, strategy: str) -> Operation:
        """Fill the borders of padded results and end the function; `strategy` is printed on it."""
        for memref, pad in self.borders.items():
            fill_border(self, memref, pad)
        self.b.create("func.return", (), None, ())
        self.function["kernel.strategy"] = strategy
        return self.function


@contextmanager
def _loop(b: LoopBuilder, lo: Value, hi: Value) -> Iterator[Value]:
    with b.for_(lo, hi, 1) as loop:
        yield loop.iv
        loop.yield_()


def buffer_type(tensor: Type) -> MemRefType:
    """The memref that holds a tensor: dense, row-major, i1 as bytes, integers signless."""
    assert isinstance(tensor, TensorType)
    return MemRefType(
        tuple(DYNAMIC if isinstance(d, SymbolicDim) else d for d in tensor.shape), storage(tensor.element)
    )


def storage(element: Type) -> Type:
    """The type of one element in memory."""
    if element is t.i1:
        return t.i8
    return IntegerType(element.width) if isinstance(element, IntegerType) else element
