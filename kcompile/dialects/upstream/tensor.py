# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `tensor` dialect: what stands around `linalg` operations: empty results, padding, slices, concatenation, views.

Sizes are those of the result type, symbols included; a static_sizes attribute holds DYNAMIC where there is a symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.dialects.upstream.elementwise import fit
from kcompile.dialects.upstream.memref import place
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, IntArrayAttr, IntAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.definition import Dialect
from kcompile.ir.dims import Dim
from kcompile.ir.types import TensorType, Type

if TYPE_CHECKING:
    from kcompile.ir.interpreter import Interpreter

tensor = Dialect("tensor")

DYNAMIC = -(2**63)  # as MLIR marks a size that is not static


def _tensor(x: Type) -> TensorType:
    if not isinstance(x, TensorType):
        raise IRError(f"needs a tensor. Received: {x}")
    return x


def _static(shape: Sequence[Dim]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else DYNAMIC for d in shape)


# -- how passes make these operations


def empty(b: Builder, type: TensorType) -> Value:
    """A tensor of undefined content, to be written by the operation that takes it as its output."""
    return b.create("tensor.empty", (), None, [type]).result


def pad(b: Builder, x: Value, value: Value, low: Sequence[int], high: Sequence[int]) -> Value:
    """`x` with the scalar `value` around it: low[i] elements before and high[i] after dim i (each >= 0)."""
    source = _tensor(x.type)
    block = Block([t.index] * source.rank)
    Builder(block).create("tensor.yield", [value], None, ())
    attrs = {
        "static_low": tuple(low),
        "static_high": tuple(high),
        "operandSegmentSizes": IntArrayAttr((1, 0, 0), t.i32),
    }
    shape = tuple(d + lo + hi for d, lo, hi in zip(source.shape, low, high, strict=True))
    return b.create("tensor.pad", [x], attrs, [TensorType(shape, source.element)], [Region([block])]).result


def extract_slice(b: Builder, x: Value, offsets: Sequence[int], sizes: Sequence[Dim], strides: Sequence[int]) -> Value:
    """x[offset : .. : stride] with `sizes` elements in each dim."""
    attrs = {
        "static_offsets": tuple(offsets),
        "static_sizes": _static(sizes),
        "static_strides": tuple(strides),
        "operandSegmentSizes": IntArrayAttr((1, 0, 0, 0), t.i32),
    }
    return b.create("tensor.extract_slice", [x], attrs, [TensorType(tuple(sizes), t.element_of(x.type))]).result


def insert_slice(b: Builder, source: Value, target: Value, offsets: Sequence[int], strides: Sequence[int]) -> Value:
    """`target` with `source` written over the slice that begins at `offsets`."""
    attrs = {
        "static_offsets": tuple(offsets),
        "static_sizes": _static(t.shape_of(source.type)),
        "static_strides": tuple(strides),
        "operandSegmentSizes": IntArrayAttr((1, 1, 0, 0, 0), t.i32),
    }
    return b.create("tensor.insert_slice", [source, target], attrs, [target.type]).result


def concat(b: Builder, xs: Sequence[Value], dim: int) -> Value:
    """The tensors one after the other along `dim`."""
    return b.create("tensor.concat", xs, {"dim": dim}).result


def reassociation_of(longer: Sequence[Dim], shorter: Sequence[Dim]) -> tuple[tuple[int, ...], ...] | None:
    """Which dims of `longer` make up each dim of `shorter`; None if they do not group in order."""
    groups: list[tuple[int, ...]] = []
    i = 0
    for size in shorter:
        group, total = [], 1  # type: list[int], Dim
        while i < len(longer) and (not group or (total is not size and total != size)):
            group.append(i)
            total = total * longer[i]
            i += 1
        if total != size:
            return None
        groups.append(tuple(group))
    if not groups:
        return () if all(d == 1 for d in longer) else None
    while i < len(longer) and longer[i] == 1:
        groups[-1] += (i,)
        i += 1
    return tuple(groups) if i == len(longer) else None


def reshape(b: Builder, x: Value, shape: Sequence[Dim]) -> Value:
    """`x` with dims split (expand_shape) or merged (collapse_shape); IRError if it takes both."""
    source, shape = _tensor(x.type), tuple(shape)
    target = TensorType(shape, source.element)
    if target is source:
        return x
    expands = len(shape) > source.rank
    groups = reassociation_of(shape, source.shape) if expands else reassociation_of(source.shape, shape)
    if groups is None:
        raise IRError(f"{source} does not split or merge into {target}")
    attrs: dict[str, Any] = {"reassociation": ArrayAttr(tuple(ArrayAttr(tuple(IntAttr(i) for i in g)) for g in groups))}
    if expands:
        attrs["static_output_shape"] = _static(shape)
    return b.create("tensor.expand_shape" if expands else "tensor.collapse_shape", [x], attrs, [target]).result


# -- definitions


@tensor.op("empty", ins="*sizes", traits="pure")
class Empty:
    """A tensor of undefined content. It takes the sizes of its symbolic dims, or none: the type says them too."""

    def verify(op: Operation) -> None:
        symbolic = sum(not isinstance(d, int) for d in _tensor(op.results[0].type).shape)
        if op.operands and [v.type for v in op.operands] != [t.index] * symbolic:
            raise IRError(
                f"tensor.empty takes {symbolic} sizes, or none. Received: {[str(v.type) for v in op.operands]}"
            )

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        type = _tensor(op.results[0].type)
        return [np.zeros(interp.dims(type.shape), t.to_numpy(type.element))]


@tensor.op("pad", ins="x", traits="pure")
class Pad:
    """A border of one value; static_low and static_high count its elements."""

    def verify(op: Operation) -> None:
        x, result = _tensor(op.operands[0].type), _tensor(op.results[0].type)
        low, high = op["static_low"], op["static_high"]
        if len(low) != x.rank or len(high) != x.rank or min((*low, *high), default=0) < 0:
            raise IRError(f"tensor.pad needs a low and a high >= 0 a dim of {x}. Received: {low}, {high}")
        if result is not TensorType(tuple(d + a + z for d, a, z in zip(x.shape, low, high, strict=True)), x.element):
            raise IRError(f"tensor.pad of {x} by {low} and {high} cannot give {result}")
        terminator = op.body.terminator
        if terminator.name != "tensor.yield" or [v.type for v in terminator.operands] != [x.element]:
            raise IRError(f"tensor.pad yields one {x.element}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        (value,) = interp.run_block(op.body, [0] * len(op.body.arguments))
        widths = list(zip(op["static_low"], op["static_high"], strict=True))
        return [np.pad(operands[0], widths, constant_values=value) if widths else operands[0]]


def pad_value(op: Operation) -> Value:
    """The scalar that a tensor.pad puts around its operand."""
    return op.body.terminator.operands[0]


def _slices(op: Operation, shape: Sequence[int]) -> tuple[slice, ...]:
    parts = zip(op["static_offsets"], shape, op["static_strides"], strict=True)
    return tuple(
        slice(first, first + (size - 1) * stride + 1 if size else first, stride) for first, size, stride in parts
    )


def _check_slice(op: Operation, whole: TensorType, part: TensorType) -> None:
    offsets, strides = op["static_offsets"], op["static_strides"]
    if not len(offsets) == len(strides) == whole.rank == part.rank or part.element is not whole.element:
        raise IRError(f"{op.name}: {part} is no slice of {whole}")
    for size, n, first, stride in zip(whole.shape, part.shape, offsets, strides, strict=True):
        if (
            first < 0
            or stride < 1
            or (isinstance(size, int) and isinstance(n, int) and n and first + (n - 1) * stride >= size)
        ):
            raise IRError(f"{op.name}: the slice from {offsets} by {strides} of {part} leaves {whole}")


@tensor.op("extract_slice", ins="x *sizes", traits="pure")
class ExtractSlice:
    """A strided slice. It takes the sizes of its symbolic dims, or none: the type says them too."""

    def verify(op: Operation) -> None:
        _check_slice(op, _tensor(op.operands[0].type), _tensor(op.results[0].type))

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [operands[0][_slices(op, interp.dims(t.shape_of(op.results[0].type)))]]


@tensor.op("insert_slice", ins="source target *sizes", traits="pure")
class InsertSlice:
    """The target with the source written over a strided slice; symbolic sizes as in extract_slice."""

    def verify(op: Operation) -> None:
        _check_slice(op, _tensor(op.operands[1].type), _tensor(op.operands[0].type))
        if op.results[0].type is not op.operands[1].type:
            raise IRError(f"tensor.insert_slice gives the type of its target. Received: {op.results[0].type}")

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        result = np.array(operands[1])
        result[_slices(op, operands[0].shape)] = operands[0]
        return [result]


@tensor.op("concat", ins="*xs", traits="pure")
class Concat:
    """Tensors one after the other along `dim`."""

    def infer(*xs: Type, dim: int) -> Type:
        first = _tensor(xs[0])
        total: Dim = 0
        for x in map(_tensor, xs):
            others = [a == b for i, (a, b) in enumerate(zip(x.shape, first.shape, strict=False)) if i != dim]
            if x.rank != first.rank or not 0 <= dim < x.rank or not all(others) or x.element is not first.element:
                raise IRError(f"tensors along dim {dim} need the other dims alike. Received: {', '.join(map(str, xs))}")
            total = total + x.shape[dim]
        return TensorType((*first.shape[:dim], total, *first.shape[dim + 1 :]), first.element)

    def reference(*xs: Any, dim: int) -> Any:
        return np.concatenate(xs, dim)


def _check_reassociation(op: Operation, longer: TensorType, shorter: TensorType) -> None:
    flat = [i for group in op["reassociation"] for i in group]
    if flat != list(range(longer.rank)) or longer.element is not shorter.element or longer.size != shorter.size:
        raise IRError(f"{op.name}: {op['reassociation']} does not relate {longer} and {shorter}")


@tensor.op("expand_shape", ins="x", traits="pure")
class ExpandShape:
    """Dims split: dim i becomes the dims of group i of `reassociation`."""

    def verify(op: Operation) -> None:
        _check_reassociation(op, _tensor(op.results[0].type), _tensor(op.operands[0].type))

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [operands[0].reshape(interp.dims(t.shape_of(op.results[0].type)))]


@tensor.op("collapse_shape", ins="x", traits="pure")
class CollapseShape:
    """Dims merged: the dims of group i of `reassociation` become dim i."""

    def verify(op: Operation) -> None:
        _check_reassociation(op, _tensor(op.operands[0].type), _tensor(op.results[0].type))

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        return [operands[0].reshape(interp.dims(t.shape_of(op.results[0].type)))]


@tensor.op("extract", ins="x *indices", traits="pure")
class Extract:
    """One element."""

    def infer(x: Type, *indices: Type) -> Type:
        if len(indices) != _tensor(x).rank or any(i is not t.index for i in indices):
            raise IRError(f"{x} needs {_tensor(x).rank} indices. Received: {len(indices)}")
        return t.element_of(x)

    def interpret(interp: Interpreter, op: Operation, operands: list[Any]) -> list[Any]:
        x, *indices = operands
        if any(np.ndim(i) for i in indices):  # in the body of a linalg.generic all points run at once
            return [fit(x[tuple(indices)], op.results[0].type)]
        return [x[place(x, indices)]]


@tensor.op("yield", ins="*operands", traits="terminator pure")
class Yield:
    """Ends the region of a tensor operation."""
